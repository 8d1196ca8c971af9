#include "discovery/endpoints/desired_slices.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "discovery/registry/names.hpp"
#include "discovery/registry/service_rules.hpp"

namespace signpost::endpoints {
namespace {

using model::Endpoint;
using model::EndpointPort;
using model::Service;
using model::ServicePort;

constexpr const char* headless_label = "service.kubernetes.io/headless";
constexpr const char* skip_mirror_label = "endpointslice.kubernetes.io/skip-mirror";
constexpr const char* leader_annotation = "control-plane.alpha.kubernetes.io/leader";
constexpr const char* not_mirrored[] = {"kubectl.kubernetes.io/last-applied-configuration",
                                        "endpoints.kubernetes.io/last-change-trigger-time"};
constexpr std::size_t most_mirrored = 1000;

bool is_family(const std::string& address, std::string_view family) {
  return (address.find(':') == std::string::npos) == (family == "IPv4");
}

/// The number behind a service's port on this Pod; nullopt: no container has a port of that name.
std::optional<std::int32_t> target_of(const ServicePort& port, const PodFacts& pod) {
  if (!port.target_port) return port.port;
  if (const auto* number = std::get_if<std::int32_t>(&port.target_port->value)) return *number;
  const std::string& name = std::get<std::string>(port.target_port->value);
  const auto found = std::find_if(pod.ports.begin(), pod.ports.end(), [&](const NamedPort& one) {
    return one.name == name && one.protocol == port.protocol;
  });
  if (found == pod.ports.end()) return std::nullopt;
  return found->number;
}

std::vector<EndpointPort> ports_on(const Service& service, const PodFacts& pod) {
  std::vector<EndpointPort> ports;
  for (const ServicePort& port : service.spec.ports) {
    if (const auto number = target_of(port, pod)) {
      ports.push_back({port.name, port.protocol, *number, port.app_protocol});
    }
  }
  return ports;
}

/// Groups by what they share.
class Groups {
public:
  explicit Groups(std::vector<SliceGroup>& groups) : groups_(groups) {}

