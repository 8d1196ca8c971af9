// Endpoints (core/v1), the older form of a service's endpoints: written by some, computed from EndpointSlices for the rest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "discovery/model/object_meta.hpp"

namespace signpost::model {

struct EndpointsAddress {
  std::string ip;
  std::string hostname;
  std::optional<std::string> node_name;
  std::optional<ObjectReference> target_ref;
  bool operator==(const EndpointsAddress&) const = default;
};

struct EndpointsPort {
  std::string name;
  std::int32_t port = 0;
  std::string protocol;
  std::optional<std::string> app_protocol;
  bool operator==(const EndpointsPort&) const = default;
};

struct EndpointSubset {
  std::vector<EndpointsAddress> addresses; // ready
  std::vector<EndpointsAddress> not_ready_addresses;
  std::vector<EndpointsPort> ports;
  bool operator==(const EndpointSubset&) const = default;
};

struct Endpoints {
  ObjectMeta metadata;
  std::vector<EndpointSubset> subsets;
  bool operator==(const Endpoints&) const = default;
};

} // namespace signpost::model
