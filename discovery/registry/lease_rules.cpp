#include "discovery/registry/lease_rules.hpp"

#include "discovery/registry/metadata_rules.hpp"

namespace signpost::registry {

void drop_coordination(model::Lease& lease) {
  lease.spec.strategy.reset();
  lease.spec.preferred_holder.reset();
}

void check_lease(const model::Lease& lease, FieldErrors& errors) {
  check_metadata(lease.metadata, check_dns1123_subdomain, errors);
  const model::LeaseSpec& spec = lease.spec;
  if (spec.lease_duration_seconds.value_or(1) <= 0) {
    errors.invalid("spec.leaseDurationSeconds", std::to_string(*spec.lease_duration_seconds), "must be greater than 0");
  }
  if (spec.lease_transitions.value_or(0) < 0) {
    errors.invalid("spec.leaseTransitions", std::to_string(*spec.lease_transitions),
                   "must be greater than or equal to 0");
  }
}

void check_lease_update(const model::Lease& lease, const model::Lease& current, FieldErrors& errors) {
  check_metadata_update(lease.metadata, current.metadata, errors);
  check_lease(lease, errors);
}

} // namespace signpost::registry
