#include "discovery/api/merge_keys.hpp"

#include <algorithm>

namespace signpost::api {
namespace {

constexpr ListRule common_rules[] = {{"metadata.finalizers", ""}, {"metadata.ownerReferences", "uid"}};
constexpr ListRule service_rules[] = {{"spec.ports", "port"}, {"status.conditions", "type"}};
constexpr ListRule pod_rules[] = {{"spec.containers", "name"},
                                  {"spec.containers.ports", "containerPort"},
                                  {"spec.containers.env", "name"},
                                  {"spec.containers.volumeMounts", "mountPath"},
                                  {"spec.containers.volumeDevices", "devicePath"},
                                  {"spec.initContainers", "name"},
                                  {"spec.initContainers.ports", "containerPort"},
                                  {"spec.initContainers.env", "name"},
                                  {"spec.initContainers.volumeMounts", "mountPath"},
                                  {"spec.initContainers.volumeDevices", "devicePath"},
                                  {"spec.ephemeralContainers", "name"},
                                  {"spec.ephemeralContainers.ports", "containerPort"},
                                  {"spec.ephemeralContainers.env", "name"},
                                  {"spec.ephemeralContainers.volumeMounts", "mountPath"},
                                  {"spec.ephemeralContainers.volumeDevices", "devicePath"},
                                  {"spec.volumes", "name"},
                                  {"spec.imagePullSecrets", "name"},
                                  {"spec.hostAliases", "ip"},
                                  {"spec.topologySpreadConstraints", "topologyKey"},
                                  {"spec.schedulingGates", "name"},
                                  {"spec.resourceClaims", "name"},
                                  {"status.conditions", "type"},
                                  {"status.hostIPs", "ip"},
                                  {"status.podIPs", "ip"},
                                  {"status.resourceClaimStatuses", "name"}};
constexpr ListRule node_rules[] = {{"spec.podCIDRs", ""}, {"status.addresses", "type"}, {"status.conditions", "type"}};
constexpr ListRule condition_rules[] = {{"status.conditions", "type"}};

std::span<const ListRule> rules_of(model::Kind kind) {
  switch (kind) {
  case model::Kind::service: return service_rules;
  case model::Kind::pod: return pod_rules;
  case model::Kind::node: return node_rules;
  case model::Kind::name_space:
  case model::Kind::service_cidr: return condition_rules;
  default: return {};
  }
}

bool is_on_the_way(const ListRule& rule, std::string_view path, std::string_view key) {
  std::string_view rest = rule.path;
  if (!path.empty()) {
    if (!rest.starts_with(path) || rest.size() == path.size() || rest[path.size()] != '.') return false;
    rest.remove_prefix(path.size() + 1);
  }
  return !key.empty() && rest.starts_with(key) && (rest.size() == key.size() || rest[key.size()] == '.');
}

} // namespace

MergeKeys::MergeKeys(model::Kind kind) : rules_(rules_of(kind)) {}

const ListRule* MergeKeys::find(std::string_view path) const {
  for (const auto rules : {std::span<const ListRule>(common_rules), rules_})
    for (const ListRule& rule : rules)
      if (rule.path == path) return &rule;
  return nullptr;
}

bool MergeKeys::leads_on(std::string_view path, std::string_view key) const {
  const auto leads = [&](const ListRule& rule) { return is_on_the_way(rule, path, key); };
  return std::any_of(std::begin(common_rules), std::end(common_rules), leads) ||
         std::any_of(rules_.begin(), rules_.end(), leads);
}

} // namespace signpost::api
