#include "client/cli/api.hpp"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "discovery/model/json.hpp"

namespace signpost::cli {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> out;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    out.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return out;
}

// The values of a document are preceded by one of these each, so this bounds them without a look at its structure.
bool too_many_values(std::string_view text) {
  constexpr std::ptrdiff_t most = 4'000'000;
  return std::ranges::count_if(text, [](char c) { return c == ',' || c == '[' || c == '{'; }) > most;
}

Exit exit_of(int status, const std::string& reason) {
  switch (status) {
  case 404: return Exit::not_found;
  case 409: return Exit::conflict;
  case 429:
  case 502:
  case 503:
  case 504: return Exit::unavailable;
  default: return reason == "ServerTimeout" || reason == "Timeout" ? Exit::unavailable : Exit::error;
  }
}

} // namespace

const model::KindInfo* kind_named(std::string_view text) {
  const auto wanted = lower(text);
  for (const auto& kind : model::kinds()) {
    if (wanted == kind.plural || wanted == kind.singular || wanted == lower(kind.name)) return &kind;
    if (!kind.group.empty() && wanted == std::string(kind.plural) + '.' + std::string(kind.group)) return &kind;
    const auto shorts = split(kind.short_names);
    if (std::ranges::find(shorts, wanted) != shorts.end()) return &kind;
  }
  return nullptr;
}

std::vector<std::string> kind_names() {
  std::vector<std::string> out;
  for (const auto& kind : model::kinds()) {
    out.emplace_back(kind.plural);
    std::ranges::copy(split(kind.short_names), std::back_inserter(out));
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
        std::string_view("-._~").find(c) != std::string_view::npos)
      out += c;
    else
      (out += '%') += {"0123456789ABCDEF"[octet >> 4], "0123456789ABCDEF"[octet & 15]};
  }
  return out;
}

std::string object_path(const model::KindInfo& kind, std::string_view name_space, std::string_view name) {
  std::string path = kind.group.empty() ? "/api/" : "/apis/" + std::string(kind.group) + '/';
  path += kind.version;
  if (kind.namespaced && !name_space.empty()) path += "/namespaces/" + percent_encode(name_space);
  (path += '/') += kind.plural;
  if (!name.empty()) path += '/' + percent_encode(name);
  return path;
}

std::string accept_for(Form form) {
  return form == Form::table ? "application/json;as=Table;v=v1;g=meta.k8s.io,application/json" : "application/json";
}

std::string query_string(const Scope& scope, std::vector<std::pair<std::string, std::string>> more) {
  std::string fields = scope.field_selector;
  if (!scope.name.empty()) fields = "metadata.name=" + scope.name + (fields.empty() ? "" : ',' + fields);
  if (!scope.label_selector.empty()) more.emplace_back("labelSelector", scope.label_selector);
  if (!fields.empty()) more.emplace_back("fieldSelector", fields);
  if (scope.whole_rows) more.emplace_back("includeObject", "Object");
  std::string out;
  for (const auto& [key, value] : more) ((((out += out.empty() ? '?' : '&') += key) += '=')) += percent_encode(value);
  return out;
}

Failure failure_of(const HttpReply& reply) {
  const auto status = parse_document(reply.body);
  if (!status || text_member(*status, "kind") != "Status") {
    if (reply.status == 404)
      return {Exit::not_found, "the server does not know this kind of object; is the URL that of a signpostd API?"};
    return {exit_of(reply.status, ""), "the server answered with HTTP status " + std::to_string(reply.status)};
  }
  constexpr std::size_t longest = 4096;
  auto message = text_member(*status, "message");
  if (message.empty()) message = "the server answered with HTTP status " + std::to_string(reply.status);
  if (message.size() > longest) message = message.substr(0, longest) + " (and more)";
  return {exit_of(reply.status, text_member(*status, "reason")), std::move(message)};
}

Expected<Json> Api::call(const HttpRequest& request) {
  auto reply = http_.send(request);
  if (!reply) return tl::make_unexpected(std::move(reply.error()));
  if (on_warning)
    for (const auto& warning : reply->warnings) on_warning(warning);
  if (reply->status < 200 || reply->status >= 300) return tl::make_unexpected(failure_of(*reply));
  last_size_ = reply->body.size();
  auto json = parse_document(reply->body);
  if (!json || !json->is_object())
    return fail(Exit::error,
                "the server sent something that is not a JSON object; is the URL that of a signpostd API?");
  return std::move(*json);
}

Expected<Json> Api::get(const model::KindInfo& kind, std::string_view name_space, std::string_view name, Form form) {
  return call({.target = object_path(kind, name_space, name), .accept = accept_for(form)});
}

Expected<Json> Api::list(const model::KindInfo& kind, const Scope& scope, Form form) {
  constexpr std::size_t most_octets = std::size_t{512} << 20, least_page = 64 * 1024; // an empty page counts, too
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(10);
  Json whole;
  std::string next;
  std::size_t octets = 0;
  do {
    std::vector<std::pair<std::string, std::string>> paging{{"limit", "500"}};
    if (!next.empty()) paging.emplace_back("continue", next);
    auto page = call(
        {.target = object_path(kind, scope.name_space, "") + query_string(scope, paging), .accept = accept_for(form)});
    if (!page) return page;
    octets += std::max(least_page, last_size_);
    auto following = metadata_text(*page, "continue");
    if (!following.empty() && (following == next || octets > most_octets || std::chrono::steady_clock::now() > until))
      return fail(Exit::error, "the server's list of " + std::string(kind.plural) + " does not end");
    next = std::move(following);
    const char* const part = text_member(*page, "kind") == "Table" ? "rows" : "items";
    auto& items = (*page)[part];
    if (!items.is_array()) items = Json::array();
    std::erase_if(items.get_ref<Json::array_t&>(), [](const Json& item) { return !item.is_object(); });
    if (whole.is_null()) {
      whole = std::move(*page);
      if (!whole["metadata"].is_object()) whole["metadata"] = Json::object();
      whole["metadata"].erase("continue");
      whole["metadata"].erase("remainingItemCount");
      continue;
    }
    for (auto& item : items) whole[part].push_back(std::move(item));
  } while (!next.empty());
  return whole;
}

std::optional<Json> parse_document(std::string_view text) {
  if (too_many_values(text)) return std::nullopt;
  constexpr int deepest = 64; // no object of ours is deeper
  auto json = Json::parse(
      text, [](int depth, Json::parse_event_t, Json&) { return depth <= deepest; }, false);
  return json.is_discarded() ? std::nullopt : std::optional(std::move(json));
}

const Json& member(const Json& object, const std::string& key) {
  static const Json none;
  if (!object.is_object()) return none;
  const auto found = object.find(key);
  return found == object.end() ? none : *found;
}

std::string text_member(const Json& object, const char* key) { return std::string(model::text_member(object, key)); }

std::string metadata_text(const Json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto metadata = object.find("metadata");
  return metadata == object.end() ? std::string() : text_member(*metadata, key);
}

} // namespace signpost::cli
