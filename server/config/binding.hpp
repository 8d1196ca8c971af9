// Which addresses of a host a server block listens on: what `bind` or `--dns` says, kept as it was said, so that it can
// be asked again when interfaces come and go.
//
// Plain data and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/config/scoped_address.hpp"

namespace signpost::server {

struct Host; // host.hpp

/// Addresses and interfaces of one `bind` line; nothing named: every address of the host.
struct Binding {
  std::vector<ScopedAddress> addresses; // 0.0.0.0 stands for every IPv4 address, :: for every address
  std::vector<std::string> interfaces;  // every address that they have
  std::vector<ScopedAddress> except_addresses;
  std::vector<std::string> except_interfaces;
  std::vector<std::uint16_t> ports;

  /// Whether the answer of addresses_on() changes with the host.
  [[nodiscard]] bool follows() const;
};

/// In the order in which they are named, each once; those written out whether the host has them or not.
[[nodiscard]] std::vector<ScopedAddress> addresses_on(const Binding& binding, const Host& host);

} // namespace signpost::server
