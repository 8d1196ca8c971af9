// An address with the zone in which it means something (RFC 4007 11): "192.0.2.1", "fe80::1%eth0".
//
// A link-local address is one on each interface: without its zone it can be neither asked nor bound. Other addresses
// have none. The zone is kept as it was written and looked up when it is used: interfaces come and go.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "discovery/model/address.hpp"

namespace signpost::server {

struct ScopedAddress {
  model::Address address;
  std::string zone{}; // an interface's name or number; empty: none

  ScopedAddress() = default;
  ScopedAddress(const model::Address& of, std::string in = {}) : address(of), zone(std::move(in)) {}

  /// As model::Address, and behind a link-local address perhaps "%" and a zone. nullopt: anything else.
  [[nodiscard]] static std::optional<ScopedAddress> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  /// Whether it is link-local and says no zone.
  [[nodiscard]] bool lacks_zone() const;

  auto operator<=>(const ScopedAddress&) const = default;
};

/// fe80::/10 (RFC 4291 2.5.6).
[[nodiscard]] bool is_link_local(const model::Address& address);

/// The number of a zone for sin6_scope_id; 0: there is no such interface now, or the zone is empty.
[[nodiscard]] std::uint32_t scope_id(const std::string& zone);

} // namespace signpost::server
