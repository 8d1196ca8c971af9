#include <algorithm>
#include <set>

#include "discovery/registry/names.hpp"
#include "discovery/registry/service_rules.hpp"

namespace signpost::registry {
namespace {

using model::Family;
using model::Service;

constexpr std::string_view policy_field = "spec.ipFamilyPolicy";
constexpr std::string_view single_stack = "SingleStack";

std::string other_family(std::string_view family) { return family == "IPv4" ? "IPv6" : "IPv4"; }

bool is_configured(std::span<const Family> configured, std::string_view family) {
  return std::any_of(configured.begin(), configured.end(), [&](Family one) { return to_string(one) == family; });
}

// With SingleStack, lists equal to the stored ones are cut to one: the short way to give the second family up. Any
// other loss of a family must say SingleStack.
void shrink_for_update(Service& service, const Service& current, FieldErrors& errors) {
  model::ServiceSpec& spec = service.spec;
  const model::ServiceSpec& before = current.spec;
  const std::string& policy = *spec.ip_family_policy;
  if (policy == single_stack) {
    if (spec.cluster_ips == before.cluster_ips && spec.cluster_ips.size() > 1) spec.cluster_ips.resize(1);
    if (spec.ip_families == before.ip_families && spec.ip_families.size() > 1) spec.ip_families.resize(1);
    return;
  }
  if (!spec.cluster_ips.empty() && spec.cluster_ips.size() < before.cluster_ips.size()) {
    errors.invalid_text(std::string(policy_field), policy, "must be 'SingleStack' to release the secondary cluster IP");
  }
  if (!spec.ip_families.empty() && spec.ip_families.size() < before.ip_families.size()) {
    errors.invalid_text(std::string(policy_field), policy, "must be 'SingleStack' to release the secondary IP family");
  }
}

void infer_families(Service& service, std::span<const Family> configured, FieldErrors& errors) {
  model::ServiceSpec& spec = service.spec;
  if (*spec.ip_family_policy == single_stack) {
    if (spec.cluster_ips.size() == 2) {
      errors.invalid_text(std::string(policy_field), single_stack,
                          "must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified");
    }
    if (spec.ip_families.size() == 2) {
      errors.invalid_text(std::string(policy_field), single_stack,
                          "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified");
    }
  }
  for (std::size_t i = 0; i < spec.cluster_ips.size(); ++i) {
    if (spec.cluster_ips[i] == headless) break;
    if (i < spec.ip_families.size()) continue;
    const auto address = model::read_address(spec.cluster_ips[i]);
    const std::string family(address ? to_string(address->family()) : "unknown");
    if (is_configured(configured, family)) {
      spec.ip_families.push_back(family);
    } else {
      errors.invalid(item("spec.clusterIPs", i), quoted(spec.cluster_ips),
                     family + " is not configured on this cluster");
    }
  }
}

void check_configured(const Service& service, std::span<const Family> configured, FieldErrors& errors) {
  const model::ServiceSpec& spec = service.spec;
  if (*spec.ip_family_policy == "RequireDualStack" && configured.size() < 2) {
    errors.invalid_text(std::string(policy_field), *spec.ip_family_policy,
                        "this cluster is not configured for dual-stack services");
  }
  for (std::size_t i = 0; i < spec.ip_families.size(); ++i) {
    if (!is_configured(configured, spec.ip_families[i])) {
      errors.invalid_text(item("spec.ipFamilies", i), spec.ip_families[i], "not configured on this cluster");
    }
  }
}

} // namespace

bool keeps_dual_stack_preference(const Service& service, const Service& current) {
  const model::ServiceSpec& spec = service.spec;
  const model::ServiceSpec& before = current.spec;
  return spec.ip_family_policy == "PreferDualStack" && before.type == spec.type && needs_cluster_ip(service) &&
         before.ip_family_policy.value_or("PreferDualStack") == "PreferDualStack" &&
         spec.cluster_ips == before.cluster_ips && spec.ip_families == before.ip_families;
}

std::vector<Cause> resolve_families(Service& service, const Service* current, std::span<const Family> configured) {
  model::ServiceSpec& spec = service.spec;
  if (!needs_cluster_ip(service)) return {};
  if (current != nullptr && keeps_dual_stack_preference(service, *current)) return {};

  const bool any_endpoints = spec.cluster_ip == headless && spec.selector.empty();
  if (!spec.ip_family_policy) {
    if (current != nullptr && current->spec.ip_family_policy) {
      spec.ip_family_policy = current->spec.ip_family_policy;
    } else {
      spec.ip_family_policy = any_endpoints ? "RequireDualStack" : single_stack;
    }
  }
  FieldErrors errors;
  check_cluster_ip_fields(service, errors);
  if (!errors.empty()) return errors.take();

  if (current != nullptr) shrink_for_update(service, *current, errors);
  infer_families(service, configured, errors);
  if (!errors.empty()) return errors.take();

  const bool dual = *spec.ip_family_policy != single_stack;
  const std::string primary(to_string(configured.front()));
  // Whoever runs the endpoints of such a service decides their families; the cluster's do not bind them.
  if (any_endpoints) {
    if (spec.ip_families.empty()) spec.ip_families = {primary};
    if (dual && spec.ip_families.size() < 2) spec.ip_families.push_back(other_family(spec.ip_families.front()));
    return {};
  }
  check_configured(service, configured, errors);
  if (!errors.empty()) return errors.take();
  if (spec.ip_families.empty()) spec.ip_families = {primary};
  if (dual && spec.ip_families.size() == 1 && configured.size() == 2) {
    spec.ip_families.push_back(other_family(spec.ip_families.front()));
  }
  return {};
}

namespace {

void check_lone_values(const model::ServiceSpec& spec, FieldErrors& errors) {
  const std::string field = "spec.clusterIPs";
  if (!spec.cluster_ip.empty()) {
    if (spec.cluster_ips.empty()) {
      errors.required(field);
    } else if (spec.cluster_ips.front() != spec.cluster_ip) {
      errors.invalid(field, quoted(spec.cluster_ips), "first value must match `clusterIP`");
    }
  } else if (!spec.cluster_ips.empty()) {
    errors.invalid(field, quoted(spec.cluster_ips), "must be empty when `clusterIP` is not specified");
  }
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < spec.ip_families.size(); ++i) {
    const std::string& family = spec.ip_families[i];
    if (family != "IPv4" && family != "IPv6") {
      errors.unsupported(item("spec.ipFamilies", i), family, {"IPv4", "IPv6"});
    }
    if (!seen.insert(family).second) errors.duplicate(item("spec.ipFamilies", i), quoted(family));
  }
  if (const auto& policy = spec.ip_family_policy;
      policy && *policy != single_stack && *policy != "PreferDualStack" && *policy != "RequireDualStack") {
    errors.unsupported(std::string(policy_field), *policy, {"PreferDualStack", "RequireDualStack", single_stack});
  }
}

} // namespace

