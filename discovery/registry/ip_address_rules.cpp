#include "discovery/registry/ip_address_rules.hpp"

#include <algorithm>

#include "discovery/registry/life_cycle.hpp"
#include "discovery/registry/metadata_rules.hpp"
#include "discovery/vip/range.hpp"

namespace signpost::registry {
namespace {

using model::IpAddress;
using model::ServiceCidr;

/// What keeps a text from being a prefix in the one form that is stored; empty: nothing.
std::string prefix_complaint(const std::string& text) {
  if (!is_prefix_text(text)) return "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
  const std::size_t slash = text.find('/');
  const auto address = model::Address::parse(std::string_view(text).substr(0, slash));
  if (!address || (text[slash + 1] == '0' && text.size() > slash + 2))
    return "must not have leading 0s in IP or prefix length";
  if (*address != model::read_address(std::string_view(text).substr(0, slash)))
    return "must not have an IPv4-mapped IPv6 address";
  const auto prefix = model::Prefix::parse(text);
  if (!prefix) return "must not have bits set beyond the prefix length";
  return prefix->to_string() == text ? "" : "must be in canonical form (" + quoted(prefix->to_string()) + ")";
}

void check_prefix(const std::string& text, const std::string& at, FieldErrors& errors) {
  if (const std::string complaint = prefix_complaint(text); !complaint.empty()) {
    errors.invalid_text(at, text, complaint);
    return;
  }
  const auto prefix = model::Prefix::parse(text);
  if (!prefix) return;
  if (const auto range = vip::Range::make(*prefix, 1); !range) errors.invalid_text(at, text, range.error());
}

/// Where the name of an address is malformed.
Complaints check_address_name(std::string_view name) {
  const auto address = model::Address::parse(name);
  if (address && *address != model::read_address(name)) return {"must not be an IPv4-mapped IPv6 address"};
  if (address && address->to_string() == name) return {};
  if (address) return {"must be in canonical form (" + quoted(address->to_string()) + ")"};
  if (model::read_address(name)) return {"must not have leading 0s"};
  return {"must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"};
}

} // namespace

void prepare_create(ServiceCidr& cidr) {
  auto& finalizers = cidr.metadata.finalizers;
  if (std::find(finalizers.begin(), finalizers.end(), service_cidr_finalizer) == finalizers.end()) {
    finalizers.emplace_back(service_cidr_finalizer);
  }
  cidr.status = {};
  set_condition(cidr, true, "", "Kubernetes Service CIDR is ready");
}

void prepare_update(ServiceCidr& cidr, const ServiceCidr& current) {
  cidr.status = current.status;
  const auto has = [](const ServiceCidr& one) {
    const auto& list = one.metadata.finalizers;
    return std::find(list.begin(), list.end(), service_cidr_finalizer) != list.end();
  };
  if (has(current) && !has(cidr)) cidr.metadata.finalizers.emplace_back(service_cidr_finalizer);
}

void set_condition(ServiceCidr& cidr, bool ready, std::string_view reason, std::string_view message) {
  auto& conditions = cidr.status.conditions;
  auto found = std::find_if(conditions.begin(), conditions.end(), [](const auto& one) { return one.type == "Ready"; });
  if (found == conditions.end()) found = conditions.emplace(conditions.end());
  const std::string status = ready ? "True" : "False";
  if (found->status != status) found->last_transition_time = now_text();
  found->type = "Ready";
  found->status = status;
  found->reason = reason;
  found->message = message;
}

void check_service_cidr(const ServiceCidr& cidr, FieldErrors& errors) {
  check_metadata(cidr.metadata, check_dns1123_subdomain, errors);
  const auto& cidrs = cidr.spec.cidrs;
  if (cidrs.empty()) errors.required("spec.cidrs", "at least one CIDR required");
  if (cidrs.size() > 2) {
    errors.invalid("spec.cidrs", "{\"CIDRs\":" + quoted(cidrs) + "}", "may only hold up to 2 values");
    return;
  }
  if (cidrs.size() == 2) {
    const auto first = model::Prefix::parse(cidrs[0]);
    const auto second = model::Prefix::parse(cidrs[1]);
    if (first && second && first->family() == second->family()) {
      errors.invalid("spec.cidrs", quoted(cidrs),
                     "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64");
    }
  }
  for (std::size_t i = 0; i < cidrs.size(); ++i) check_prefix(cidrs[i], item("spec.cidrs", i), errors);
}

void check_service_cidr_update(const ServiceCidr& cidr, const ServiceCidr& current, FieldErrors& errors) {
  check_metadata_update(cidr.metadata, current.metadata, errors);
  const auto& now = cidr.spec.cidrs;
  const auto& before = current.spec.cidrs;
  for (std::size_t i = 0; i < std::max(now.size(), before.size()); ++i) {
    if (i < now.size() && i < before.size() && now[i] == before[i]) continue;
    errors.invalid_text(item("spec.cidrs", i), i < now.size() ? now[i] : "", "field is immutable");
  }
}

void check_ip_address(const IpAddress& address, FieldErrors& errors) {
  check_metadata(address.metadata, check_address_name, errors);
  if (!address.spec.parent_ref) {
    errors.required("spec.parentRef");
    return;
  }
  const model::ParentReference& parent = *address.spec.parent_ref;
  if (!parent.group.empty()) {
    for (const std::string& complaint : check_dns1123_subdomain(parent.group)) {
      errors.invalid_text("spec.parentRef.group", parent.group, complaint);
    }
  }
  if (parent.resource.empty()) errors.required("spec.parentRef.resource");
  if (parent.name.empty()) errors.required("spec.parentRef.name");
  for (const auto& [text, field] : {std::pair(&parent.resource, "resource"), std::pair(&parent.name, "name"),
                                    std::pair(&parent.name_space, "namespace")}) {
    // A segment of a path.
    if (*text == "." || *text == "..") {
      errors.invalid_text(std::string("spec.parentRef.") + field, *text, "may not be '" + *text + "'");
    } else if (const auto bad = text->find_first_of("/%"); bad != std::string::npos) {
      errors.invalid_text(std::string("spec.parentRef.") + field, *text,
                          "may not contain '" + std::string(1, (*text)[bad]) + "'");
    }
  }
}

void check_ip_address_update(const IpAddress& address, const IpAddress& current, FieldErrors& errors) {
  check_metadata_update(address.metadata, current.metadata, errors);
  check_ip_address(address, errors);
  if (address.spec.parent_ref != current.spec.parent_ref) {
    const auto now = address.spec.parent_ref.value_or(model::ParentReference());
    errors.invalid("spec.parentRef",
                   "{\"Group\":" + quoted(now.group) + ",\"Resource\":" + quoted(now.resource) +
                       ",\"Namespace\":" + quoted(now.name_space) + ",\"Name\":" + quoted(now.name) + "}",
                   "field is immutable");
  }
}

} // namespace signpost::registry
