#include "server/listen/here.hpp"

namespace signpost::server {

using zone::Outcome;
using zone::Verdict;

Here answer_here(const Router& router, const wire::Query& query, wire::Transport transport,
                 std::span<std::uint8_t> buffer, zone::Onward& onward) noexcept {
  onward.links = 0;
  return answer_on(router, query, transport, buffer, onward, {Verdict::outside, 0}, nullptr);
}

Here answer_on(const Router& router, const wire::Query& query, wire::Transport transport,
               std::span<std::uint8_t> buffer, zone::Onward& onward, Outcome said, const zone::Zone* asked) noexcept {
  // Every round that goes on has asked the zone of the query's block, or has added links, which are counted.
  for (;;) {
    if (said.verdict == Verdict::reply) return {.length = said.length};
    const auto name = onward.links == 0 ? query.qname() : onward.name();
    const auto special = [&](const zone::SpecialZone& zone) {
      return Here{.length = zone::answer_special(zone, query, transport, buffer, onward).length};
    };
    if (said.verdict == Verdict::denied) {
      if (const auto* zone = router.special(name)) return special(*zone);
      return {.length = said.length, .outside = router.beyond(name)};
    }
    const BlockRoute* const route = router.find(name);
    if (route != nullptr && route->zone != nullptr && route->zone != asked) {
      asked = route->zone;
      const Outcome next = onward.links == 0 ? zone::answer(*asked, query, transport, buffer, onward)
                                             : zone::resume(*asked, query, transport, buffer, onward);
      if (next.verdict != Verdict::outside) {
        said = next;
        continue;
      }
    }
    if (const auto* zone = router.special(name)) return special(*zone);
    Outside* outside = route != nullptr ? route->outside : nullptr;
    if (onward.links > 0 && outside != nullptr && !outside->covers(name)) outside = nullptr;
    return {.length = said.length, .outside = outside};
  }
}

} // namespace signpost::server
