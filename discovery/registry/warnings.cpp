#include "discovery/registry/warnings.hpp"

#include <algorithm>
#include <array>

#include "discovery/registry/field_errors.hpp"
#include "discovery/registry/names.hpp"
#include "discovery/registry/service_rules.hpp"

namespace signpost::registry {
namespace {

using Warnings = std::vector<std::string>;

/// Spellings that not everybody reads alike: leading zeros, IPv4 in IPv6, IPv6 not as RFC 5952 has it.
void warn_about_address(const std::string& field, const std::string& text, Warnings& warnings) {
  const auto meant = model::read_address(text);
  if (!meant) return;
  const std::string canonical = meant->to_string();
  if (text == canonical) return;
  const auto strict = model::Address::parse(text);
  if (strict && *strict == *meant && !meant->is_v4()) {
    warnings.push_back(field + ": IPv6 address " + quoted(text) + " should be in RFC 5952 canonical format (" +
                       quoted(canonical) + ")");
    return;
  }
  warnings.push_back(field + ": non-standard IP address " + quoted(text) +
                     " will be considered invalid in a future Kubernetes release: use " + quoted(canonical));
}

/// The address without what is behind the length.
model::Prefix prefix_of(const model::Address& address, int length) {
  std::array<std::uint8_t, 16> bytes{};
  const auto given = address.bytes();
  for (std::size_t i = 0; i < given.size(); ++i) {
    const int kept = std::clamp(length - 8 * static_cast<int>(i), 0, 8);
    bytes[i] = static_cast<std::uint8_t>(given[i] & (0xff00 >> kept));
  }
  return {model::Address::from_bytes(std::span(bytes).first(given.size())), length};
}

/// The same of a prefix, and bits that its length leaves out.
void warn_about_prefix(const std::string& field, const std::string& text, Warnings& warnings) {
  if (!is_prefix_text(text)) return;
  const std::size_t slash = text.find('/');
  const std::string address_text = text.substr(0, slash);
  const auto meant = model::read_address(address_text);
  const auto strict = model::Address::parse(address_text);
  const int length = std::stoi(text.substr(slash + 1)); // is_prefix_text has seen that it is one
  const bool mapped = strict && meant->is_v4() && !strict->is_v4();
  const model::Prefix prefix = prefix_of(*meant, mapped ? std::max(0, length - 96) : length);
  const std::string network = prefix.to_string();
  if (!strict || mapped || *strict != *meant) {
    warnings.push_back(field + ": non-standard CIDR value " + quoted(text) +
                       " will be considered invalid in a future Kubernetes release: use " + quoted(network));
  } else if (prefix.base != *meant) {
    warnings.push_back(field + ": CIDR value " + quoted(text) + " is ambiguous in this context (should be " +
                       quoted(network) + " or " + quoted(meant->to_string() + (meant->is_v4() ? "/32" : "/128")) +
                       "?)");
  } else if (text != network) {
    warnings.push_back(field + ": IPv6 CIDR value " + quoted(text) + " should be in RFC 5952 canonical format (" +
                       quoted(network) + ")");
  }
}

void warn_about(const model::Service& service, Warnings& warnings) {
  const model::ServiceSpec& spec = service.spec;
  constexpr const char* hints = "service.kubernetes.io/topology-aware-hints";
  if (service.metadata.annotations.contains(hints)) {
    warnings.push_back(std::string("annotation ") + hints +
                       " is deprecated, please use service.kubernetes.io/topology-mode instead");
  }
  const bool external = spec.type == "ExternalName";
  const bool no_address =
      spec.cluster_ip == headless || (!spec.cluster_ips.empty() && spec.cluster_ips.front() == headless);
  if (!external && !no_address) {
    if (spec.cluster_ips.empty()) warn_about_address("spec.clusterIPs[0]", spec.cluster_ip, warnings);
    for (std::size_t i = 0; i < spec.cluster_ips.size(); ++i) {
      warn_about_address(item("spec.clusterIPs", i), spec.cluster_ips[i], warnings);
    }
  }
  if (!external && no_address) {
    if (!spec.load_balancer_ip.empty()) {
      warnings.emplace_back("spec.loadBalancerIP is ignored for headless services");
    }
    if (!spec.external_ips.empty()) warnings.emplace_back("spec.externalIPs is ignored for headless services");
    if (!spec.session_affinity.empty() && spec.session_affinity != "None") {
      warnings.emplace_back("spec.SessionAffinity is ignored for headless services");
    }
  }
  for (std::size_t i = 0; i < spec.external_ips.size(); ++i) {
    warn_about_address(item("spec.externalIPs", i), spec.external_ips[i], warnings);
  }
  warn_about_address("spec.loadBalancerIP", spec.load_balancer_ip, warnings);
  for (std::size_t i = 0; i < spec.load_balancer_source_ranges.size(); ++i) {
    warn_about_prefix(item("spec.loadBalancerSourceRanges", i), spec.load_balancer_source_ranges[i], warnings);
  }
  if (external && !spec.external_ips.empty()) {
    warnings.emplace_back("spec.externalIPs is ignored when spec.type is \"ExternalName\"");
  }
  if (!external && !spec.external_name.empty()) {
    warnings.emplace_back("spec.externalName is ignored when spec.type is not \"ExternalName\"");
  }
  if (spec.traffic_distribution == "PreferClose") {
    warnings.emplace_back("spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"");
  }
}

void warn_about(const model::EndpointSlice& slice, Warnings& warnings) {
  if (slice.address_type == "FQDN") {
    warnings.emplace_back("spec.addressType: FQDN endpoints are deprecated");
    return;
  }
  for (std::size_t i = 0; i < slice.endpoints.size(); ++i) {
    const auto& addresses = slice.endpoints[i].addresses;
    for (std::size_t k = 0; k < addresses.size(); ++k) {
      warn_about_address(item(item("endpoints", i, "addresses"), k), addresses[k], warnings);
    }
  }
}

} // namespace

std::vector<std::string> warnings_of(const model::Object& object) {
  Warnings warnings;
  if (const auto* service = std::get_if<model::Service>(&object)) warn_about(*service, warnings);
  if (const auto* slice = std::get_if<model::EndpointSlice>(&object)) warn_about(*slice, warnings);
  return warnings;
}

} // namespace signpost::registry
