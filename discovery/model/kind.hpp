// The kinds of object there are, and what the API calls them. One table; discovery documents, routes, storage keys,
// error texts and manifests all read it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "discovery/model/endpoint_slice.hpp"
#include "discovery/model/endpoints.hpp"
#include "discovery/model/event.hpp"
#include "discovery/model/lease.hpp"
#include "discovery/model/namespace.hpp"
#include "discovery/model/node.hpp"
#include "discovery/model/pod.hpp"
#include "discovery/model/service.hpp"
#include "discovery/model/service_cidr.hpp"

namespace signpost::model {

/// The order is that of Object's alternatives.
enum class Kind : std::uint8_t {
  name_space,
  service,
  endpoint_slice,
  endpoints,
  service_cidr,
  ip_address,
  lease,
  event,
  group_event, // the same stored objects as `event`, in the words of events.k8s.io
  pod,
  node,
};

/// Any stored object; index() is its Kind.
using Object = std::variant<Namespace, Service, EndpointSlice, Endpoints, ServiceCidr, IpAddress, Lease, Event,
                            GroupEvent, Pod, Node>;

struct KindInfo {
  Kind kind;
  std::string_view name;        // "Service"
  std::string_view group;       // "" (core), "discovery.k8s.io", "networking.k8s.io"
  std::string_view version;     // "v1"
  std::string_view plural;      // "services"
  std::string_view singular;    // "service"
  std::string_view short_names; // comma-separated: "svc"; empty: none
  std::string_view categories;  // comma-separated: "all"; empty: none
  bool namespaced;

  /// "v1" or "discovery.k8s.io/v1".
  [[nodiscard]] std::string_view api_version() const;
  /// "services" or "servicecidrs.networking.k8s.io", as in details.kind and not-found texts of non-core groups.
  [[nodiscard]] std::string_view qualified_resource() const;
};

[[nodiscard]] std::span<const KindInfo> kinds();
[[nodiscard]] const KindInfo& info(Kind kind);
/// By apiVersion ("v1", "discovery.k8s.io/v1") and kind name; nullptr: not one of ours.
[[nodiscard]] const KindInfo* find_kind(std::string_view api_version, std::string_view name);

[[nodiscard]] inline Kind kind_of(const Object& object) { return static_cast<Kind>(object.index()); }
[[nodiscard]] const ObjectMeta& metadata(const Object& object);
[[nodiscard]] ObjectMeta& metadata(Object& object);

} // namespace signpost::model
