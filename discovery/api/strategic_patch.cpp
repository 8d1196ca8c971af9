#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "discovery/api/list_order.hpp"
#include "discovery/api/merge_keys.hpp"
#include "discovery/api/patch.hpp"

// Follows k8s.io/apimachinery/pkg/util/strategicpatch: what it does where its documents are silent (the order of
// merged lists, directives in new objects) is part of what clients see. tests/e2e/kubernetes/patches compares the two.

namespace signpost::api {
namespace {

using Json = nlohmann::json;

constexpr std::string_view directive = "$patch";
constexpr std::string_view retain_keys = "$retainKeys";
constexpr std::string_view order_prefix = "$setElementOrder/";
constexpr std::string_view delete_prefix = "$deleteFromPrimitiveList/";

using Keys = std::vector<std::string>;
using Done = tl::expected<void, PatchError>;

tl::unexpected<PatchError> refuse(std::string message, int status = 422) {
  return tl::make_unexpected(PatchError{status, std::move(message)});
}

std::string text_of(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// For messages: who sends megabytes does not get them back.
std::string excerpt(const Json& value) {
  std::string text = text_of(value);
  constexpr std::size_t most = 256;
  if (text.size() > most) text = text.substr(0, most) + "...";
  return text;
}

class StrategicMerge {
public:
  explicit StrategicMerge(model::Kind kind) : rules_(kind) {}

  /// `original` becomes what the patch makes of it. Recursion is bounded by the depth of what the parser accepts.
  Done merge_map(Json& original, const Json& patch, const std::string& path);

private:
  std::string below(const std::string& path, std::string_view key) const;

  Done retain(Json& original, const Json& patch) const;
  Done merge_member(Json& original, const std::string& key, const Json& value, const std::string& path);
  Done merge_ordered(Json& original, const std::string& name, const Json& order, const Json& patch,
                     const std::string& path);
  Done merge_list(Json& list, const Json& patch, const ListRule& rule, const std::string& path, Keys* server = nullptr);
  Done merge_items(Json& list, const Json& patch, const ListRule& rule, const std::string& path, Keys* server);

  tl::expected<Keys, PatchError> keys_of(const Json& list, const ListRule& rule, const std::string& path);

  const MergeKeys rules_;
  /// Items that may still be looked at. One list of 3 MB has some 300,000; but a patch may name one container 10,000
  /// times, and each time its list of variables.
  std::size_t steps_ = 4'000'000;
};

/// Where a member is, as the tables spell it. Only their places matter: everything else is one and the same, so that
/// long names are not carried down into what is below them.
std::string StrategicMerge::below(const std::string& path, std::string_view key) const {
  if (!rules_.leads_on(path, key)) return "(elsewhere)";
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

/// What a patch puts where nothing was: without nulls, and without the objects that a directive is about.
/// nullopt: nothing at all.
std::optional<Json> as_new(const Json& value) {
  if (value.is_object()) {
    if (value.contains(directive)) return std::nullopt;
    Json object = Json::object();
    for (const auto& [key, member] : value.items()) {
      if (member.is_null() || key == retain_keys || key.starts_with(order_prefix) || key.starts_with(delete_prefix))
        continue;
      if (auto made = as_new(member)) object[key] = std::move(*made);
    }
    return object;
  }
  if (!value.is_array()) return value;
  Json list = Json::array();
  for (const Json& item : value)
    if (auto made = as_new(item)) list.push_back(std::move(*made));
  return list;
}

void put_new(Json& object, const std::string& key, const Json& value) {
  if (auto made = as_new(value))
    object[key] = std::move(*made);
  else
    object.erase(key);
}

void put_in_order(Json& list, const std::vector<std::size_t>& order) {
  Json result = Json::array();
  for (const std::size_t at : order) result.push_back(std::move(list[at]));
  list = std::move(result);
}

/// What a list patch has to say must be said in the order that it asks for. As upstream judges it: a directive other
/// than "delete" may not stand behind the last item of the order.
bool fits_order(const Json& patch, const Keys& order, const ListRule& rule) {
  if (order.empty()) return true;
  std::size_t at = 0;
  for (const Json& item : patch) {
    const auto found = item.is_object() ? item.find(directive) : item.end();
    if (found != item.end() && *found == "delete") continue;
    if (at == order.size()) return false;
    if (found != item.end()) continue;
    std::string key;
    if (rule.key.empty())
      key = text_of(item);
    else if (item.is_object() && item.contains(rule.key))
      key = text_of(item[std::string(rule.key)]);
    while (at < order.size() && order[at] != key) ++at;
    if (at == order.size()) return false;
    ++at;
  }
  return true;
}

/// What identifies the items of a list: the value of the merge key, or the item itself in a list of plain values.
tl::expected<Keys, PatchError> StrategicMerge::keys_of(const Json& list, const ListRule& rule,
                                                       const std::string& path) {
  if (list.size() > steps_) return refuse("the patch goes through too many items too often", 413);
  steps_ -= list.size();
  Keys keys;
  keys.reserve(list.size());
  for (const Json& item : list) {
    if (rule.key.empty()) {
      if (item.is_structured()) return refuse(fmt::format("{} holds plain values only", path), 400);
      keys.push_back(text_of(item));
      continue;
    }
    if (!item.is_object()) return refuse(fmt::format("{}: expected a list of objects", path), 400);
    const auto found = item.find(rule.key);
    if (found == item.end())
      return refuse(fmt::format("map: {} does not contain declared merge key: {}", excerpt(item), rule.key));
    keys.push_back(text_of(*found));
  }
  return keys;
}

Done StrategicMerge::retain(Json& original, const Json& patch) const {
  const auto found = patch.find(retain_keys);
  if (found == patch.end()) return {};
  if (!found->is_array()) return refuse("unable to convert $retainKeys to a list", 400);
  std::unordered_set<std::string> kept;
  for (const Json& key : *found)
    if (key.is_string()) kept.insert(key.get<std::string>());
  for (const auto& [key, value] : patch.items())
    if (!key.starts_with('$') && !value.is_null() && !kept.contains(key))
      return refuse(fmt::format("patch contains a key ({}) that is not in its $retainKeys list", excerpt(Json(key))),
                    400);
  for (auto at = original.begin(); at != original.end();)
    at = kept.contains(at.key()) ? std::next(at) : original.erase(at);
  return {};
}

Done StrategicMerge::merge_map(Json& original, const Json& patch, const std::string& path) {
  if (const auto found = patch.find(directive); found != patch.end()) {
    if (*found == "delete") {
      original = Json::object();
      return {};
    }
    if (*found != "replace") return refuse(fmt::format("unknown patch type: {}", excerpt(*found)));
    original = patch;
    original.erase(std::string(directive));
    return {};
  }
  if (!original.is_object()) original = Json::object();
  if (auto done = retain(original, patch); !done) return done;

  std::unordered_set<std::string_view> merged; // with their order
  for (const auto& [key, value] : patch.items()) {
    if (!key.starts_with(order_prefix)) continue;
    const std::string name = key.substr(order_prefix.size());
    if (!value.is_array()) return refuse(fmt::format("{} is not a list", excerpt(Json(key))), 400);
    const auto changed = patch.find(name);
    if (auto done = merge_ordered(original, name, value, changed == patch.end() ? Json() : *changed, path); !done)
      return done;
    if (changed != patch.end()) merged.insert(changed.key());
  }
  for (const auto& [key, value] : patch.items()) {
    if (key == retain_keys || key.starts_with(order_prefix) || key.starts_with(delete_prefix) || merged.contains(key))
      continue;
    if (auto done = merge_member(original, key, value, path); !done) return done;
  }
  for (const auto& [key, value] : patch.items()) {
    if (!key.starts_with(delete_prefix)) continue;
    const auto list = original.find(key.substr(delete_prefix.size()));
    if (value.is_null() && list != original.end()) original.erase(list);
    if (value.is_null()) continue;
    if (!value.is_array()) return refuse(fmt::format("{} is not a list", excerpt(Json(key))), 400);
    if (list == original.end() || !list->is_array()) continue;
    std::unordered_set<std::string> gone;
    for (const Json& item : value) gone.insert(text_of(item));
    Json kept = Json::array();
    for (Json& item : *list)
      if (!gone.contains(text_of(item))) kept.push_back(std::move(item));
    *list = std::move(kept);
  }
  return {};
}

Done StrategicMerge::merge_member(Json& original, const std::string& key, const Json& value, const std::string& path) {
  if (value.is_null()) {
    original.erase(key);
    return {};
  }
  const auto found = original.find(key);
  if (found == original.end() || found->type() != value.type() || !value.is_structured()) {
    put_new(original, key, value);
    return {};
  }
  const std::string here = below(path, key);
  if (value.is_object()) return merge_map(*found, value, here);
  if (const ListRule* keyed = rules_.find(here)) return merge_list(*found, value, *keyed, here);
  *found = value;
  return {};
}

Done StrategicMerge::merge_ordered(Json& original, const std::string& name, const Json& order, const Json& patch,
                                   const std::string& path) {
  const std::string here = below(path, name);
  const ListRule* found = rules_.find(here);
  const auto list = original.find(name);
  if (list != original.end() && !list->is_array()) return refuse(fmt::format("{} is not a list", here), 400);
  if (!patch.is_null() && !patch.is_array()) return refuse(fmt::format("{} is not a list", here), 400);
  if (found == nullptr) {
    if (!patch.is_null()) put_new(original, name, patch);
    return {};
  }
  const auto wanted = keys_of(order, *found, here);
  if (!wanted) return tl::make_unexpected(wanted.error());
  if (!fits_order(patch, *wanted, *found))
    return refuse(fmt::format("the order in the patch of {} does not match its {} list", here, order_prefix), 400);

  Keys server;
  if (list != original.end() && !patch.is_null()) {
    if (auto done = merge_list(*list, patch, *found, here, &server); !done) return done;
  } else if (list != original.end()) {
    auto keys = keys_of(*list, *found, here);
    if (!keys) return tl::make_unexpected(keys.error());
    server = std::move(*keys);
  } else if (!patch.is_null()) {
    put_new(original, name, patch);
  } else {
    return {};
  }
  Json& merged = original[name];
  const auto keys = keys_of(merged, *found, here);
  if (!keys) return tl::make_unexpected(keys.error());
  put_in_order(merged, weave(*keys, *wanted, server));
  return {};
}

/// `server`: becomes the order that the list had, for one that is put in an order of its own afterwards.
Done StrategicMerge::merge_list(Json& list, const Json& patch, const ListRule& rule, const std::string& path,
                                Keys* server) {
  if (!rule.key.empty()) return merge_items(list, patch, rule, path, server);
  auto before = keys_of(list, rule, path);
  if (!before) return tl::make_unexpected(before.error());
  const auto wanted = keys_of(patch, rule, path);
  if (!wanted) return tl::make_unexpected(wanted.error());
  Json merged = Json::array();
  Keys keys;
  std::unordered_set<std::string> seen;
  for (const auto& [from, names] :
       {std::pair(&std::as_const(list), &std::as_const(*before)), std::pair(&patch, &*wanted)})
    for (std::size_t i = 0; i < from->size(); ++i)
      if (seen.insert((*names)[i]).second) {
        merged.push_back((*from)[i]);
        keys.push_back((*names)[i]);
      }
  list = std::move(merged);
  put_in_order(list, weave(keys, *wanted, *before));
  if (server != nullptr) *server = std::move(*before);
  return {};
}

Done StrategicMerge::merge_items(Json& list, const Json& patch, const ListRule& rule, const std::string& path,
                                 Keys* server) {
  auto keys = keys_of(list, rule, path);
  if (!keys) return tl::make_unexpected(keys.error());
  bool replace = false;
  std::vector<const Json*> items;
  std::unordered_map<std::string_view, std::size_t> count;
  for (const std::string& key : *keys) ++count[key];
  std::unordered_set<std::string> gone;
  std::size_t last = keys->size();
  // Upstream sorts by its own list, from which it has cut items in place: behind what is left stand copies of the last
  // ones, and what is added is written over them. Where new items end up depends on it.
  Keys remains;
  for (const Json& item : patch) {
    if (!item.is_object()) return refuse(fmt::format("{}: expected a list of objects", path), 400);
    const auto found = item.find(directive);
    if (found == item.end()) {
      items.push_back(&item);
    } else if (*found == "delete") {
      const auto key = item.find(rule.key);
      if (key == item.end()) return refuse(fmt::format("delete patch type with no merge key defined in {}", path));
      const std::string name = text_of(*key);
      const auto present = count.find(name);
      if (present == count.end() || !gone.insert(name).second) continue;
      for (std::size_t i = 0; i < present->second; ++i) remains.push_back((*keys)[last - 1]);
      while (last > 0 && gone.contains((*keys)[last - 1])) --last;
    } else if (*found == "replace") {
      replace = true;
    } else if (*found == "merge") {
      return refuse("merging lists with the $patch: merge directive is not supported", 400);
    } else {
      return refuse(fmt::format("unknown patch type in {}", path));
    }
  }
  std::reverse(remains.begin(), remains.end());

  Json merged = Json::array();
  Keys kept;
  for (std::size_t i = 0; i < list.size(); ++i)
    if (!gone.contains((*keys)[i])) {
      merged.push_back(std::move(list[i]));
      kept.push_back(std::move((*keys)[i]));
    }
  Json additions = Json::array();
  for (const Json* item : items) additions.push_back(*item);
  auto wanted = keys_of(additions, rule, path);
  if (!wanted) return tl::make_unexpected(wanted.error());
  if (server != nullptr) *server = kept;
  if (replace) {
    list = std::move(additions);
    put_in_order(list, weave(*wanted, {}, *wanted));
  } else {
    Keys names = kept;
    names.reserve(kept.size() + items.size()); // their places must hold: FirstPositions looks into them
    FirstPositions positions(names);
    std::size_t added = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (const auto at = positions.find((*wanted)[i])) {
        if (auto done = merge_map(merged[*at], *items[i], path); !done) return done;
        continue;
      }
      merged.push_back(as_new(*items[i]).value_or(Json::object()));
      names.push_back((*wanted)[i]);
      positions.insert(names.back(), names.size() - 1);
      if (added < remains.size()) remains[added++] = (*wanted)[i];
    }
    list = std::move(merged);
    put_in_order(list, weave(names, *wanted, kept));
  }
  if (server != nullptr) server->insert(server->end(), remains.begin(), remains.end());
  return {};
}

} // namespace

Patched<Json> apply_strategic_patch(model::Kind kind, Json document, const Json& patch) {
  if (!patch.is_object()) return refuse("a strategic merge patch is a JSON object", 400);
  if (auto done = StrategicMerge(kind).merge_map(document, patch, ""); !done) return tl::make_unexpected(done.error());
  return document;
}

} // namespace signpost::api