  SliceGroup& of(std::string_view type, std::vector<EndpointPort> ports) {
    const auto [place, fresh] = places_.try_emplace(group_identity(type, ports), groups_.size());
    if (fresh) groups_.push_back({std::string(type), std::move(ports), {}});
    return groups_[place->second];
  }

private:
  std::vector<SliceGroup>& groups_;
  std::unordered_map<std::string, std::size_t> places_;
};

Endpoint endpoint_of(const Service& service, const PodFacts& pod, const std::string& address, const ZoneOf& zone_of) {
  Endpoint endpoint;
  endpoint.addresses = {address};
  endpoint.conditions.serving = pod.ready;
  endpoint.conditions.terminating = pod.terminating;
  endpoint.conditions.ready = service.spec.publish_not_ready_addresses || (pod.ready && !pod.terminating);
  if (!pod.hostname.empty() && pod.subdomain == service.metadata.name) endpoint.hostname = pod.hostname;
  endpoint.target_ref = model::ObjectReference{"Pod", service.metadata.name_space, pod.name, pod.uid, {}, {}, {}};
  if (pod.node.empty()) return endpoint;
  endpoint.node_name = pod.node;
  if (const std::string* zone = zone_of(pod.node)) endpoint.zone = *zone;
  // Near first, where the service wants that: the reader goes by the hints alone.
  const std::string wish = service.spec.traffic_distribution.value_or("");
  if (!*endpoint.conditions.ready || !endpoint.zone) return endpoint;
  if (wish == "PreferClose" || wish == "PreferSameZone" || wish == "PreferSameNode") {
    endpoint.hints.emplace().for_zones = {{*endpoint.zone}};
    if (wish == "PreferSameNode") endpoint.hints->for_nodes = {{pod.node}};
  }
  return endpoint;
}

model::OwnerReference owned_by(const char* kind, const model::ObjectMeta& owner) {
  return {"v1", kind, owner.name, owner.uid, true, true};
}

/// Names are generated from this; what is too long is cut when that is done.
std::string name_prefix(const std::string& name) { return name + "-"; }

} // namespace

std::string group_identity(std::string_view type, const std::vector<EndpointPort>& ports) {
  std::string text(type);
  const auto add = [&](const std::optional<std::string>& part) {
    text.append(part ? "=" : "-").append(part.value_or("")) += '\0';
  };
  for (const EndpointPort& port : ports) {
    add(port.name);
    add(port.protocol);
    add(port.port ? std::optional(std::to_string(*port.port)) : std::nullopt);
    add(port.app_protocol);
  }
  return text;
}

DesiredSlices select_endpoints(const Service& service, std::span<const PodFacts* const> pods, const ZoneOf& zone_of) {
  DesiredSlices desired;
  desired.name_space = service.metadata.name_space;
  desired.name_prefix = name_prefix(service.metadata.name);
  desired.labels = service.metadata.labels;
  desired.labels.erase(headless_label);
  if (registry::is_headless(service)) desired.labels[headless_label] = "";
  desired.labels[model::service_name_label] = service.metadata.name;
  desired.labels[managed_by_label] = selecting_writer;
  desired.owners = {owned_by("Service", service.metadata)};
  Groups groups(desired.groups);
  for (const PodFacts* pod : pods) {
    if (pod->over) continue;
    for (const std::string& family : service.spec.ip_families) {
      const auto address = std::find_if(pod->addresses.begin(), pod->addresses.end(),
                                        [&](const std::string& one) { return is_family(one, family); });
      if (address == pod->addresses.end()) continue;
      groups.of(family, ports_on(service, *pod)).endpoints.push_back(endpoint_of(service, *pod, *address, zone_of));
    }
  }
  return desired;
}

bool wants_no_mirror(const model::ObjectMeta& metadata) {
  const auto skip = metadata.labels.find(skip_mirror_label);
  return (skip != metadata.labels.end() && skip->second == "true") || metadata.annotations.contains(leader_annotation);
}

DesiredSlices mirror_slices(const model::Endpoints& endpoints) {
  DesiredSlices desired;
  desired.name_space = endpoints.metadata.name_space;
  desired.name_prefix = name_prefix(endpoints.metadata.name);
  desired.labels = endpoints.metadata.labels;
  desired.labels[model::service_name_label] = endpoints.metadata.name;
  desired.labels[managed_by_label] = mirroring_writer;
  desired.annotations = endpoints.metadata.annotations;
  for (const char* annotation : not_mirrored) desired.annotations->erase(annotation);
  desired.owners = {owned_by("Endpoints", endpoints.metadata)};
  Groups groups(desired.groups);
  for (const model::EndpointSubset& subset : endpoints.subsets) {
    std::vector<EndpointPort> ports;
    for (const model::EndpointsPort& port : subset.ports) {
      ports.push_back({port.name, port.protocol, port.port, port.app_protocol});
    }
    std::size_t count = 0;
    std::set<std::string> seen;
    const auto add = [&](const model::EndpointsAddress& one, bool ready) {
      const auto address = model::read_address(one.ip);
      if (!address || ++count > most_mirrored || !seen.insert(address->to_string()).second) return;
      Endpoint endpoint;
      endpoint.addresses = {address->to_string()};
      endpoint.conditions.ready = ready;
      if (!one.hostname.empty()) endpoint.hostname = one.hostname;
      endpoint.node_name = one.node_name;
      endpoint.target_ref = one.target_ref;
      groups.of(to_string(address->family()), ports).endpoints.push_back(std::move(endpoint));
    };
    for (const model::EndpointsAddress& one : subset.addresses) add(one, true);
    for (const model::EndpointsAddress& one : subset.not_ready_addresses) add(one, false);
  }
  return desired;
}

} // namespace signpost::endpoints
