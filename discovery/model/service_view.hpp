// A service as its readers need it: joined with its endpoints, parsed, nothing else. The catalog makes it, the zone
// compiles it, the environment and the client read it.
//
// Plain values, no reference into the catalog. Only what DNS, the variables and clients use is kept.
#pragma once

#include <boost/container/small_vector.hpp>
#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "discovery/model/address.hpp"

namespace signpost::model {

struct ServiceKey {
  std::string name_space;
  std::string name;
  auto operator<=>(const ServiceKey&) const = default;
};

enum class Protocol : std::uint8_t { tcp, udp, sctp };

struct PortView {
  std::string name; // empty: unnamed, has no _port._proto record
  Protocol protocol = Protocol::tcp;
  std::uint16_t number = 0; // service port for VIPs, endpoint port for headless groups
  bool operator==(const PortView&) const = default;
};

struct EndpointView {
  boost::container::small_vector<Address, 1> addresses; // of the group's family, at least one, rarely more
  std::string hostname;                                 // the endpoint's own; empty: none was given
  bool ready = true;                                    // conditions.ready absent counts as ready
  bool operator==(const EndpointView&) const = default;
};

/// One EndpointSlice's worth: endpoints that share ports.
struct EndpointGroup {
  std::vector<PortView> ports;
  std::vector<EndpointView> endpoints;
  bool operator==(const EndpointGroup&) const = default;
};

struct ServiceView {
  enum class Form : std::uint8_t { cluster_ip, headless, external_name };
  ServiceKey key;
  Form form = Form::cluster_ip;
  std::vector<Address> cluster_ips;  // cluster_ip only; primary first. May be empty (not yet allocated)
  std::vector<PortView> ports;       // the service's own, in order
  std::string external_name;         // external_name only, as written; may end in a dot
  bool publish_not_ready = false;    // not-ready endpoints count as ready
  std::vector<EndpointGroup> groups; // from all slices, ordered by slice name; FQDN slices are left out
  bool operator==(const ServiceView&) const = default;
};

} // namespace signpost::model
