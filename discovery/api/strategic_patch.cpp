#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <span>

#include "discovery/api/patch.hpp"

// Follows k8s.io/apimachinery/pkg/util/strategicpatch: what it does where its documents are silent (the order of
// merged lists, directives in new objects) is part of what clients see.

namespace signpost::api {
namespace {

using Json = nlohmann::json;

constexpr std::string_view directive = "$patch";
constexpr std::string_view retain_keys = "$retainKeys";
constexpr std::string_view order_prefix = "$setElementOrder/";
constexpr std::string_view delete_prefix = "$deleteFromPrimitiveList/";

/// How a list is patched. Lists that are not in the table are replaced whole.
struct ListRule {
  std::string_view path; // member names from the object's top
  std::string_view key;  // merge key of its items; empty: a set of primitive values
};

constexpr ListRule common_rules[] = {{"metadata.finalizers", ""}, {"metadata.ownerReferences", "uid"}};
constexpr ListRule service_rules[] = {{"spec.ports", "port"}, {"status.conditions", "type"}};
constexpr ListRule pod_rules[] = {{"spec.containers", "name"},
                                  {"spec.containers.ports", "containerPort"},
                                  {"spec.containers.env", "name"},
                                  {"spec.containers.volumeMounts", "mountPath"},
                                  {"spec.initContainers", "name"},
                                  {"spec.initContainers.ports", "containerPort"},
                                  {"spec.initContainers.env", "name"},
                                  {"spec.initContainers.volumeMounts", "mountPath"},
                                  {"spec.ephemeralContainers", "name"},
                                  {"spec.volumes", "name"},
                                  {"spec.imagePullSecrets", "name"},
                                  {"spec.hostAliases", "ip"},
                                  {"spec.topologySpreadConstraints", "topologyKey"},
                                  {"status.conditions", "type"},
                                  {"status.hostIPs", "ip"},
                                  {"status.podIPs", "ip"}};
constexpr ListRule node_rules[] = {
    {"spec.podCIDRs", ""}, {"spec.taints", "key"}, {"status.addresses", "type"}, {"status.conditions", "type"}};
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

class StrategicMerge {
public:
  explicit StrategicMerge(model::Kind kind) : rules_(rules_of(kind)) {}

  Patched<Json> merge_map(Json original, const Json& patch, const std::string& path);

private:
  const ListRule* rule(std::string_view path) const {
    for (const ListRule& rule : common_rules)
      if (rule.path == path) return &rule;
    for (const ListRule& rule : rules_)
      if (rule.path == path) return &rule;
    return nullptr;
  }

  tl::expected<void, PatchError> merge_member(Json& original, const std::string& key, const Json& value,
                                              const std::string& path);
  Patched<Json> merge_list(Json original, const Json& patch, const ListRule& rule, const std::string& path);
  Patched<Json> merge_items(Json original, const Json& patch, const ListRule& rule, const std::string& path);

