#include <algorithm>
#include <set>
#include <utility>

#include "discovery/registry/metadata_rules.hpp"
#include "discovery/registry/service_rules.hpp"

namespace signpost::registry {
namespace {

using model::Service;
using model::ServicePort;
using model::ServiceSpec;

constexpr std::string_view source_ranges_annotation = "service.beta.kubernetes.io/load-balancer-source-ranges";
constexpr std::string_view only_load_balancer = "may only be used when `type` is 'LoadBalancer'";

template <class Text>
void complain(FieldErrors& errors, const std::string& field, const Text& value, const Complaints& complaints) {
  for (const std::string& complaint : complaints) errors.invalid_text(field, value, complaint);
}

std::string annotation_field(std::string_view key) { return "metadata.annotations[" + std::string(key) + "]"; }

void check_topology_annotations(const Service& service, FieldErrors& errors) {
  constexpr const char* hints_key = "service.kubernetes.io/topology-aware-hints";
  constexpr const char* mode_key = "service.kubernetes.io/topology-mode";
  const auto& annotations = service.metadata.annotations;
  const auto hints = annotations.find(hints_key);
  const auto mode = annotations.find(mode_key);
  if (hints == annotations.end() || mode == annotations.end() || hints->second == mode->second) return;
  errors.invalid_text(annotation_field(mode_key), mode->second,
                      std::string("must match annotations[") + hints_key + "] when both are specified");
}

void check_type(const Service& service, FieldErrors& errors) {
  const ServiceSpec& spec = service.spec;
  if (needs_node_port(service)) {
    if (is_headless(service)) {
      errors.invalid_text("spec.clusterIPs[0]", headless, "may not be set to 'None' for " + spec.type + " services");
    }
  } else if (spec.type == "ExternalName") {
    constexpr std::string_view why = "may not be set for ExternalName services";
    if (!spec.cluster_ips.empty()) errors.forbidden("spec.clusterIPs", why);
    if (!spec.ip_families.empty()) errors.forbidden("spec.ipFamilies", why);
    if (spec.ip_family_policy) errors.forbidden("spec.ipFamilyPolicy", why);
    std::string_view name = spec.external_name;
    if (!name.empty() && name.back() == '.') name.remove_suffix(1);
    if (name.empty()) {
      errors.required("spec.externalName");
    } else {
      complain(errors, "spec.externalName", name, check_dns1123_subdomain(name));
    }
  }
}

void check_port(const ServicePort& port, std::size_t i, bool needs_name, std::set<std::string_view>& names,
                FieldErrors& errors) {
  const auto at = [i](std::string_view child) { return item("spec.ports", i, child); };
  if (port.name.empty()) {
    if (needs_name) errors.required(at("name"));
  } else {
    complain(errors, at("name"), port.name, check_dns1123_label(port.name));
    if (!names.insert(port.name).second) errors.duplicate(at("name"), quoted(port.name));
  }
  if (!is_port(port.port)) errors.invalid(at("port"), std::to_string(port.port), port_complaint);
  if (port.protocol != "TCP" && port.protocol != "UDP" && port.protocol != "SCTP") {
    errors.unsupported(at("protocol"), port.protocol, {"SCTP", "TCP", "UDP"});
  }
  if (port.target_port) {
    if (const auto* number = std::get_if<std::int32_t>(&port.target_port->value)) {
      if (!is_port(*number)) errors.invalid(at("targetPort"), std::to_string(*number), port_complaint);
    } else {
      const std::string& name = std::get<std::string>(port.target_port->value);
      complain(errors, at("targetPort"), name, check_port_name(name));
    }
  }
  if (port.app_protocol) {
    complain(errors, at("appProtocol"), *port.app_protocol, check_qualified_name(*port.app_protocol));
  }
}

void check_affinity(const ServiceSpec& spec, FieldErrors& errors) {
  if (spec.session_affinity.empty()) {
    errors.required("spec.sessionAffinity");
  } else if (spec.session_affinity != "ClientIP" && spec.session_affinity != "None") {
    errors.unsupported("spec.sessionAffinity", spec.session_affinity, {"ClientIP", "None"});
  }
  if (spec.session_affinity != "ClientIP") return;
  const auto& config = spec.session_affinity_config;
  if (!config || !config->client_ip || !config->client_ip->timeout_seconds) {
    errors.required("spec.sessionAffinityConfig", "when session affinity type is ClientIP");
  } else if (const std::int32_t seconds = *config->client_ip->timeout_seconds; seconds <= 0 || seconds > 86400) {
    errors.invalid("spec.sessionAffinityConfig.clientIP.timeoutSeconds", std::to_string(seconds),
                   "must be greater than 0 and less than 86400");
  }
}

void check_external_ips(const ServiceSpec& spec, FieldErrors& errors) {
  for (std::size_t i = 0; i < spec.external_ips.size(); ++i) {
    const std::string& text = spec.external_ips[i];
    const auto address = model::read_address(text);
    const std::string_view complaint =
        address ? special_address_complaint(*address) : "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
    if (!complaint.empty()) errors.invalid_text(item("spec.externalIPs", i), text, complaint);
  }
}

std::string go_port(std::string_view protocol, std::int32_t port) {
  return "{\"Name\":\"\",\"Protocol\":" + quoted(protocol) + ",\"AppProtocol\":null,\"Port\":" + std::to_string(port) +
         ",\"TargetPort\":0,\"NodePort\":0}";
}

void check_port_duplicates(const ServiceSpec& spec, FieldErrors& errors) {
  if (spec.type == "ClusterIP") {
    for (std::size_t i = 0; i < spec.ports.size(); ++i) {
      if (spec.ports[i].node_port != 0) {
        errors.forbidden(item("spec.ports", i, "nodePort"), "may not be used when `type` is 'ClusterIP'");
      }
    }
  }
  if (spec.ports.size() < 2) return;
  std::set<std::pair<std::string_view, std::int32_t>> node_ports, ports;
  for (std::size_t i = 0; i < spec.ports.size(); ++i) {
    const ServicePort& port = spec.ports[i];
    if (port.node_port != 0 && !node_ports.emplace(port.protocol, port.node_port).second) {
      errors.duplicate(item("spec.ports", i, "nodePort"), std::to_string(port.node_port));
    }
  }
  for (std::size_t i = 0; i < spec.ports.size(); ++i) {
    const ServicePort& port = spec.ports[i];
    if (!ports.emplace(port.protocol, port.port).second) {
      errors.duplicate(item("spec.ports", i), go_port(port.protocol, port.port));
    }
  }
}

std::string_view trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1);
}

