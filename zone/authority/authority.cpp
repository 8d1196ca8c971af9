#include "zone/authority/authority.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "zone/authority/finish.hpp"
#include "zone/authority/lookup.hpp"
#include "zone/authority/reply.hpp"
#include "zone/index/index.hpp"
#include "zone/wire/any.hpp"
#include "zone/wire/edns.hpp"
#include "zone/wire/name.hpp"
#include "zone/zone.hpp"

namespace signpost::zone {
namespace {

struct Place {
  const Apex* apex = nullptr;
  std::size_t at = 0; // of the zone's name within the name
};

[[gnu::always_inline]] inline Place place_of(const Index& index, const NameView& name) noexcept {
  for (const Apex& apex : index.apexes()) {
    const int at = apex.suffix_of(name.octets, name.length, name.labels, name.label_offset);
    if (at >= 0) return {&apex, static_cast<std::size_t>(at)};
  }
  return {};
}

[[gnu::always_inline]] inline void settle(Answer answer, const Index& index, const Apex& apex, Reply& reply) noexcept {
  if (answer == Answer::records) return;
  if (answer == Answer::no_name) reply.rcode = wire::Rcode::nxdomain;
  reply.soa(apex, index.serial(), reply.authority);
}

/// A reply to be written behind `at`, and the error it carries.
struct Opened {
  Reply reply;
  wire::ExtendedError error;
};

[[gnu::always_inline]] inline Opened open(const Index& index, const wire::Query& query, wire::Transport transport,
                                          std::span<std::uint8_t> buffer, std::size_t at) noexcept {
  const wire::ExtendedError error =
      query.edns && index.stale() ? wire::ExtendedError::stale_answer : wire::ExtendedError::none;
  return {open_reply(query, transport, buffer, at, index.settings().ttl, error), error};
}

/// One query on its way along the aliases of a zone.
struct Chain {
  const Index& index;
  const wire::Query& query;
  std::span<std::uint8_t> buffer;
  Onward& onward;
  std::array<Entry, wire::max_aliases> seen{}; // aliases of this zone
  std::size_t seen_count = 0;

  [[nodiscard]] Outcome endless() const noexcept {
    return {Verdict::reply,
            wire::write_error(buffer, query, wire::Rcode::servfail, wire::ExtendedError::endless_alias)};
  }

  /// Appends a CNAME. nullopt: its target is to be looked for.
  [[nodiscard]] std::optional<Outcome> add(Entry alias, Opened& opened) noexcept {
    const auto end = seen.begin() + static_cast<std::ptrdiff_t>(seen_count);
    if (seen_count == seen.size() || std::find(seen.begin(), end, alias) != end) return endless();
    seen[seen_count++] = alias;
    const auto target = alias.external_target();
    const std::size_t target_at = opened.reply.at + record_head;
    if (!opened.reply.answer(wire::type::cname, opened.reply.ttl, target) || query.type == wire::type::cname ||
        query.type == wire::type::any)
      return Outcome{Verdict::reply, finish(opened.reply, query, opened.error)};
    if (onward.links == wire::max_aliases) return endless();
    std::memcpy(onward.target.data(), target.data(), target.size());
    onward.target_length = static_cast<std::uint16_t>(target.size());
    onward.target_at = static_cast<std::uint16_t>(target_at);
    onward.end = static_cast<std::uint16_t>(opened.reply.at);
    ++onward.links;
    return std::nullopt;
  }

