// The rules of Leases: validation.
// Pure functions, any thread.
#pragma once

#include "discovery/model/lease.hpp"
#include "discovery/registry/field_errors.hpp"

namespace signpost::registry {

/// Clears the fields of coordinated election, which nothing here carries out.
void drop_coordination(model::Lease& lease);
void check_lease(const model::Lease& lease, FieldErrors& errors);
void check_lease_update(const model::Lease& lease, const model::Lease& current, FieldErrors& errors);

} // namespace signpost::registry
