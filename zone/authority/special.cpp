#include "zone/authority/special.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "zone/authority/finish.hpp"
#include "zone/authority/reply.hpp"
#include "zone/wire/name.hpp"

namespace signpost::zone {
namespace {

using Holds = SpecialZone::Holds;

constexpr std::uint32_t ttl = 10800; // seconds, as RFC 6303 3 has it
constexpr std::uint32_t serial = 1;  // they never change
constexpr std::array<std::uint8_t, 4> loopback_v4{127, 0, 0, 1};
constexpr std::array<std::uint8_t, 16> loopback_v6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
constexpr std::array<std::uint8_t, 11> localhost{9, 'l', 'o', 'c', 'a', 'l', 'h', 'o', 's', 't', 0};

constexpr std::string_view loopback_ip6 = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa";
constexpr std::string_view any_ip6 = "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa";

constexpr SpecialZone zones[] = {
    {"localhost", Holds::addresses},
    {"invalid"},
    {"onion"},
    {.name = "test", .is_testing = true},
    {"home.arpa"},
    {"127.in-addr.arpa", Holds::pointer},
    {loopback_ip6, Holds::pointer},
    {"0.in-addr.arpa"},
    {any_ip6},
    {"254.169.in-addr.arpa"},
    {"255.255.255.255.in-addr.arpa"},
    {"8.e.f.ip6.arpa"},
    {"9.e.f.ip6.arpa"},
    {"a.e.f.ip6.arpa"},
    {"b.e.f.ip6.arpa"},
    {"10.in-addr.arpa", Holds::nothing, true},
    {"168.192.in-addr.arpa", Holds::nothing, true},
    {"d.f.ip6.arpa", Holds::nothing, true},
    {"16.172.in-addr.arpa", Holds::nothing, true},
    {"17.172.in-addr.arpa", Holds::nothing, true},
    {"18.172.in-addr.arpa", Holds::nothing, true},
    {"19.172.in-addr.arpa", Holds::nothing, true},
    {"20.172.in-addr.arpa", Holds::nothing, true},
    {"21.172.in-addr.arpa", Holds::nothing, true},
    {"22.172.in-addr.arpa", Holds::nothing, true},
    {"23.172.in-addr.arpa", Holds::nothing, true},
    {"24.172.in-addr.arpa", Holds::nothing, true},
    {"25.172.in-addr.arpa", Holds::nothing, true},
    {"26.172.in-addr.arpa", Holds::nothing, true},
    {"27.172.in-addr.arpa", Holds::nothing, true},
    {"28.172.in-addr.arpa", Holds::nothing, true},
    {"29.172.in-addr.arpa", Holds::nothing, true},
    {"30.172.in-addr.arpa", Holds::nothing, true},
    {"31.172.in-addr.arpa", Holds::nothing, true},
};
constexpr std::size_t count = std::size(zones);

/// Their tops, made once.
const std::vector<Apex>& apexes() {
  static const std::vector<Apex> all = [] {
    std::vector<Apex> made;
    const auto home = wire::name_from_text("localhost").value_or(wire::WireName{});
    for (const SpecialZone& zone : zones)
      made.emplace_back(wire::name_from_text(zone.name).value_or(wire::WireName{}), home, ttl);
    return made;
  }();
  return all;
}

[[maybe_unused]] const auto& made_at_start = apexes(); // not on a packet's way

/// Whether the name, in this zone, is the reverse name of 127.0.0.1 or ::1.
bool is_loopback(std::span<const std::uint8_t> name, const Apex& apex) noexcept {
  constexpr std::array<std::uint8_t, 6> host{1, '1', 1, '0', 1, '0'};
  if (apex.kind == Apex::Kind::reverse6) return name.size() == apex.name.length;
  return name.size() == host.size() + apex.name.length && std::equal(host.begin(), host.end(), name.begin());
}

} // namespace

std::span<const SpecialZone> special_zones() noexcept { return zones; }

const SpecialZone* find_special(std::span<const std::uint8_t> name) noexcept {
  std::array<std::uint8_t, 128> offset;
  std::size_t labels = 0;
  for (std::size_t at = 0; at < name.size() && name[at] != 0 && labels < offset.size(); at += name[at] + 1u)
    offset[labels++] = static_cast<std::uint8_t>(at);
  if (labels == 0) return nullptr;
  // All but few names end in another label.
  const std::uint8_t* const top = name.data() + offset[labels - 1];
  if (top[0] != 4 && top[0] != 5 && top[0] != 7 && top[0] != 9) return nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    const wire::WireName& zone = apexes()[i].name;
    if (labels < zone.labels) continue;
    const auto tail = name.subspan(offset[labels - zone.labels]);
    if (tail.size() == zone.length && std::equal(tail.begin(), tail.end(), zone.octets.begin())) return &zones[i];
  }
  return nullptr;
}

Outcome answer_special(const SpecialZone& zone, const wire::Query& query, wire::Transport transport,
                       std::span<std::uint8_t> buffer, const Onward& onward) noexcept {
  const bool aliased = onward.links > 0;
  const auto name = aliased ? onward.name() : query.qname();
  const Apex& apex = apexes()[static_cast<std::size_t>(&zone - zones)];
  if (query.klass != wire::class_in)
    return {Verdict::reply,
            wire::write_error(buffer, query, wire::Rcode::refused, wire::ExtendedError::not_authoritative)};
  if (query.type == wire::type::axfr || query.type == wire::type::ixfr)
    return {Verdict::reply, wire::write_error(buffer, query, wire::Rcode::refused, wire::ExtendedError::prohibited)};
  const std::size_t name_at = aliased ? onward.target_at : wire::header_size;
  Reply reply = open_reply(query, transport, buffer, aliased ? onward.end : wire::header_size + query.question_length,
                           ttl, wire::ExtendedError::none);
  reply.answers = aliased ? onward.links : 0;
  reply.owner = pointer_to(name_at);
  reply.apex_at = name_at + name.size() - apex.name.length;
  const std::uint16_t before = reply.answers;
  const auto asks = [&](std::uint16_t type) { return query.type == type || query.type == wire::type::any; };
  const bool is_apex = name.size() == apex.name.length;
  const bool pointed = zone.holds == Holds::pointer && is_loopback(name, apex);
  if (is_apex && query.type == wire::type::soa) {
    reply.soa(apex, serial, reply.answers);
  } else if (zone.holds == Holds::addresses) {
    if (asks(wire::type::a)) reply.answer(wire::type::a, ttl, loopback_v4);
    if (asks(wire::type::aaaa)) reply.answer(wire::type::aaaa, ttl, loopback_v6);
  } else if (pointed && asks(wire::type::ptr)) {
    reply.answer(wire::type::ptr, ttl, localhost);
  }
  if (reply.answers == before && !reply.truncated) {
    const bool exists = is_apex || pointed || zone.holds == Holds::addresses;
    if (!exists) reply.rcode = wire::Rcode::nxdomain;
    reply.soa(apex, serial, reply.authority);
  }
  return {Verdict::reply, finish(reply, query, wire::ExtendedError::none)};
}

} // namespace signpost::zone
