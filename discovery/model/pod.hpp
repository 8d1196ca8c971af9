// Pod (core/v1): what DNS and the endpoints of a service need of it; the rest is kept unread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "discovery/model/object_meta.hpp"
#include "discovery/model/other_members.hpp"

namespace signpost::model {

struct ContainerPort {
  std::string name;
  std::int32_t host_port = 0;
  std::int32_t container_port = 0;
  std::string protocol;
  std::string host_ip;
  bool operator==(const ContainerPort&) const = default;
};

struct Container {
  std::string name;
  std::vector<ContainerPort> ports;
  OtherMembers others;
  bool operator==(const Container&) const = default;
};

struct PodSpec {
  std::vector<Container> init_containers;
  std::vector<Container> containers;
  std::string node_name;
  bool host_network = false;
  std::string hostname;  // its label below the service's name in DNS …
  std::string subdomain; // … of the headless service of this name
  OtherMembers others;
  bool operator==(const PodSpec&) const = default;
};

/// Of a Pod or a Node.
struct StatusCondition {
  std::string type;
  std::string status; // True, False, Unknown
  OtherMembers others;
  bool operator==(const StatusCondition&) const = default;
};

struct PodIp {
  std::string ip;
  bool operator==(const PodIp&) const = default;
};

struct ContainerStatus {
  std::string name;
  bool ready = false;
  std::int32_t restart_count = 0;
  OtherMembers others;
  bool operator==(const ContainerStatus&) const = default;
};

struct PodStatus {
  std::string phase; // Pending, Running, Succeeded, Failed, Unknown
  std::vector<StatusCondition> conditions;
  std::string host_ip;
  std::string pod_ip;         // the first of …
  std::vector<PodIp> pod_ips; // … at most one of each family
  std::vector<ContainerStatus> container_statuses;
  OtherMembers others;
  bool operator==(const PodStatus&) const = default;
};

struct Pod {
  ObjectMeta metadata;
  PodSpec spec;
  PodStatus status;
  bool operator==(const Pod&) const = default;
};

} // namespace signpost::model
