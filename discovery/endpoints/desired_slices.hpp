// What the EndpointSlices of a service should hold together, before it is known which slice holds what.
//
// Two writers of the ecosystem are here, under the names that they have there, so that every reader knows the slices
// for what they are: one turns the Pods that a Service selects into endpoints, the other mirrors an Endpoints object
// that somebody wrote for a Service without a selector (kubernetes.io "EndpointSlices": Management, Mirroring).
// Pure functions, any thread.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "discovery/endpoints/pod_facts.hpp"
#include "discovery/model/endpoint_slice.hpp"
#include "discovery/model/endpoints.hpp"
#include "discovery/model/service.hpp"

namespace signpost::endpoints {

inline constexpr const char* managed_by_label = "endpointslice.kubernetes.io/managed-by";
inline constexpr const char* selecting_writer = "endpointslice-controller.k8s.io";
inline constexpr const char* mirroring_writer = "endpointslicemirroring-controller.k8s.io";

/// Endpoints of one family that share their ports: they may be in one slice.
struct SliceGroup {
  std::string address_type; // IPv4, IPv6
  std::vector<model::EndpointPort> ports;
  std::vector<model::Endpoint> endpoints; // each address once
};

/// A text that is the same for slices of the same type and ports only.
[[nodiscard]] std::string group_identity(std::string_view type, const std::vector<model::EndpointPort>& ports);

struct DesiredSlices {
  std::string name_space;
  std::string name_prefix; // generateName
  std::map<std::string, std::string> labels;
  std::optional<std::map<std::string, std::string>> annotations; // none: leave them alone
  std::vector<model::OwnerReference> owners;
  std::vector<SliceGroup> groups; // none of them empty
};

/// The zone of a node; nullptr: not known.
using ZoneOf = std::function<const std::string*(const std::string& node)>;

/// The Pods that the service selects, one group per family of the service and way its target ports resolve. The Pods
/// are of its namespace; those without an address or that are over are left out.
[[nodiscard]] DesiredSlices select_endpoints(const model::Service& service, std::span<const PodFacts* const> pods,
                                             const ZoneOf& zone_of);

/// Whether an Endpoints object is not for others: it says so itself, or is somebody's lock.
[[nodiscard]] bool wants_no_mirror(const model::ObjectMeta& metadata);

/// At most 1,000 addresses of each subset, as everywhere.
[[nodiscard]] DesiredSlices mirror_slices(const model::Endpoints& endpoints);

} // namespace signpost::endpoints