  /// Looks for the target, and for those that it leads to. nullopt: the first is in none of the zones.
  [[nodiscard]] std::optional<Outcome> follow(Opened& opened) noexcept {
    Reply& reply = opened.reply;
    for (bool first = true;; first = false) {
      const auto name = wire::name_from_wire(onward.name());
      const NameView view =
          name ? NameView{name->octets.data(), name->label_offset.data(), name->length, name->labels} : NameView{};
      const Place place = name ? place_of(index, view) : Place{};
      if (place.apex == nullptr) {
        if (first) return std::nullopt;
        return Outcome{Verdict::chase, finish(reply, query, opened.error)};
      }
      if (!index.ready())
        return Outcome{Verdict::reply,
                       wire::write_error(buffer, query, wire::Rcode::servfail, wire::ExtendedError::not_ready)};
      reply.owner = pointer_to(onward.target_at);
      reply.apex_at = onward.target_at + place.at;
      Lookup lookup{index, *place.apex, query.type};
      const Answer answer = lookup.find(view, reply);
      if (answer != Answer::alias) {
        settle(answer, index, *place.apex, reply);
        const bool denied = answer == Answer::no_name && place.apex->partial;
        return Outcome{denied ? Verdict::denied : Verdict::reply, finish(reply, query, opened.error)};
      }
      if (const auto done = add(lookup.alias, opened)) return done;
    }
  }
};

[[gnu::noinline]] Outcome begin_chain(const Index& index, Entry alias, const wire::Query& query,
                                      std::span<std::uint8_t> buffer, Opened& opened, Onward& onward) noexcept {
  onward.links = 0;
  Chain chain{index, query, buffer, onward};
  if (const auto done = chain.add(alias, opened)) return *done;
  if (const auto done = chain.follow(opened)) return *done;
  return {Verdict::chase, finish(opened.reply, query, opened.error)};
}

/// Types from IXFR on: zone transfers are refused; ANY gets the one record that there is, or HINFO in place of many
/// (RFC 8482 4.2). nullopt: a type like any other.
[[gnu::noinline]] std::optional<Outcome> answer_meta(const Index& index, const wire::Query& query,
                                                     wire::Transport transport, std::span<std::uint8_t> buffer,
                                                     Onward& onward) noexcept {
  if (query.type == wire::type::axfr || query.type == wire::type::ixfr)
    return Outcome{Verdict::reply,
                   wire::write_error(buffer, query, wire::Rcode::refused, wire::ExtendedError::prohibited)};
  if (query.type != wire::type::any || !index.ready()) return std::nullopt;
  const NameView name{query.name.data(), query.label_offset.data(), query.name_length, query.labels};
  const Place place = place_of(index, name);
  if (place.apex == nullptr) return std::nullopt;
  Opened opened = open(index, query, transport, buffer, wire::header_size + query.question_length);
  const Reply empty = opened.reply;
  opened.reply.apex_at = wire::header_size + place.at;
  Lookup lookup{index, *place.apex, query.type};
  const Answer found = lookup.find(name, opened.reply);
  if (found == Answer::alias) return begin_chain(index, lookup.alias, query, buffer, opened, onward);
  if (found != Answer::records) return std::nullopt;
  if (opened.reply.answers != 1 || opened.reply.additional != 0 || opened.reply.truncated) {
    opened.reply = empty;
    opened.reply.answer(wire::type::hinfo, wire::any_ttl, wire::any_rdata);
  }
  return Outcome{Verdict::reply, finish(opened.reply, query, opened.error)};
}

} // namespace

Outcome answer(const Zone& zone, const wire::Query& query, wire::Transport transport, std::span<std::uint8_t> buffer,
               Onward& onward) noexcept {
  if (buffer.size() < wire::min_udp) [[unlikely]]
    return {};
  const Index& index = zone.index();
  if (query.klass != wire::class_in)
    return {Verdict::reply,
            wire::write_error(buffer, query, wire::Rcode::refused, wire::ExtendedError::not_authoritative)};
  if (query.type >= wire::type::ixfr) [[unlikely]] {
    if (const auto done = answer_meta(index, query, transport, buffer, onward)) return *done;
  }
  const NameView name{query.name.data(), query.label_offset.data(), query.name_length, query.labels};
  const Place place = place_of(index, name);
  if (place.apex == nullptr) {
    onward.links = 0;
    return {Verdict::outside, 0};
  }
  if (!index.ready()) [[unlikely]]
    return {Verdict::reply, wire::write_error(buffer, query, wire::Rcode::servfail, wire::ExtendedError::not_ready)};

  Opened opened = open(index, query, transport, buffer, wire::header_size + query.question_length);
  opened.reply.apex_at = wire::header_size + place.at;
  Lookup lookup{index, *place.apex, query.type};
  const Answer found = lookup.find(name, opened.reply);
  if (found == Answer::alias) return begin_chain(index, lookup.alias, query, buffer, opened, onward);
  settle(found, index, *place.apex, opened.reply);
  const std::size_t length = finish(opened.reply, query, opened.error);
  if (found != Answer::no_name || !place.apex->partial) [[likely]]
    return {Verdict::reply, length};
  onward.links = 0;
  return {Verdict::denied, length};
}

Outcome resume(const Zone& zone, const wire::Query& query, wire::Transport transport, std::span<std::uint8_t> buffer,
               Onward& onward) noexcept {
  Opened opened = open(zone.index(), query, transport, buffer, onward.end);
  opened.reply.answers = onward.links;
  Chain chain{zone.index(), query, buffer, onward};
  return chain.follow(opened).value_or(Outcome{Verdict::outside, 0});
}

} // namespace signpost::zone