void check_cluster_ip_fields(const Service& service, FieldErrors& errors) {
  if (!needs_cluster_ip(service)) return;
  const model::ServiceSpec& spec = service.spec;
  check_lone_values(spec, errors);

  std::vector<model::Address> addresses;
  bool malformed = false;
  for (std::size_t i = 0; i < spec.cluster_ips.size(); ++i) {
    if (i == 0 && spec.cluster_ips[i] == headless) {
      if (spec.cluster_ips.size() > 1) {
        malformed = true;
        errors.invalid("spec.clusterIPs", quoted(spec.cluster_ips), "'None' must be the first and only value");
      }
      continue;
    }
    if (const auto address = model::read_address(spec.cluster_ips[i])) {
      addresses.push_back(*address);
    } else {
      malformed = true;
      errors.invalid_text(item("spec.clusterIPs", i), spec.cluster_ips[i],
                          "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    }
  }
  if (spec.cluster_ips.size() > 2) {
    errors.invalid("spec.clusterIPs", quoted(spec.cluster_ips), "may only hold up to 2 values");
  }
  if (malformed) return;

  const auto is_v4 = [](const model::Address& address) { return address.is_v4(); };
  if (addresses.size() > 1 && (std::all_of(addresses.begin(), addresses.end(), is_v4) ||
                               std::none_of(addresses.begin(), addresses.end(), is_v4))) {
    errors.invalid("spec.clusterIPs", quoted(spec.cluster_ips), "may specify no more than one IP for each IP family");
  }
  for (std::size_t i = 0; i < addresses.size() && i < spec.ip_families.size(); ++i) {
    const std::string& family = spec.ip_families[i];
    if ((family == "IPv4" && !addresses[i].is_v4()) || (family == "IPv6" && addresses[i].is_v4())) {
      errors.invalid_text(item("spec.clusterIPs", i), spec.cluster_ips[i],
                          "expected an " + family + " value as indicated by `ipFamilies[" + std::to_string(i) + "]`");
    }
  }
}

} // namespace signpost::registry
