// What configuration asks of the machine: its network interfaces with their addresses, and the environment.
//
// A value that is passed in, so that the same text means the same in every test. this_host() is the machine we run on.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "discovery/model/address.hpp"

namespace signpost::server {

struct Interface {
  std::string name;
  std::vector<model::Address> addresses; // without link-local ones, which need a scope to be bound
};

struct Host {
  std::vector<Interface> interfaces;
  std::vector<model::Address> wildcards; // 0.0.0.0 and ::, where the system does not say what it has
  std::function<std::optional<std::string>(const std::string&)> environment; // nullopt: not set

  /// Each once; the wildcards where none are known.
  [[nodiscard]] std::vector<model::Address> addresses() const;
  /// Whether it has or, where none are known, may have this address.
  [[nodiscard]] bool has(const model::Address& address) const;
};

[[nodiscard]] Host this_host();

} // namespace signpost::server
