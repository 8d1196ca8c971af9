#include "discovery/registry/pod_rules.hpp"

#include <set>

#include "discovery/registry/metadata_rules.hpp"

namespace signpost::registry {
namespace {

using model::Node;
using model::Pod;

void check_container(const model::Container& container, const std::string& at, std::set<std::string>& names,
                     FieldErrors& errors) {
  if (container.name.empty()) {
    errors.required(at + ".name");
  } else {
    for (const std::string& complaint : check_dns1123_label(container.name)) {
      errors.invalid_text(at + ".name", container.name, complaint);
    }
    if (!names.insert(container.name).second) errors.duplicate(at + ".name", quoted(container.name));
  }
  std::set<std::string> ports;
  for (std::size_t i = 0; i < container.ports.size(); ++i) {
    const model::ContainerPort& port = container.ports[i];
    const auto field = [&](std::string_view name) { return item(at + ".ports", i, name); };
    if (!port.name.empty()) {
      for (const std::string& complaint : check_port_name(port.name)) {
        errors.invalid_text(field("name"), port.name, complaint);
      }
      if (!ports.insert(port.name).second) errors.duplicate(field("name"), quoted(port.name));
    }
    if (!is_port(port.container_port)) {
      errors.invalid(field("containerPort"), std::to_string(port.container_port),
                     "must be between 1 and 65535, inclusive");
    }
    if (port.protocol != "TCP" && port.protocol != "UDP" && port.protocol != "SCTP") {
      errors.unsupported(field("protocol"), port.protocol, {"SCTP", "TCP", "UDP"});
    }
  }
}

void check_label(const std::string& text, std::string_view field, FieldErrors& errors) {
  if (text.empty()) return;
  for (const std::string& complaint : check_dns1123_label(text)) {
    errors.invalid_text(std::string(field), text, complaint);
  }
}

} // namespace

void set_defaults(Pod& pod) {
  for (auto* list : {&pod.spec.init_containers, &pod.spec.containers}) {
    for (model::Container& container : *list) {
      for (model::ContainerPort& port : container.ports) {
        if (port.protocol.empty()) port.protocol = "TCP";
        if (pod.spec.host_network && port.host_port == 0) port.host_port = port.container_port;
      }
    }
  }
  model::PodStatus& status = pod.status;
  if (status.pod_ips.empty() && !status.pod_ip.empty()) status.pod_ips.push_back({status.pod_ip});
  status.pod_ip = status.pod_ips.empty() ? "" : status.pod_ips.front().ip;
}

void set_defaults(Node& node) {
  model::NodeSpec& spec = node.spec;
  if (spec.pod_cidrs.empty() && !spec.pod_cidr.empty()) spec.pod_cidrs.push_back(spec.pod_cidr);
  spec.pod_cidr = spec.pod_cidrs.empty() ? "" : spec.pod_cidrs.front();
}

void prepare_create(Pod& pod) {
  pod.metadata.generation = 1;
  pod.status = {};
  pod.status.phase = "Pending";
}

void check_pod(const Pod& pod, FieldErrors& errors) {
  check_metadata(pod.metadata, check_dns1123_subdomain, errors);
  if (pod.spec.containers.empty()) errors.required("spec.containers");
  std::set<std::string> names;
  for (std::size_t i = 0; i < pod.spec.init_containers.size(); ++i) {
    check_container(pod.spec.init_containers[i], item("spec.initContainers", i), names, errors);
  }
  for (std::size_t i = 0; i < pod.spec.containers.size(); ++i) {
    check_container(pod.spec.containers[i], item("spec.containers", i), names, errors);
  }
  check_label(pod.spec.hostname, "spec.hostname", errors);
  check_label(pod.spec.subdomain, "spec.subdomain", errors);
}

void check_pod_update(const Pod& pod, const Pod& current, FieldErrors& errors) {
  check_metadata_update(pod.metadata, current.metadata, errors);
  check_pod(pod, errors);
}

void check_pod_status(const Pod& pod, FieldErrors& errors) {
  std::set<std::string> families;
  for (std::size_t i = 0; i < pod.status.pod_ips.size(); ++i) {
    const std::string& ip = pod.status.pod_ips[i].ip;
    const auto address = model::read_address(ip);
    if (!address) {
      errors.invalid_text(item("status.podIPs", i), ip,
                          "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    } else if (!families.insert(std::string(to_string(address->family()))).second) {
      errors.invalid_text(item("status.podIPs", i), ip, "may specify no more than one IP for each IP family");
    }
  }
}

void check_node(const Node& node, FieldErrors& errors) {
  check_metadata(node.metadata, check_dns1123_subdomain, errors);
  for (std::size_t i = 0; i < node.spec.pod_cidrs.size(); ++i) {
    const std::string& cidr = node.spec.pod_cidrs[i];
    if (!model::Prefix::parse(cidr) && !is_prefix_text(cidr)) {
      errors.invalid_text(item("spec.podCIDRs", i), cidr,
                          "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
    }
  }
  std::set<std::pair<std::string, std::string>> seen;
  for (std::size_t i = 0; i < node.status.addresses.size(); ++i) {
    const model::NodeAddress& address = node.status.addresses[i];
    if (!seen.emplace(address.type, address.address).second) {
      errors.duplicate(item("status.addresses", i), quoted(address.address));
    }
  }
}

void check_node_update(const Node& node, const Node& current, FieldErrors& errors) {
  check_metadata_update(node.metadata, current.metadata, errors);
  check_node(node, errors);
}

} // namespace signpost::registry
