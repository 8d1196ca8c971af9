// The rules of Endpoints, as kube-apiserver has them. Pure functions, any thread.
#pragma once

#include "discovery/model/endpoints.hpp"
#include "discovery/registry/field_errors.hpp"

namespace signpost::registry {

void set_defaults(model::Endpoints& endpoints);
void check_endpoints(const model::Endpoints& endpoints, FieldErrors& errors);
void check_endpoints_update(const model::Endpoints& endpoints, const model::Endpoints& current, FieldErrors& errors);

} // namespace signpost::registry
