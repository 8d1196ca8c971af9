// Names that belong to nobody (RFC 6761, 7686, 8375) and addresses whose reverse names nobody but the host or the site
// has (RFC 6303): answered here, so that they never leave.
//
//   localhost, below it         127.0.0.1 and ::1, no other records
//   invalid onion               NXDOMAIN
//   test                        NXDOMAIN, but where only servers of this machine are asked: that is testing, and such names
//                               are for that (RFC 6761 6.2)
//   home.arpa                   NXDOMAIN below it
//   reverse names of loopback   localhost for the address itself, else NXDOMAIN
//   … of 0/8, link-local, 255.255.255.255 and, where that is wanted, private addresses: NXDOMAIN
//
// Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "zone/authority/authority.hpp"

namespace signpost::zone {

struct SpecialZone {
  enum class Holds : std::uint8_t { nothing, addresses, pointer };

  std::string_view name; // text without trailing dot
  Holds holds = Holds::nothing;
  bool is_private = false; // of addresses that a site may have names for
  bool is_testing = false; // of names that a server of this machine may have
};

/// All of them.
[[nodiscard]] std::span<const SpecialZone> special_zones() noexcept;

/// The special zone that a name (wire form, lower case) is in, private ones among them; null: it is in none.
[[nodiscard]] const SpecialZone* find_special(std::span<const std::uint8_t> name) noexcept;

/// Answers a query for a name in this zone: the query's own, or with links in `onward` the one these lead to, behind
/// what is in the message already. `zone` is one of special_zones().
[[nodiscard]] Outcome answer_special(const SpecialZone& zone, const wire::Query& query, wire::Transport transport,
                                     std::span<std::uint8_t> buffer, const Onward& onward) noexcept;

} // namespace signpost::zone
