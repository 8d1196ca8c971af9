#include "discovery/registry/endpoints_rules.hpp"

#include "discovery/registry/metadata_rules.hpp"

namespace signpost::registry {
namespace {

using model::Endpoints;
using model::EndpointsAddress;
using model::EndpointsPort;

void check_address(const EndpointsAddress& address, const std::string& at, FieldErrors& errors) {
  const auto ip = model::read_address(address.ip);
  if (!ip) {
    errors.invalid_text(at + ".ip", address.ip, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
  }
  if (!address.hostname.empty()) {
    for (const std::string& complaint : check_dns1123_label(address.hostname)) {
      errors.invalid_text(at + ".hostname", address.hostname, complaint);
    }
  }
  if (address.node_name) {
    for (const std::string& complaint : check_dns1123_subdomain(*address.node_name)) {
      errors.invalid_text(at + ".nodeName", *address.node_name, complaint);
    }
  }
  if (!ip) return;
  if (const std::string_view complaint = special_address_complaint(*ip); !complaint.empty()) {
    errors.invalid_text(at + ".ip", address.ip, complaint);
  }
}

void check_port(const EndpointsPort& port, bool needs_name, const std::string& at, FieldErrors& errors) {
  if (!port.name.empty()) {
    for (const std::string& complaint : check_dns1123_label(port.name)) {
      errors.invalid_text(at + ".name", port.name, complaint);
    }
  } else if (needs_name) {
    errors.required(at + ".name");
  }
  if (!is_port(port.port)) errors.invalid(at + ".port", std::to_string(port.port), port_complaint);
  if (port.protocol.empty()) {
    errors.required(at + ".protocol");
  } else if (port.protocol != "TCP" && port.protocol != "UDP" && port.protocol != "SCTP") {
    errors.unsupported(at + ".protocol", port.protocol, {"SCTP", "TCP", "UDP"});
  }
  if (port.app_protocol) {
    for (const std::string& complaint : check_qualified_name(*port.app_protocol)) {
      errors.invalid_text(at + ".appProtocol", *port.app_protocol, complaint);
    }
  }
}

} // namespace

void set_defaults(Endpoints& endpoints) {
  for (model::EndpointSubset& subset : endpoints.subsets) {
    for (EndpointsPort& port : subset.ports) {
      if (port.protocol.empty()) port.protocol = "TCP";
    }
  }
}

void check_endpoints(const Endpoints& endpoints, FieldErrors& errors) {
  check_metadata(endpoints.metadata, check_dns1123_subdomain, errors);
  for (std::size_t i = 0; i < endpoints.subsets.size(); ++i) {
    const model::EndpointSubset& subset = endpoints.subsets[i];
    const std::string at = item("subsets", i);
    if (subset.addresses.empty() && subset.not_ready_addresses.empty()) {
      errors.required(at, "must specify `addresses` or `notReadyAddresses`");
    }
    for (std::size_t k = 0; k < subset.addresses.size(); ++k) {
      check_address(subset.addresses[k], item(at + ".addresses", k), errors);
    }
    for (std::size_t k = 0; k < subset.not_ready_addresses.size(); ++k) {
      check_address(subset.not_ready_addresses[k], item(at + ".notReadyAddresses", k), errors);
    }
    for (std::size_t k = 0; k < subset.ports.size(); ++k) {
      check_port(subset.ports[k], subset.ports.size() > 1, item(at + ".ports", k), errors);
    }
  }
}

void check_endpoints_update(const Endpoints& endpoints, const Endpoints& current, FieldErrors& errors) {
  check_metadata_update(endpoints.metadata, current.metadata, errors);
  check_endpoints(endpoints, errors);
}

} // namespace signpost::registry
