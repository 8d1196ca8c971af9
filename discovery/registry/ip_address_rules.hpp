// The rules of ServiceCIDRs and IPAddresses, as kube-apiserver has them, but for what it accepts and cannot use.
// Pure functions, any thread.
#pragma once

#include "discovery/model/service_cidr.hpp"
#include "discovery/registry/field_errors.hpp"

namespace signpost::registry {

/// Of a ServiceCIDR: it stays until no address needs it any more.
inline constexpr const char* service_cidr_finalizer = "networking.k8s.io/service-cidr-finalizer";

/// A new one is ready at once, and held by the finalizer.
void prepare_create(model::ServiceCidr& cidr);
/// Clients cannot take the finalizer away.
void prepare_update(model::ServiceCidr& cidr, const model::ServiceCidr& current);
void set_condition(model::ServiceCidr& cidr, bool ready, std::string_view reason, std::string_view message);

void check_service_cidr(const model::ServiceCidr& cidr, FieldErrors& errors);
void check_service_cidr_update(const model::ServiceCidr& cidr, const model::ServiceCidr& current, FieldErrors& errors);

void check_ip_address(const model::IpAddress& address, FieldErrors& errors);
void check_ip_address_update(const model::IpAddress& address, const model::IpAddress& current, FieldErrors& errors);

} // namespace signpost::registry