  std::span<const ListRule> rules_;
};

tl::unexpected<PatchError> refuse(std::string message, int status = 422) {
  return tl::make_unexpected(PatchError{status, std::move(message)});
}

/// Matching is quadratic; no list that the API accepts is longer.
constexpr std::size_t max_items = 4096;
tl::unexpected<PatchError> too_long(const std::string& path) {
  return refuse(fmt::format("{}: a list of more than {} items cannot be merged", path, max_items));
}

std::string below(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

/// What identifies an item: the value of its merge key, or the item itself in a list of primitives.
const Json* identity(const Json& item, std::string_view key) {
  if (key.empty()) return &item;
  if (!item.is_object()) return nullptr;
  const auto found = item.find(key);
  return found == item.end() ? nullptr : &*found;
}

std::size_t position(const Json& list, const Json& item, std::string_view key) {
  const Json* wanted = identity(item, key);
  if (wanted != nullptr)
    for (std::size_t i = 0; i < list.size(); ++i)
      if (const Json* have = identity(list[i], key); have != nullptr && *have == *wanted) return i;
  return list.size();
}

/// The merged items in their final order: those that `order` names as it has them, the rest as the server had them,
/// both woven together where the server's order says which comes first.
Json weave(const Json& merged, const Json& order, const Json& server, std::string_view key) {
  Json named = Json::array(), rest = Json::array();
  for (const Json& wanted : order)
    if (const std::size_t at = position(merged, wanted, key);
        at < merged.size() && position(named, merged[at], key) == named.size())
      named.push_back(merged[at]);
  for (const Json& item : server)
    if (const std::size_t at = position(merged, item, key);
        at < merged.size() && position(order, item, key) == order.size())
      rest.push_back(merged[at]);
  for (const Json& item : merged)
    if (position(named, item, key) == named.size() && position(rest, item, key) == rest.size()) rest.push_back(item);

  Json result = Json::array();
  std::size_t i = 0, j = 0;
  while (i < rest.size() || j < named.size()) {
    bool take_rest = j == named.size();
    if (i < rest.size() && j < named.size()) {
      const std::size_t left = position(server, rest[i], key), right = position(server, named[j], key);
      take_rest = left < server.size() && right < server.size() && left < right;
    }
    result.push_back(take_rest ? rest[i++] : named[j++]);
  }
  return result;
}

Patched<Json> StrategicMerge::merge_map(Json original, const Json& patch, const std::string& path) {
  if (!original.is_object()) original = Json::object();
  if (const auto found = patch.find(directive); found != patch.end()) {
    if (*found == "delete") return Json::object();
    if (*found == "replace") {
      Json replaced = patch;
      replaced.erase(std::string(directive));
      return replaced;
    }
    if (*found != "merge")
      return refuse(fmt::format("unknown patch type: {}", found->dump(-1, ' ', false, Json::error_handler_t::replace)));
  }
  if (const auto found = patch.find(retain_keys); found != patch.end()) {
    if (!found->is_array()) return refuse("unable to convert $retainKeys to a list", 400);
    const auto kept = [&](const std::string& key) {
      return std::find(found->begin(), found->end(), Json(key)) != found->end();
    };
    for (const auto& [key, value] : patch.items())
      if (!key.starts_with('$') && !value.is_null() && !kept(key))
        return refuse(fmt::format("patch contains a key ({}) that is not in its $retainKeys list", key), 400);
    for (auto at = original.begin(); at != original.end();) at = kept(at.key()) ? std::next(at) : original.erase(at);
  }

  const Json before = original;
  for (const auto& [key, value] : patch.items()) {
    if (key == directive || key == retain_keys || key.starts_with(order_prefix)) continue;
    if (auto merged = merge_member(original, key, value, path); !merged) return tl::make_unexpected(merged.error());
  }
  // Orders are put on top of the merged lists, by the order the server had.
  for (const auto& [key, value] : patch.items()) {
    if (!key.starts_with(order_prefix)) continue;
    const std::string name = key.substr(order_prefix.size());
    const ListRule* found = rule(below(path, name));
    const auto list = original.find(name);
    if (!value.is_array()) return refuse(fmt::format("{} is not a list", key), 400);
    if (found == nullptr || list == original.end() || !list->is_array()) continue;
    if (value.size() > max_items || list->size() > max_items) return too_long(name);
    const auto server = before.find(name);
    *list = weave(*list, value, server != before.end() && server->is_array() ? *server : Json::array(), found->key);
  }
  return original;
}

tl::expected<void, PatchError> StrategicMerge::merge_member(Json& original, const std::string& key, const Json& value,
                                                            const std::string& path) {
  if (key.starts_with(delete_prefix)) {
    const auto list = original.find(key.substr(delete_prefix.size()));
    if (!value.is_array()) return refuse(fmt::format("{} is not a list", key), 400);
    if (list == original.end() || !list->is_array()) return {};
    if (value.size() > max_items || list->size() > max_items) return too_long(key);
    Json kept = Json::array();
    for (Json& item : *list)
      if (std::find(value.begin(), value.end(), item) == value.end()) kept.push_back(std::move(item));
    *list = std::move(kept);
    return {};
  }
  if (value.is_null()) {
    original.erase(key);
    return {};
  }
  const std::string here = below(path, key);
  if (value.is_object()) {
    auto merged = merge_map(original.contains(key) ? original[key] : Json::object(), value, here);
    if (!merged) return tl::make_unexpected(merged.error());
    original[key] = std::move(*merged);
    return {};
  }
  const ListRule* found = value.is_array() ? rule(here) : nullptr;
  if (found == nullptr) {
    original[key] = value;
    return {};
  }
  const auto list = original.find(key);
  auto merged = merge_list(list != original.end() && list->is_array() ? *list : Json::array(), value, *found, here);
  if (!merged) return tl::make_unexpected(merged.error());
  original[key] = std::move(*merged);
  return {};
}

Patched<Json> StrategicMerge::merge_list(Json original, const Json& patch, const ListRule& rule,
                                         const std::string& path) {
  if (original.size() > max_items || patch.size() > max_items) return too_long(path);
  if (!rule.key.empty()) {
    auto merged = merge_items(original, patch, rule, path);
    if (!merged) return merged;
    return weave(*merged, patch, original, rule.key);
  }
  Json merged = Json::array();
  for (const Json* list : {&std::as_const(original), &patch})
    for (const Json& item : *list) {
      if (item.is_structured()) return refuse(fmt::format("{} holds plain values only", path), 400);
      if (position(merged, item, "") == merged.size()) merged.push_back(item);
    }
  return weave(merged, patch, original, "");
}

Patched<Json> StrategicMerge::merge_items(Json original, const Json& patch, const ListRule& rule,
                                          const std::string& path) {
  bool replace = false;
  Json items = Json::array();
  for (const Json& item : patch) {
    if (!item.is_object()) return refuse(fmt::format("{}: expected a list of objects", path), 400);
    const auto found = item.find(directive);
    const bool keyed = identity(item, rule.key) != nullptr;
    if (found == item.end()) {
      if (!keyed)
        return refuse(fmt::format("map: {} does not contain declared merge key: {}",
                                  item.dump(-1, ' ', false, Json::error_handler_t::replace), rule.key));
      items.push_back(item);
    } else if (*found == "delete") {
      if (!keyed) return refuse(fmt::format("delete patch type with no merge key defined in {}", path));
      for (std::size_t at = position(original, item, rule.key); at < original.size();
           at = position(original, item, rule.key))
        original.erase(at);
    } else if (*found == "replace") {
      replace = true;
    } else if (*found == "merge") {
      return refuse("merging lists with the $patch: merge directive is not supported", 400);
    } else {
      return refuse(fmt::format("unknown patch type in {}", path));
    }
  }
  if (replace) return items;
  for (const Json& item : items) {
    const std::size_t at = position(original, item, rule.key);
    auto merged = merge_map(at < original.size() ? original[at] : Json::object(), item, path);
    if (!merged) return merged;
    if (at < original.size())
      original[at] = std::move(*merged);
    else
      original.push_back(std::move(*merged));
  }
  return original;
}

} // namespace

Patched<Json> apply_strategic_patch(model::Kind kind, Json document, const Json& patch) {
  if (!patch.is_object()) return refuse("a strategic merge patch is a JSON object", 400);
  return StrategicMerge(kind).merge_map(std::move(document), patch, "");
}

} // namespace signpost::api
