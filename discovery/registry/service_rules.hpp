// The rules of Services, as kube-apiserver 1.35 has them: defaults, the linked address fields, validation, what an
// update may change. The allocation of addresses and ports is in service_claims.hpp.
//
// The order of a write: defaults, mirror (and, for an update, take over what a client left out), resolve families,
// claims, then, for an update, drop what the new type has no use for, then validation.
// Pure functions, any thread.
#pragma once

#include <span>

#include "discovery/model/address.hpp"
#include "discovery/model/service.hpp"
#include "discovery/registry/field_errors.hpp"

namespace signpost::registry {

inline constexpr std::string_view headless = "None"; // spec.clusterIP of a service without an address

[[nodiscard]] bool is_headless(const model::Service& service);
[[nodiscard]] bool needs_cluster_ip(const model::Service& service);
[[nodiscard]] bool needs_node_port(const model::Service& service);
[[nodiscard]] bool needs_health_check_port(const model::Service& service);
/// NodePort, or LoadBalancer unless allocateLoadBalancerNodePorts is false.
[[nodiscard]] bool allocates_node_ports(const model::Service& service);
/// Nodes or balancers bring traffic from outside: NodePort, LoadBalancer, or external IPs.
[[nodiscard]] bool is_externally_accessible(const model::Service& service);

// service_defaults.cpp
void set_defaults(model::Service& service);
/// spec.clusterIP and spec.clusterIPs[0] are one value: what was set in one is set in the other.
void mirror_cluster_ips(model::Service& service);
void mirror_cluster_ips(model::Service& service, const model::Service& current);
/// A PUT may leave out what was allocated: addresses, node ports (found by port name), health check port.
void take_over_allocations(model::Service& service, const model::Service& current);
/// Clears fields that made sense for the old type only and that the client left as they were.
void drop_type_dependent_fields(model::Service& service, const model::Service& current);

// service_families.cpp
/// Sets ipFamilyPolicy and ipFamilies from the request and the prefixes' families (primary first). `current`: nullptr
/// for a create. Sets no address.
[[nodiscard]] std::vector<Cause> resolve_families(model::Service& service, const model::Service* current,
                                                  std::span<const model::Family> configured);
/// Both were PreferDualStack and nothing about addresses changed: then a changed cluster changes nothing either.
[[nodiscard]] bool keeps_dual_stack_preference(const model::Service& service, const model::Service& current);
void check_cluster_ip_fields(const model::Service& service, FieldErrors& errors);

// service_validation.cpp, service_update.cpp
void check_service(const model::Service& service, FieldErrors& errors);
void check_service_update(const model::Service& service, const model::Service& current, FieldErrors& errors);
void check_service_status(const model::Service& service, FieldErrors& errors);

} // namespace signpost::registry
