#include "discovery/endpoints/pod_facts.hpp"

#include <algorithm>

#include "discovery/registry/names.hpp"

namespace signpost::endpoints {
namespace {

/// Init containers that run on beside the others ("sidecars").
bool runs_on(const model::Container& init) {
  const auto policy = init.others.find("restartPolicy");
  return policy != init.others.end() && policy->second == "\"Always\"";
}

void add_ports(const model::Container& container, std::vector<NamedPort>& ports) {
  for (const model::ContainerPort& port : container.ports) {
    if (!port.name.empty()) ports.push_back({port.name, port.protocol, port.container_port});
  }
}

} // namespace

PodFacts facts_of(const model::Pod& pod) {
  PodFacts facts;
  facts.name = pod.metadata.name;
  facts.uid = pod.metadata.uid;
  facts.labels = pod.metadata.labels;
  for (const model::PodIp& one : pod.status.pod_ips) {
    const auto address = model::read_address(one.ip);
    if (!address || !registry::special_address_complaint(*address).empty()) continue;
    facts.addresses.push_back(address->to_string());
  }
  for (const model::Container& container : pod.spec.containers) add_ports(container, facts.ports);
  for (const model::Container& container : pod.spec.init_containers) {
    if (runs_on(container)) add_ports(container, facts.ports);
  }
  facts.node = pod.spec.node_name;
  if (registry::check_dns1123_label(pod.spec.hostname).empty()) facts.hostname = pod.spec.hostname;
  facts.subdomain = pod.spec.subdomain;
  facts.ready = std::any_of(pod.status.conditions.begin(), pod.status.conditions.end(),
                            [](const auto& one) { return one.type == "Ready" && one.status == "True"; });
  facts.terminating = !pod.metadata.deletion_timestamp.empty();
  facts.over = pod.status.phase == "Succeeded" || pod.status.phase == "Failed";
  return facts;
}

bool selects(const Selector& selector, const std::map<std::string, std::string>& labels) {
  return !selector.empty() && std::all_of(selector.begin(), selector.end(), [&](const auto& wanted) {
    const auto label = labels.find(wanted.first);
    return label != labels.end() && label->second == wanted.second;
  });
}

} // namespace signpost::endpoints
