#include "discovery/model/kind.hpp"

#include <array>

namespace signpost::model {
namespace {

constexpr std::array<KindInfo, 11> table{{
    {Kind::name_space, "Namespace", "", "v1", "namespaces", "namespace", "ns", "", false},
    {Kind::service, "Service", "", "v1", "services", "service", "svc", "all", true},
    {Kind::endpoint_slice, "EndpointSlice", "discovery.k8s.io", "v1", "endpointslices", "endpointslice", "", "", true},
    {Kind::endpoints, "Endpoints", "", "v1", "endpoints", "endpoints", "ep", "", true},
    {Kind::service_cidr, "ServiceCIDR", "networking.k8s.io", "v1", "servicecidrs", "servicecidr", "", "", false},
    {Kind::ip_address, "IPAddress", "networking.k8s.io", "v1", "ipaddresses", "ipaddress", "ip", "", false},
    {Kind::lease, "Lease", "coordination.k8s.io", "v1", "leases", "lease", "", "", true},
    {Kind::event, "Event", "", "v1", "events", "event", "ev", "", true},
    {Kind::group_event, "Event", "events.k8s.io", "v1", "events", "event", "ev", "", true},
    {Kind::pod, "Pod", "", "v1", "pods", "pod", "po", "all", true},
    {Kind::node, "Node", "", "v1", "nodes", "node", "no", "", false},
}};

struct Names {
  std::string_view api_version;
  std::string_view qualified_resource;
};

constexpr std::array<Names, table.size()> names{{
    {"v1", "namespaces"},
    {"v1", "services"},
    {"discovery.k8s.io/v1", "endpointslices.discovery.k8s.io"},
    {"v1", "endpoints"},
    {"networking.k8s.io/v1", "servicecidrs.networking.k8s.io"},
    {"networking.k8s.io/v1", "ipaddresses.networking.k8s.io"},
    {"coordination.k8s.io/v1", "leases.coordination.k8s.io"},
    {"v1", "events"},
    {"events.k8s.io/v1", "events.events.k8s.io"},
    {"v1", "pods"},
    {"v1", "nodes"},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table[i].kind != static_cast<Kind>(i)) return false;
  }
  return table.size() == std::variant_size_v<Object>;
}
static_assert(in_order(), "one row per alternative of Object, in its order");

} // namespace

std::string_view KindInfo::api_version() const { return names[static_cast<std::size_t>(kind)].api_version; }

std::string_view KindInfo::qualified_resource() const {
  return names[static_cast<std::size_t>(kind)].qualified_resource;
}

std::span<const KindInfo> kinds() { return table; }

const KindInfo& info(Kind kind) { return table[static_cast<std::size_t>(kind)]; }

const KindInfo* find_kind(std::string_view api_version, std::string_view name) {
  for (const auto& row : table) {
    if (row.name == name && row.api_version() == api_version) return &row;
  }
  return nullptr;
}

const ObjectMeta& metadata(const Object& object) {
  return std::visit([](const auto& alternative) -> const ObjectMeta& { return alternative.metadata; }, object);
}

ObjectMeta& metadata(Object& object) {
  return std::visit([](auto& alternative) -> ObjectMeta& { return alternative.metadata; }, object);
}

} // namespace signpost::model
