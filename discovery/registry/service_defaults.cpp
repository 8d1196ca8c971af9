#include <algorithm>
#include <map>
#include <set>

#include "discovery/registry/service_rules.hpp"

namespace signpost::registry {

using model::Service;
using model::ServicePort;

bool is_headless(const Service& service) {
  return service.spec.cluster_ips.size() == 1 && service.spec.cluster_ips.front() == headless;
}

bool needs_cluster_ip(const Service& service) { return service.spec.type != "ExternalName"; }

bool needs_node_port(const Service& service) {
  return service.spec.type == "NodePort" || service.spec.type == "LoadBalancer";
}

bool needs_health_check_port(const Service& service) {
  return service.spec.type == "LoadBalancer" && service.spec.external_traffic_policy == "Local";
}

bool allocates_node_ports(const Service& service) {
  return service.spec.type == "NodePort" ||
         (service.spec.type == "LoadBalancer" && service.spec.allocate_load_balancer_node_ports.value_or(true));
}

bool is_externally_accessible(const Service& service) {
  return needs_node_port(service) || (service.spec.type == "ClusterIP" && !service.spec.external_ips.empty());
}

void set_defaults(Service& service) {
  model::ServiceSpec& spec = service.spec;
  if (spec.session_affinity.empty()) spec.session_affinity = "None";
  if (spec.session_affinity == "None") spec.session_affinity_config.reset();
  if (spec.session_affinity == "ClientIP") {
    auto& config = spec.session_affinity_config;
    if (!config || !config->client_ip || !config->client_ip->timeout_seconds) {
      config = model::SessionAffinityConfig{model::ClientIpConfig{10800}};
    }
  }
  if (spec.type.empty()) spec.type = "ClusterIP";
  for (ServicePort& port : spec.ports) {
    if (port.protocol.empty()) port.protocol = "TCP";
    const bool unset = !port.target_port || port.target_port->value == model::IntOrString{0}.value ||
                       port.target_port->value == model::IntOrString{std::string()}.value;
    if (unset) port.target_port = model::IntOrString{port.port};
  }
  if (spec.external_traffic_policy.empty() && is_externally_accessible(service)) {
    spec.external_traffic_policy = "Cluster";
  }
  if (spec.type == "ExternalName") spec.internal_traffic_policy.reset();
  if (!spec.internal_traffic_policy && (spec.type == "ClusterIP" || needs_node_port(service))) {
    spec.internal_traffic_policy = "Cluster";
  }
  if (spec.type == "LoadBalancer" && !spec.allocate_load_balancer_node_ports) {
    spec.allocate_load_balancer_node_ports = true;
  }
  for (model::LoadBalancerIngress& ingress : service.status.load_balancer.ingress) {
    if (spec.type == "LoadBalancer" && !ingress.ip.empty() && !ingress.ip_mode) ingress.ip_mode = "VIP";
  }
}

void mirror_cluster_ips(Service& service) {
  model::ServiceSpec& spec = service.spec;
  if (!spec.cluster_ip.empty() && spec.cluster_ips.empty()) spec.cluster_ips = {spec.cluster_ip};
}

void mirror_cluster_ips(Service& service, const Service& current) {
  model::ServiceSpec& spec = service.spec;
  const model::ServiceSpec& before = current.spec;
  if (spec.cluster_ip == before.cluster_ip) {
    if (spec.cluster_ips.empty()) spec.cluster_ips = before.cluster_ips;
  } else if (spec.cluster_ips == before.cluster_ips || spec.cluster_ips.empty()) {
    spec.cluster_ips.clear();
    if (!spec.cluster_ip.empty()) spec.cluster_ips = {spec.cluster_ip};
  }
}

void take_over_allocations(Service& service, const Service& current) {
  model::ServiceSpec& spec = service.spec;
  const model::ServiceSpec& before = current.spec;
  if (needs_cluster_ip(current) && needs_cluster_ip(service)) {
    if (spec.cluster_ip.empty()) spec.cluster_ip = before.cluster_ip;
    if (spec.cluster_ips.empty() && spec.cluster_ip == before.cluster_ip) spec.cluster_ips = before.cluster_ips;
  }
  if (needs_node_port(current) && allocates_node_ports(service)) {
    std::map<std::string_view, std::int32_t> by_name;
    std::set<std::int32_t> known, used;
    for (const ServicePort& port : before.ports) {
      by_name[port.name] = port.node_port;
      known.insert(port.node_port);
    }
    for (const ServicePort& port : spec.ports) {
      if (port.node_port != 0 && known.contains(port.node_port)) used.insert(port.node_port);
    }
    for (ServicePort& port : spec.ports) {
      if (port.node_port != 0) continue;
      const auto found = by_name.find(port.name);
      if (found == by_name.end() || used.contains(found->second)) continue;
      port.node_port = found->second;
      used.insert(found->second);
    }
  }
  if (needs_health_check_port(current) && needs_health_check_port(service) && spec.health_check_node_port == 0) {
    spec.health_check_node_port = before.health_check_node_port;
  }
}

namespace {

bool has_new_node_ports(const Service& service, const Service& current) {
  return std::any_of(service.spec.ports.begin(), service.spec.ports.end(), [&](const ServicePort& port) {
    return port.node_port != 0 && std::none_of(current.spec.ports.begin(), current.spec.ports.end(),
                                               [&](const ServicePort& old) { return old.node_port == port.node_port; });
  });
}

} // namespace

void drop_type_dependent_fields(Service& service, const Service& current) {
  model::ServiceSpec& spec = service.spec;
  const model::ServiceSpec& before = current.spec;
  if (needs_cluster_ip(current) && !needs_cluster_ip(service)) {
    if (spec.cluster_ip == before.cluster_ip && spec.cluster_ips == before.cluster_ips) {
      spec.cluster_ip.clear();
      spec.cluster_ips.clear();
    }
    if (spec.ip_families == before.ip_families) spec.ip_families.clear();
    if (spec.ip_family_policy == before.ip_family_policy) spec.ip_family_policy.reset();
  }
  if (needs_node_port(current) && !needs_node_port(service) && !has_new_node_ports(service, current)) {
    for (ServicePort& port : spec.ports) port.node_port = 0;
  }
  if (needs_health_check_port(current) && !needs_health_check_port(service) &&
      spec.health_check_node_port == before.health_check_node_port) {
    spec.health_check_node_port = 0;
  }
  if (before.type == "LoadBalancer" && spec.type != "LoadBalancer") {
    if (spec.allocate_load_balancer_node_ports == before.allocate_load_balancer_node_ports) {
      spec.allocate_load_balancer_node_ports.reset();
    }
    if (spec.load_balancer_class == before.load_balancer_class) spec.load_balancer_class.reset();
  }
  if (is_externally_accessible(current) && !is_externally_accessible(service) &&
      spec.external_traffic_policy == before.external_traffic_policy) {
    spec.external_traffic_policy.clear();
  }
  if (spec.type != "LoadBalancer") service.status.load_balancer = {};
}

} // namespace signpost::registry