void check_source_range(std::string_view text, const std::string& field, FieldErrors& errors) {
  if (is_prefix_text(text)) return;
  errors.invalid_text(field, text, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
}

void check_source_ranges(const Service& service, FieldErrors& errors) {
  const ServiceSpec& spec = service.spec;
  const bool balanced = spec.type == "LoadBalancer";
  if (!spec.load_balancer_source_ranges.empty()) {
    const std::string field = "spec.LoadBalancerSourceRanges";
    if (!balanced) errors.forbidden(field, only_load_balancer);
    for (std::size_t i = 0; i < spec.load_balancer_source_ranges.size(); ++i) {
      check_source_range(trimmed(spec.load_balancer_source_ranges[i]), item(field, i), errors);
    }
    return;
  }
  const auto found = service.metadata.annotations.find(std::string(source_ranges_annotation));
  if (found == service.metadata.annotations.end()) return;
  const std::string field = annotation_field(source_ranges_annotation);
  if (!balanced) errors.forbidden(field, only_load_balancer);
  std::string_view rest = trimmed(found->second);
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    check_source_range(trimmed(rest.substr(0, comma)), field, errors);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
}

void check_load_balancer(const Service& service, FieldErrors& errors) {
  const ServiceSpec& spec = service.spec;
  check_source_ranges(service, errors);
  if (spec.type != "LoadBalancer") {
    if (spec.allocate_load_balancer_node_ports) {
      errors.forbidden("spec.allocateLoadBalancerNodePorts", only_load_balancer);
    }
    if (spec.load_balancer_class) errors.forbidden("spec.loadBalancerClass", only_load_balancer);
  } else if (spec.load_balancer_class) {
    complain(errors, "spec.loadBalancerClass", *spec.load_balancer_class,
             check_qualified_name(*spec.load_balancer_class));
  }
}

void check_traffic(const Service& service, FieldErrors& errors) {
  const ServiceSpec& spec = service.spec;
  const std::string& external = spec.external_traffic_policy;
  if (!is_externally_accessible(service)) {
    if (!external.empty()) {
      errors.invalid_text("spec.externalTrafficPolicy", external, "may only be set for externally-accessible services");
    }
  } else if (external.empty()) {
    errors.required("spec.externalTrafficPolicy");
  } else if (external != "Cluster" && external != "Local") {
    errors.unsupported("spec.externalTrafficPolicy", external, {"Cluster", "Local"});
  }
  if (!needs_health_check_port(service)) {
    if (spec.health_check_node_port != 0) {
      errors.invalid("spec.healthCheckNodePort", std::to_string(spec.health_check_node_port),
                     "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'");
    }
  } else if (!is_port(spec.health_check_node_port)) {
    errors.invalid("spec.healthCheckNodePort", std::to_string(spec.health_check_node_port), port_complaint);
  }
  if (const auto& internal = spec.internal_traffic_policy; internal && *internal != "Cluster" && *internal != "Local") {
    errors.unsupported("spec.internalTrafficPolicy", *internal, {"Cluster", "Local"});
  }
  if (const auto& distribution = spec.traffic_distribution; distribution && *distribution != "PreferClose" &&
                                                            *distribution != "PreferSameZone" &&
                                                            *distribution != "PreferSameNode") {
    errors.unsupported("spec.trafficDistribution", *distribution, {"PreferClose", "PreferSameZone", "PreferSameNode"});
  }
}

} // namespace

void check_service(const Service& service, FieldErrors& errors) {
  const ServiceSpec& spec = service.spec;
  check_metadata(service.metadata, check_dns1035_label, errors);
  check_topology_annotations(service, errors);
  if (spec.ports.empty() && !is_headless(service) && spec.type != "ExternalName") errors.required("spec.ports");
  check_type(service, errors);
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < spec.ports.size(); ++i) {
    check_port(spec.ports[i], i, spec.ports.size() > 1, names, errors);
  }
  check_labels(spec.selector, "spec.selector", errors);
  check_affinity(spec, errors);
  check_cluster_ip_fields(service, errors);
  check_external_ips(spec, errors);
  if (spec.type != "ClusterIP" && spec.type != "ExternalName" && !needs_node_port(service)) {
    errors.unsupported("spec.type", spec.type, {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"});
  }
  check_port_duplicates(spec, errors);
  check_load_balancer(service, errors);
  check_traffic(service, errors);
}

} // namespace signpost::registry
