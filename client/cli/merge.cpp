#include <algorithm>
#include <nlohmann/json.hpp>

#include "client/cli/apply.hpp"

namespace signpost::cli {

namespace {

std::string protocol_of(const Json& port) {
  const auto text = text_member(port, "protocol");
  return text.empty() ? "TCP" : text;
}

bool same_port(const Json& a, const Json& b) {
  return member(a, "port") == member(b, "port") && protocol_of(a) == protocol_of(b);
}

const Json* find_port(const Json& ports, const Json& wanted) {
  if (!ports.is_array()) return nullptr;
  for (const auto& port : ports)
    if (same_port(port, wanted)) return &port;
  const auto name = text_member(wanted, "name");
  if (name.empty()) return nullptr;
  for (const auto& port : ports)
    if (text_member(port, "name") == name) return &port;
  return nullptr;
}

void patch_onto(Json& target, const Json& patch) {
  for (const auto& [key, value] : patch.items()) {
    if (value.is_null())
      target.erase(key);
    else
      target[key] = value;
  }
}

// The ports as they shall be: those of the file in its order, then those that another has added.
Json merge_ports(const Json& applied, const Json& current, const Json& wanted) {
  Json out = Json::array();
  for (const auto& port : wanted) {
    const auto* const before = find_port(current, port);
    const auto* const last = find_port(applied, port);
    Json merged = before == nullptr ? Json::object() : *before;
    // A changed number makes what was derived from the old one wrong; what the file says is set again below.
    if (before != nullptr && !same_port(*before, port)) merged.erase("targetPort");
    patch_onto(merged, merge_patch(last == nullptr ? Json() : *last, merged, port));
    out.push_back(std::move(merged));
  }
  if (current.is_array())
    for (const auto& port : current) {
      const bool ours = find_port(applied, port) != nullptr || find_port(wanted, port) != nullptr;
      if (!ours) out.push_back(port);
    }
  return out;
}

bool objects(const Json& list) {
  return list.is_array() && std::ranges::all_of(list, [](const Json& item) { return item.is_object(); });
}

Json merge(const std::string& path, const Json& applied, const Json& current, const Json& wanted) {
  Json patch = Json::object();
  for (const auto& [key, value] : wanted.items()) {
    if (value.is_null()) continue; // "key:" in YAML is a key without a value, as good as absent
    const auto& now = member(current, key);
    const auto here = path + '/' + key;
    if (value.is_object()) {
      auto inner = merge(here, member(applied, key), now, value);
      if (!inner.empty() || !now.is_object()) patch[key] = std::move(inner);
    } else if (here == "/spec/ports" && objects(value)) {
      auto ports = merge_ports(member(applied, key), now, value);
      if (ports != now) patch[key] = std::move(ports);
    } else if (value != now) {
      patch[key] = value;
    }
  }
  if (applied.is_object())
    for (const auto& [key, value] : applied.items())
      if (!value.is_null() && member(wanted, key).is_null() && !member(current, key).is_null()) patch[key] = nullptr;
  return patch;
}

} // namespace

Json merge_patch(const Json& applied, const Json& current, const Json& wanted) {
  return merge("", applied, current, wanted);
}

} // namespace signpost::cli
