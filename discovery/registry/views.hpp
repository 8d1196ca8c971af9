// Objects that are computed from others when they are read: Endpoints from the EndpointSlices of a service, unless
// somebody wrote them, IPAddresses from the claims of addresses.
// Pure functions, any thread.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "discovery/model/endpoint_slice.hpp"
#include "discovery/model/endpoints.hpp"
#include "discovery/model/service_view.hpp"
#include "discovery/registry/registry.hpp"

namespace signpost::registry {

/// The slices of one service, by name, each with the revision of its last change.
struct SliceOfService {
  model::EndpointSlice slice;
  store::Revision modified = 0;
};
using SlicesOfService = std::map<std::string, SliceOfService, std::less<>>;

/// The service that a stored slice belongs to, read from its text without parsing all of it; empty: none.
[[nodiscard]] std::string service_of_slice(const std::string& text);

/// Same name as the service. Slices that share ports share a subset; FQDN slices are left out. Not empty: at least one
/// slice.
[[nodiscard]] model::Endpoints mirror_endpoints(const model::ServiceKey& service, const SlicesOfService& slices);
/// The view as stored text; its revision is that of the newest slice.
[[nodiscard]] Stored endpoints_view(const model::ServiceKey& service, const SlicesOfService& slices);

/// From a claim's key and value; nullopt: not a claim of an address.
[[nodiscard]] std::optional<store::Value> address_view(std::string_view key, const std::string& value);

} // namespace signpost::registry
