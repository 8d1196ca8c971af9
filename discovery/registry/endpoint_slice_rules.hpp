// The rules of EndpointSlices: defaults, validation, what changes the generation.
// Pure functions, any thread.
#pragma once

#include "discovery/model/endpoint_slice.hpp"
#include "discovery/registry/field_errors.hpp"

namespace signpost::registry {

void set_defaults(model::EndpointSlice& slice);
/// deprecatedTopology is of v1beta1; v1 does not write it.
void drop_topology(model::EndpointSlice& slice);
void check_endpoint_slice(const model::EndpointSlice& slice, FieldErrors& errors);
void check_endpoint_slice_update(const model::EndpointSlice& slice, const model::EndpointSlice& current,
                                 FieldErrors& errors);
/// metadata.generation counts changes of endpoints and ports only.
[[nodiscard]] std::int64_t next_generation(const model::EndpointSlice& slice, const model::EndpointSlice& current);

} // namespace signpost::registry
