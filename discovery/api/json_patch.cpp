#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "discovery/api/patch.hpp"
#include "discovery/model/json.hpp"

namespace signpost::api {
namespace {

using Json = nlohmann::json;
constexpr std::size_t max_operations = 10'000;
/// Items of arrays that all operations together may push about, and values that they may look through: a tenth of a
/// second. 10,000 insertions in front of 2,000 items are within it.
constexpr std::size_t max_steps = 20'000'000;

tl::unexpected<PatchError> refuse(std::string message, int status = 422) {
  return tl::make_unexpected(PatchError{status, std::move(message)});
}

/// RFC 6901. nullopt: not a pointer.
std::optional<std::vector<std::string>> parse_pointer(std::string_view text) {
  std::vector<std::string> tokens;
  if (text.empty()) return tokens;
  if (text.front() != '/') return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '/') {
      tokens.emplace_back();
    } else if (text[i] == '~') {
      if (++i == text.size() || (text[i] != '0' && text[i] != '1')) return std::nullopt;
      tokens.back() += text[i] == '0' ? '~' : '/';
    } else {
      tokens.back() += text[i];
    }
  }
  return tokens;
}

std::optional<std::size_t> parse_index(std::string_view token) {
  if (token.empty() || token.size() > 9 || (token.size() > 1 && token.front() == '0')) return std::nullopt;
  std::size_t index = 0;
  for (const char c : token) {
    if (c < '0' || c > '9') return std::nullopt;
    index = index * 10 + static_cast<std::size_t>(c - '0');
  }
  return index;
}

Json* child(Json& parent, const std::string& token) {
  if (parent.is_object()) {
    const auto found = parent.find(token);
    return found == parent.end() ? nullptr : &*found;
  }
  if (parent.is_array()) {
    const auto index = parse_index(token);
    return index && *index < parent.size() ? &parent[*index] : nullptr;
  }
  return nullptr;
}

using Pointer = std::vector<std::string>;

Json* find(Json& document, const Pointer& pointer, std::size_t depth) {
  Json* at = &document;
  for (std::size_t i = 0; i < depth && at != nullptr; ++i) at = child(*at, pointer[i]);
  return at;
}

/// For messages: who sends megabytes does not get them back.
std::string_view excerpt(std::string_view text) { return text.substr(0, 256); }

/// What is left to spend.
struct Budget {
  std::size_t octets; // that copies may add
  std::size_t steps = max_steps;

  bool spend(std::size_t count) {
    if (count > steps) return false;
    steps -= count;
    return true;
  }
};

tl::unexpected<PatchError> too_much() {
  return refuse("the patch moves too much: take out and put in whole lists instead of many items", 413);
}

struct Operation {
  std::string op, path, from;
  Pointer pointer, source;
  const Json* value = nullptr;
};

tl::expected<void, PatchError> missing(const Operation& operation) {
  return refuse(fmt::format("{} operation does not apply: doc is missing path: {}: missing value", operation.op,
                            excerpt(operation.path)));
}

/// Whether the value, put at the end of the pointer, would make the document deeper than one that is read may be:
/// copies into copies double the depth, and everything that walks a document is made for what can be read.
bool is_too_deep(const Json& value, const Pointer& pointer) {
  constexpr std::size_t most = model::JsonLimits{}.depth;
  std::vector<std::pair<const Json*, std::size_t>> open{{&value, pointer.size()}};
  while (!open.empty()) {
    const auto [at, depth] = open.back();
    open.pop_back();
    if (!at->is_structured()) continue;
    if (depth >= most) return true;
    for (const Json& child : *at) open.emplace_back(&child, depth + 1);
  }
  return false;
}

tl::unexpected<PatchError> too_deep() { return refuse("the object would be nested too deep", 413); }

/// The value is known not to be too deep for its place.
tl::expected<void, PatchError> add(Json& document, const Operation& operation, Json value, Budget& budget) {
  if (operation.pointer.empty()) {
    document = std::move(value);
    return {};
  }
  Json* parent = find(document, operation.pointer, operation.pointer.size() - 1);
  const std::string& last = operation.pointer.back();
  if (parent != nullptr && parent->is_object()) {
    (*parent)[last] = std::move(value);
    return {};
  }
  if (parent == nullptr || !parent->is_array()) return missing(operation);
  const auto index = last == "-" ? std::optional(parent->size()) : parse_index(last);
  if (!index || *index > parent->size())
    return refuse(fmt::format("{} operation does not apply: doc is missing path: {}: index out of range", operation.op,
                              excerpt(operation.path)));
  if (!budget.spend(parent->size() - *index)) return too_much();
  parent->insert(parent->begin() + static_cast<std::ptrdiff_t>(*index), std::move(value));
  return {};
}

/// `value`: becomes what was there, if given.
tl::expected<void, PatchError> remove(Json& document, const Operation& operation, const Pointer& pointer,
                                      Budget& budget, Json* value = nullptr) {
  if (pointer.empty()) return refuse("remove operation does not apply: the whole document cannot be removed");
  Json* parent = find(document, pointer, pointer.size() - 1);
  Json* const found = parent == nullptr ? nullptr : child(*parent, pointer.back());
  if (found == nullptr) return missing(operation);
  if (value != nullptr) *value = std::move(*found);
  if (parent->is_object()) {
    parent->erase(pointer.back());
    return {};
  }
  const std::size_t index = *parse_index(pointer.back());
  if (!budget.spend(parent->size() - index)) return too_much();
  parent->erase(index);
  return {};
}

