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

/// The service that a slice belongs to; empty: none.
[[nodiscard]] std::string service_of_slice(const model::EndpointSlice& slice);
/// false: the stored text is certainly no slice of a service (of this one, if one is named), and need not be parsed.
/// What it belongs to only its labels say.
[[nodiscard]] bool may_belong_to_service(const std::string& text, std::string_view only = {});

/// Same name as the service. Slices that share ports share a subset; FQDN slices are left out. Not empty: at least one
/// slice.
[[nodiscard]] model::Endpoints mirror_endpoints(const model::ServiceKey& service, const SlicesOfService& slices);
/// The view as stored text; its revision is that of the newest slice.
[[nodiscard]] Stored endpoints_view(const model::ServiceKey& service, const SlicesOfService& slices);

inline constexpr const char* managed_address_label = "ipaddress.kubernetes.io/managed-by";
inline constexpr const char* managed_address_writer = "ipallocator.k8s.io";

/// Whether the claim is a service's, or of an IPAddress that says so of itself.
[[nodiscard]] bool is_managed_address(const store::Entry& claim);
/// The IPAddress that the claim of an address stands for, from its key and value. nullptr: from none.
[[nodiscard]] store::Value address_text(std::string_view key, const store::Value& value);
/// " (held by service default/web)", of an address's claim; empty: of another one's.
[[nodiscard]] std::string holder_text(std::string_view key, const std::string& value);

} // namespace signpost::registry
