// An EndpointSlice (discovery.k8s.io/v1): some of a service's endpoints, all of one address family. Plain data.
//
// The label kubernetes.io/service-name ties a slice to its service; a service has any number of slices, and readers
// merge and de-duplicate them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "discovery/model/object_meta.hpp"

namespace signpost::model {

inline constexpr const char* service_name_label = "kubernetes.io/service-name";

struct EndpointConditions {
  std::optional<bool> ready; // absent counts as ready
  std::optional<bool> serving;
  std::optional<bool> terminating;
  bool operator==(const EndpointConditions&) const = default;
};

struct ForZone {
  std::string name;
  bool operator==(const ForZone&) const = default;
};

struct ForNode {
  std::string name;
  bool operator==(const ForNode&) const = default;
};

struct EndpointHints {
  std::vector<ForZone> for_zones;
  std::vector<ForNode> for_nodes;
  bool operator==(const EndpointHints&) const = default;
};

struct Endpoint {
  std::vector<std::string> addresses; // 1…100, of the slice's family
  EndpointConditions conditions;
  std::optional<std::string> hostname;
  std::optional<ObjectReference> target_ref;
  std::map<std::string, std::string> deprecated_topology;
  std::optional<std::string> node_name;
  std::optional<std::string> zone;
  std::optional<EndpointHints> hints;
  bool operator==(const Endpoint&) const = default;
};

struct EndpointPort {
  std::optional<std::string> name;
  std::optional<std::string> protocol;
  std::optional<std::int32_t> port;
  std::optional<std::string> app_protocol;
  bool operator==(const EndpointPort&) const = default;
};

struct EndpointSlice {
  ObjectMeta metadata;
  std::string address_type; // IPv4, IPv6, FQDN
  std::vector<Endpoint> endpoints;
  std::vector<EndpointPort> ports;
  bool operator==(const EndpointSlice&) const = default;
};

} // namespace signpost::model
