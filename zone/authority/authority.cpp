#include "zone/authority/authority.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "zone/authority/lookup.hpp"
#include "zone/authority/reply.hpp"
#include "zone/index/index.hpp"
#include "zone/wire/edns.hpp"
#include "zone/wire/name.hpp"
#include "zone/zone.hpp"

namespace signpost::zone {
namespace {

constexpr std::size_t most_links = 8; // CNAMEs followed for one question

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

/// Header, counts and OPT record around what is written. Returns the message's length.
[[gnu::always_inline]] inline std::size_t finish(Reply& reply, const wire::Query& query,
                                                 wire::ExtendedError error) noexcept {
  std::uint8_t* message = reply.message;
  std::uint16_t flags = wire::flag::qr | wire::flag::aa;
  if (reply.truncated) [[unlikely]] {
    if (!reply.stream)
      flags |= wire::flag::tc;
    else if (error == wire::ExtendedError::none)
      error = wire::ExtendedError::other;
  }
  if (query.edns) {
    reply.at += wire::write_opt(message + reply.at, static_cast<std::uint16_t>(reply.rcode), query.dnssec_ok, error,
                                query.options.span());
    ++reply.additional;
  }
  flags = static_cast<std::uint16_t>(flags | (query.flags & (wire::flag::rd | wire::flag::cd)) |
                                     (static_cast<std::uint16_t>(reply.rcode) & wire::flag::rcode));
  wire::store32(message + 2, std::uint32_t{flags} << 16 | 1);
  wire::store32(message + 6, std::uint32_t{reply.answers} << 16 | reply.authority);
  wire::store16(message + 10, reply.additional);
  return reply.at;
}

[[gnu::always_inline]] inline void settle(Answer answer, const Index& index, const Apex& apex, Reply& reply) noexcept {
  if (answer == Answer::records) return;
  if (answer == Answer::no_name) reply.rcode = wire::Rcode::nxdomain;
  reply.soa(apex, index.serial(), reply.authority);
}

/// Follows aliases from an ExternalName service on, within our zones. True: the last target, in `target`, is outside.
[[gnu::noinline]] bool follow(const Index& index, Entry alias, std::uint16_t type, Reply& reply,
                              std::span<std::uint8_t, wire::max_name> target) noexcept {
  std::array<Entry, most_links> seen;
  for (std::size_t links = 0;;) {
    const auto wire_target = alias.external_target();
    const std::size_t target_at = reply.at + record_head;
    if (!reply.answer(wire::type::cname, reply.ttl, wire_target)) return false;
    if (type == wire::type::cname || type == wire::type::any) return false;
    seen[links++] = alias;

    const auto name = wire::name_from_wire(wire_target);
    if (!name) return false;
    const NameView view{name->octets.data(), name->label_offset.data(), name->length, name->labels};
    const Place place = place_of(index, view);
    if (place.apex == nullptr) {
      std::memcpy(target.data(), name->octets.data(), name->length);
      return true;
    }
    reply.owner = pointer_to(target_at);
    reply.apex_at = target_at + place.at;
    Lookup lookup{index, *place.apex, type};
    const Answer answer = lookup.find(view, reply);
    if (answer != Answer::alias) {
      settle(answer, index, *place.apex, reply);
      return false;
    }
    alias = lookup.alias;
    const auto end = seen.begin() + static_cast<std::ptrdiff_t>(links);
    if (links == most_links || std::find(seen.begin(), end, alias) != end) return false;
  }
}

} // namespace

Outcome answer(const Zone& zone, const wire::Query& query, wire::Transport transport, std::span<std::uint8_t> buffer,
               std::span<std::uint8_t, wire::max_name> target) noexcept {
  if (buffer.size() < wire::min_udp) [[unlikely]]
    return {};
  const Index& index = zone.index();
  if (query.klass != wire::class_in)
    return {Verdict::reply,
            wire::write_error(buffer, query, wire::Rcode::refused, wire::ExtendedError::not_authoritative)};
  if (query.type == wire::type::axfr || query.type == wire::type::ixfr)
    return {Verdict::reply, wire::write_error(buffer, query, wire::Rcode::refused, wire::ExtendedError::prohibited)};
  const NameView name{query.name.data(), query.label_offset.data(), query.name_length, query.labels};
  const Place place = place_of(index, name);
  if (place.apex == nullptr) return {Verdict::outside, 0};
  if (!index.ready()) [[unlikely]]
    return {Verdict::reply, wire::write_error(buffer, query, wire::Rcode::servfail, wire::ExtendedError::not_ready)};

  const bool stream = transport == wire::Transport::tcp;
  wire::ExtendedError error = wire::ExtendedError::none;
  std::size_t limit = std::min<std::size_t>(buffer.size(), stream ? 65535 : query.udp_size);
  if (query.edns) {
    if (index.stale()) error = wire::ExtendedError::stale_answer;
    limit -=
        wire::opt_size + query.options.size() + wire::extended_error_size(stream ? wire::ExtendedError::other : error);
  }
  Reply reply{buffer.data(), wire::header_size + query.question_length, limit, index.settings().ttl};
  reply.stream = stream;
  reply.apex_at = wire::header_size + place.at;
  Verdict verdict = Verdict::reply;
  Lookup lookup{index, *place.apex, query.type};
  const Answer found = lookup.find(name, reply);
  if (found != Answer::alias)
    settle(found, index, *place.apex, reply);
  else if (follow(index, lookup.alias, query.type, reply, target))
    verdict = Verdict::chase;
  return {verdict, finish(reply, query, error)};
}

} // namespace signpost::zone
