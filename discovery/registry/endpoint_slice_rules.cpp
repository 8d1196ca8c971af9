#include "discovery/registry/endpoint_slice_rules.hpp"

#include <set>

#include "discovery/registry/metadata_rules.hpp"

namespace signpost::registry {
namespace {

using model::Endpoint;
using model::EndpointPort;
using model::EndpointSlice;

constexpr std::size_t most_endpoints = 1000;
constexpr std::size_t most_addresses = 100;
constexpr std::size_t most_ports = 20000;
constexpr std::size_t most_topology_labels = 16;
constexpr std::size_t most_hints = 8;

void check_address(const std::string& text, std::string_view type, const std::string& list, std::size_t i,
                   FieldErrors& errors) {
  if (type == "FQDN") {
    for (const std::string& complaint : check_fqdn(text)) errors.invalid_text(item(list, i), text, complaint);
    return;
  }
  const auto address = model::read_address(text);
  if (!address) {
    errors.invalid_text(item(list, i), text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
  } else if (to_string(address->family()) != type) {
    errors.invalid_text(list, text, type == "IPv4" ? "must be an IPv4 address" : "must be an IPv6 address");
  } else if (!address->is_v4() && address->to_string() != text) {
    errors.invalid_text(item(list, i), text, "must be in canonical form (" + quoted(address->to_string()) + ")");
  } else if (const std::string_view complaint = special_address_complaint(*address); !complaint.empty()) {
    errors.invalid_text(item(list, i), text, complaint);
  }
}

void check_hints(const model::EndpointHints& hints, const std::string& field, FieldErrors& errors) {
  const auto check = [&](const auto& list, const std::string& at) {
    if (list.size() > most_hints) {
      errors.too_many(at, list.size(), most_hints);
      return;
    }
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (!seen.insert(list[i].name).second) errors.duplicate(item(at, i, "name"), quoted(list[i].name));
      for (const std::string& complaint : check_label_value(list[i].name)) {
        errors.invalid_text(item(at, i, "name"), list[i].name, complaint);
      }
    }
  };
  check(hints.for_zones, field + ".forZones");
  check(hints.for_nodes, field + ".forNodes");
}

void check_endpoint(const Endpoint& endpoint, std::string_view type, std::size_t i, FieldErrors& errors) {
  const std::string addresses = item("endpoints", i, "addresses");
  if (endpoint.addresses.empty()) {
    errors.required(addresses, "must contain at least 1 address");
  } else if (endpoint.addresses.size() > most_addresses) {
    errors.too_many(addresses, endpoint.addresses.size(), most_addresses);
    return;
  }
  for (std::size_t k = 0; k < endpoint.addresses.size(); ++k) {
    check_address(endpoint.addresses[k], type, addresses, k, errors);
  }
  if (endpoint.node_name) {
    for (const std::string& complaint : check_dns1123_subdomain(*endpoint.node_name)) {
      errors.invalid_text(item("endpoints", i, "nodeName"), *endpoint.node_name, complaint);
    }
  }
  if (endpoint.deprecated_topology.size() > most_topology_labels) {
    errors.too_many(item("endpoints", i, "deprecatedTopology"), endpoint.deprecated_topology.size(),
                    most_topology_labels);
  }
  check_labels(endpoint.deprecated_topology, item("endpoints", i, "deprecatedTopology"), errors);
  if (endpoint.hostname) {
    for (const std::string& complaint : check_dns1123_label(*endpoint.hostname)) {
      errors.invalid_text(item("endpoints", i, "hostname"), *endpoint.hostname, complaint);
    }
  }
  if (endpoint.hints) check_hints(*endpoint.hints, item("endpoints", i, "hints"), errors);
}

void check_ports(const std::vector<EndpointPort>& ports, FieldErrors& errors) {
  if (ports.size() > most_ports) {
    errors.too_many("ports", ports.size(), most_ports);
    return;
  }
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const EndpointPort& port = ports[i];
    const std::string_view name = port.name ? std::string_view(*port.name) : std::string_view();
    if (!name.empty()) {
      for (const std::string& complaint : check_dns1123_label(name)) {
        errors.invalid_text(item("ports", i, "name"), name, complaint);
      }
    }
    if (!names.insert(name).second) errors.duplicate(item("ports", i, "name"), quoted(name));
    if (!port.protocol) {
      errors.required(item("ports", i, "protocol"));
    } else if (*port.protocol != "TCP" && *port.protocol != "UDP" && *port.protocol != "SCTP") {
      errors.unsupported(item("ports", i, "protocol"), *port.protocol, {"SCTP", "TCP", "UDP"});
    }
    // The number is not judged upstream; readers pass over what no packet can carry.
    if (port.app_protocol) {
      for (const std::string& complaint : check_qualified_name(*port.app_protocol)) {
        errors.invalid_text(item("ports", i, "appProtocol"), *port.app_protocol, complaint);
      }
    }
  }
}

/// `endpoints_too`: they are not known to be good.
void check_slice(const EndpointSlice& slice, bool endpoints_too, FieldErrors& errors) {
  check_metadata(slice.metadata, check_dns1123_subdomain, errors);
  const std::string& type = slice.address_type;
  if (type.empty()) {
    errors.required("addressType");
  } else if (type != "IPv4" && type != "IPv6" && type != "FQDN") {
    errors.unsupported("addressType", type, {"FQDN", "IPv4", "IPv6"});
  }
  if (slice.endpoints.size() > most_endpoints) {
    errors.too_many("endpoints", slice.endpoints.size(), most_endpoints);
  } else if (endpoints_too && (type == "IPv4" || type == "IPv6" || type == "FQDN")) {
    for (std::size_t i = 0; i < slice.endpoints.size(); ++i) check_endpoint(slice.endpoints[i], type, i, errors);
  }
  check_ports(slice.ports, errors);
}

} // namespace

void check_endpoint_slice(const EndpointSlice& slice, FieldErrors& errors) { check_slice(slice, true, errors); }

void set_defaults(EndpointSlice& slice) {
  for (EndpointPort& port : slice.ports) {
    if (!port.name) port.name = "";
    if (!port.protocol || port.protocol->empty()) port.protocol = "TCP";
  }
}

void check_endpoint_slice_update(const EndpointSlice& slice, const EndpointSlice& current, FieldErrors& errors) {
  check_metadata_update(slice.metadata, current.metadata, errors);
  check_slice(slice, slice.endpoints != current.endpoints, errors);
  if (slice.address_type != current.address_type) {
    errors.invalid_text("addressType", slice.address_type, "field is immutable");
  }
}

void drop_topology(EndpointSlice& slice) {
  for (Endpoint& endpoint : slice.endpoints) endpoint.deprecated_topology.clear();
}

std::int64_t next_generation(const EndpointSlice& slice, const EndpointSlice& current) {
  const bool same = slice.endpoints == current.endpoints && slice.ports == current.ports &&
                    slice.metadata.labels == current.metadata.labels;
  return current.metadata.generation + (same ? 0 : 1);
}

} // namespace signpost::registry