Patched<Operation> parse_operation(const Json& json) {
  if (!json.is_object())
    return refuse(
        fmt::format("error decoding patch: json: cannot unmarshal {} into Go value of type handlers.jsonPatchOp",
                    json.type_name()),
        400);
  Operation operation;
  const auto text = [&](const char* name, std::string& out) {
    const auto found = json.find(name);
    if (found == json.end() || !found->is_string()) return false;
    out = found->get<std::string>();
    return true;
  };
  if (!text("op", operation.op)) return refuse("Unexpected kind: unknown");
  if (operation.op.size() > 16) return refuse(fmt::format("Unexpected kind: {}", excerpt(operation.op)));
  if (!text("path", operation.path)) return refuse(operation.op + " operation has no path");
  auto pointer = parse_pointer(operation.path);
  if (!pointer)
    return refuse(fmt::format("{} operation does not apply: bad path: {}", operation.op, excerpt(operation.path)));
  operation.pointer = std::move(*pointer);
  if (operation.op == "copy" || operation.op == "move") {
    auto source = text("from", operation.from) ? parse_pointer(operation.from) : std::nullopt;
    if (!source) return refuse(fmt::format("{} operation has no from", operation.op));
    operation.source = std::move(*source);
  }
  const auto value = json.find("value");
  operation.value = value == json.end() ? nullptr : &*value;
  if (operation.value == nullptr && (operation.op == "add" || operation.op == "replace"))
    return refuse(fmt::format("{} operation has no value", operation.op));
  return operation;
}

std::size_t text_size(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace).size(); }

bool begins_with(const Pointer& longer, const Pointer& shorter) {
  return longer.size() > shorter.size() && std::equal(shorter.begin(), shorter.end(), longer.begin());
}

tl::expected<void, PatchError> perform(Json& document, const Operation& operation, Budget& budget) {
  const std::string& op = operation.op;
  if (op == "add") {
    if (is_too_deep(*operation.value, operation.pointer)) return too_deep();
    return add(document, operation, *operation.value, budget);
  }
  if (op == "remove") return remove(document, operation, operation.pointer, budget);
  if (op == "replace") {
    Json* target = find(document, operation.pointer, operation.pointer.size());
    if (target == nullptr) return missing(operation);
    if (is_too_deep(*operation.value, operation.pointer)) return too_deep();
    *target = *operation.value;
    return {};
  }
  if (op == "test") {
    const Json* target = find(document, operation.pointer, operation.pointer.size());
    static const Json null;
    const Json& wanted = operation.value == nullptr ? null : *operation.value;
    const bool same = target == nullptr ? wanted.is_null() : *target == wanted;
    if (same) return {};
    return refuse(fmt::format("testing value {} failed: test failed", excerpt(operation.path)));
  }
  if (op == "copy" || op == "move") {
    if (op == "move" && begins_with(operation.pointer, operation.source))
      return refuse("move operation does not apply: a value cannot be moved into itself");
    const Json* source = find(document, operation.source, operation.source.size());
    if (source == nullptr) return missing(operation);
    // What does not go deeper than it was cannot become too deep, and need not be looked through.
    if (op == "copy" || operation.pointer.size() > operation.source.size()) {
      const std::size_t size = text_size(*source);
      if (!budget.spend(size)) return too_much();
      if (op == "copy" && size > budget.octets) return refuse("copy operations make the object too large", 413);
      if (op == "copy") budget.octets -= size;
      if (is_too_deep(*source, operation.pointer)) return too_deep();
    }
    if (op == "copy") return add(document, operation, *source, budget);
    Json value;
    if (auto removed = remove(document, operation, operation.source, budget, &value); !removed) return removed;
    return add(document, operation, std::move(value), budget);
  }
  return refuse(fmt::format("Unexpected kind: {}", op));
}

void merge(Json& target, const Json& patch) {
  if (!patch.is_object()) {
    target = patch;
    return;
  }
  if (!target.is_object()) target = Json::object();
  for (const auto& [key, value] : patch.items()) {
    if (value.is_null())
      target.erase(key);
    else
      merge(target[key], value);
  }
}

} // namespace

Patched<Json> apply_json_patch(Json document, const Json& patch, std::size_t octets) {
  Budget budget{octets};
  if (!patch.is_array())
    return refuse("error decoding patch: json: cannot unmarshal object into Go value of type "
                  "jsonpatch.Patch",
                  400);
  if (patch.size() > max_operations)
    return refuse(
        fmt::format("The allowed maximum operations in a JSON patch is {}, got {}", max_operations, patch.size()), 413);
  for (const Json& item : patch) {
    auto operation = parse_operation(item);
    if (!operation) return tl::make_unexpected(operation.error());
    if (auto done = perform(document, *operation, budget); !done) return tl::make_unexpected(done.error());
  }
  return document;
}

Patched<Json> apply_merge_patch(Json document, const Json& patch) {
  if (!patch.is_object()) return refuse("a merge patch is a JSON object", 400);
  merge(document, patch);
  return document;
}

} // namespace signpost::api
