// Reads names as people write them and says what to ask the servers for.
//
// Cluster names are completed here, from the own namespace and the cluster domain; no search list is ever walked
// (with ndots:5 that turns one lookup into eight packets). Pure functions, any thread.
#pragma once

#include <optional>
#include <string>

#include <signpost/signpost.hpp>

namespace signpost::resolver {

/// What a name is completed with. Both lower case, without a last dot.
struct Home {
  std::string name_space = "default";
  std::string cluster_domain = "cluster.local";
};

/// What one lookup asks.
struct Plan {
  std::string name;       // in full, lower case, without the last dot: the service, or _port._proto.service
  bool srv = false;       // ask SRV for `name`, else addresses
  std::uint16_t port = 0; // given as a number, for every endpoint
  Family family = Family::any;
  std::optional<Address> literal; // the name is an address: nothing to ask
};

/// nullopt: bad_name. Rules, the first that fits: an address; a last dot: absolute; the cluster domain at its end:
/// absolute; ".svc" at its end or ".svc." inside: in the cluster domain; one label: of the own namespace; two labels:
/// service.namespace; more: absolute. Leading labels _port._proto stand for port and protocol.
[[nodiscard]] std::optional<Plan> plan(const Query& query, const Home& home);

/// An IPv4 or IPv6 address as text, without brackets.
[[nodiscard]] std::optional<Address> read_address(std::string_view text);

/// Lower-cased, last dot removed. nullopt: a label is empty or over 63 octets, the whole over 253, or a character can
/// not stand in a host or service name (letters, digits, '-', '_' can).
[[nodiscard]] std::optional<std::string> canonical_name(std::string_view name);

} // namespace signpost::resolver
