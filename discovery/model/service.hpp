// A Service (core/v1): a name, ports, and how its address is got. Plain data, field for field as the API has it.
//
// An empty string or container is an absent field, as in the Go API; std::optional marks the fields that are pointers
// there (absent and zero differ).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "discovery/model/object_meta.hpp"

namespace signpost::model {

/// A number or a port name. Default: the number 0.
struct IntOrString {
  std::variant<std::int32_t, std::string> value = std::int32_t{0};
  bool operator==(const IntOrString&) const = default;
};

struct ServicePort {
  std::string name;
  std::string protocol; // TCP, UDP, SCTP; empty before defaulting
  std::optional<std::string> app_protocol;
  std::int32_t port = 0;
  std::optional<IntOrString> target_port;
  std::int32_t node_port = 0; // 0: none
  bool operator==(const ServicePort&) const = default;
};

struct ClientIpConfig {
  std::optional<std::int32_t> timeout_seconds;
  bool operator==(const ClientIpConfig&) const = default;
};

struct SessionAffinityConfig {
  std::optional<ClientIpConfig> client_ip;
  bool operator==(const SessionAffinityConfig&) const = default;
};

struct ServiceSpec {
  std::vector<ServicePort> ports;
  std::map<std::string, std::string> selector;
  std::string cluster_ip; // mirrors cluster_ips[0]; "None": headless
  std::vector<std::string> cluster_ips;
  std::string type; // ClusterIP, NodePort, LoadBalancer, ExternalName
  std::vector<std::string> external_ips;
  std::string session_affinity;
  std::string load_balancer_ip;
  std::vector<std::string> load_balancer_source_ranges;
  std::string external_name;
  std::string external_traffic_policy;
  std::int32_t health_check_node_port = 0;
  bool publish_not_ready_addresses = false;
  std::optional<SessionAffinityConfig> session_affinity_config;
  std::vector<std::string> ip_families; // IPv4, IPv6; primary first
  std::optional<std::string> ip_family_policy;
  std::optional<bool> allocate_load_balancer_node_ports;
  std::optional<std::string> load_balancer_class;
  std::optional<std::string> internal_traffic_policy;
  std::optional<std::string> traffic_distribution;
  bool operator==(const ServiceSpec&) const = default;
};

struct PortStatus {
  std::int32_t port = 0;
  std::string protocol;
  std::optional<std::string> error;
  bool operator==(const PortStatus&) const = default;
};

struct LoadBalancerIngress {
  std::string ip;
  std::string hostname;
  std::optional<std::string> ip_mode;
  std::vector<PortStatus> ports;
  bool operator==(const LoadBalancerIngress&) const = default;
};

struct LoadBalancerStatus {
  std::vector<LoadBalancerIngress> ingress;
  bool operator==(const LoadBalancerStatus&) const = default;
};

struct ServiceStatus {
  LoadBalancerStatus load_balancer;
  std::vector<Condition> conditions;
  bool operator==(const ServiceStatus&) const = default;
};

struct Service {
  ObjectMeta metadata;
  ServiceSpec spec;
  ServiceStatus status;
  bool operator==(const Service&) const = default;
};

} // namespace signpost::model
