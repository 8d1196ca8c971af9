#include "discovery/registry/metadata_rules.hpp"
#include "discovery/registry/service_rules.hpp"

namespace signpost::registry {
namespace {

using model::Service;

constexpr std::string_view once = "may not change once set";
constexpr const char* first_address = "spec.clusterIPs[0]";
constexpr const char* first_family = "spec.ipFamilies[0]";

void check_addresses_update(const Service& service, const Service& current, FieldErrors& errors) {
  if (is_headless(service) && is_headless(current)) return;
  const auto& now = service.spec.cluster_ips;
  const auto& before = current.spec.cluster_ips;
  if (now.size() == before.size()) {
    for (std::size_t i = 0; i < now.size(); ++i) {
      if (now[i] != before[i]) errors.invalid(item("spec.clusterIPs", i), quoted(now), once);
    }
    return;
  }
  if (now.empty()) {
    errors.invalid(first_address, quoted(now), "primary clusterIP can not be unset");
  } else if (!before.empty() && now.front() != before.front()) {
    errors.invalid(first_address, quoted(now), once);
  }
  if (now.size() == 1 && before.size() > 1 && service.spec.ip_family_policy != "SingleStack") {
    errors.invalid_text("spec.ipFamilyPolicy", service.spec.ip_family_policy.value_or(""),
                        "must be set to 'SingleStack' when releasing the secondary clusterIP");
  }
}

void check_families_update(const Service& service, const Service& current, FieldErrors& errors) {
  if (is_headless(service) || is_headless(current)) return;
  const auto& now = service.spec.ip_families;
  const auto& before = current.spec.ip_families;
  if (now.size() == before.size()) {
    for (std::size_t i = 0; i < now.size(); ++i) {
      if (now[i] != before[i]) errors.invalid(first_family, quoted(now), once);
    }
    return;
  }
  if (now.empty()) {
    errors.invalid(first_family, quoted(now), "primary ipFamily can not be unset");
  } else if (!before.empty() && now.front() != before.front()) {
    errors.invalid(first_family, quoted(service.spec.cluster_ips), once); // the addresses are shown here
  }
  if (now.size() == 1 && before.size() > 1 && service.spec.ip_family_policy != "SingleStack") {
    errors.invalid_text("spec.ipFamilyPolicy", service.spec.ip_family_policy.value_or(""),
                        "must be set to 'SingleStack' when releasing the secondary ipFamily");
  }
}

} // namespace

void check_service_update(const Service& service, const Service& current, FieldErrors& errors) {
  check_metadata_update(service.metadata, current.metadata, errors);
  if (needs_cluster_ip(service) && needs_cluster_ip(current)) {
    check_addresses_update(service, current, errors);
    check_families_update(service, current, errors);
  }
  if (service.spec.type == "LoadBalancer" && current.spec.type == "LoadBalancer" &&
      service.spec.load_balancer_class != current.spec.load_balancer_class) {
    const auto& wanted = service.spec.load_balancer_class;
    errors.invalid("spec.loadBalancerClass", wanted ? quoted(*wanted) : "null", once);
  }
  if (needs_health_check_port(service) && needs_health_check_port(current) &&
      service.spec.health_check_node_port != current.spec.health_check_node_port) {
    errors.forbidden("spec.healthCheckNodePort", "field is immutable");
  }
  check_service(service, errors);
}

void check_service_status(const Service& service, FieldErrors& errors) {
  const auto& ingress = service.status.load_balancer.ingress;
  const std::string list = "status.loadBalancer.ingress";
  if (service.spec.type != "LoadBalancer" && !ingress.empty()) {
    errors.forbidden(list, "may only be used when `spec.type` is LoadBalancer");
    return;
  }
  for (std::size_t i = 0; i < ingress.size(); ++i) {
    const model::LoadBalancerIngress& one = ingress[i];
    if (!one.ip.empty() && !model::read_address(one.ip)) {
      errors.invalid_text(item(list, i, "ip"), one.ip, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    }
    if (one.ip.empty() && one.ip_mode) {
      errors.forbidden(item(list, i, "ipMode"), "may not be specified when `ip` is not set");
    } else if (one.ip_mode && *one.ip_mode != "VIP" && *one.ip_mode != "Proxy") {
      errors.unsupported(item(list, i, "ipMode"), *one.ip_mode, {"Proxy", "VIP"});
    }
    if (one.hostname.empty()) continue;
    for (const std::string& complaint : check_dns1123_subdomain(one.hostname)) {
      errors.invalid_text(item(list, i, "hostname"), one.hostname, complaint);
    }
    if (model::read_address(one.hostname)) {
      errors.invalid_text(item(list, i, "hostname"), one.hostname, "must be a DNS name, not an IP address");
    }
  }
}

} // namespace signpost::registry
