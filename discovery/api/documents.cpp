#include "discovery/api/documents.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "discovery/api/route.hpp"
#include "discovery/model/kind.hpp"

namespace signpost::api {
namespace {

using Json = nlohmann::ordered_json;

/// The release of the API whose behaviour is followed.
constexpr std::string_view api_major = "1", api_minor = "35", api_version = "v1.35.0";

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    parts.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return parts;
}

std::vector<std::string_view> groups() {
  std::vector<std::string_view> found;
  for (const model::KindInfo& kind : model::kinds())
    if (!kind.group.empty() && std::find(found.begin(), found.end(), kind.group) == found.end())
      found.push_back(kind.group);
  return found;
}

Json group_json(std::string_view group) {
  const Json version = {{"groupVersion", fmt::format("{}/v1", group)}, {"version", "v1"}};
  return {{"name", group}, {"versions", Json::array({version})}, {"preferredVersion", version}};
}

Json resource_json(const model::KindInfo& kind) {
  Json resource = {{"name", kind.plural},
                   {"singularName", kind.singular},
                   {"namespaced", kind.namespaced},
                   {"kind", kind.name},
                   {"verbs", verbs_of(kind.kind)}};
  if (!kind.short_names.empty()) resource["shortNames"] = split(kind.short_names);
  if (!kind.categories.empty()) resource["categories"] = split(kind.categories);
  return resource;
}

} // namespace

std::string core_versions_document() {
  return Json{{"kind", "APIVersions"}, {"versions", {"v1"}}, {"serverAddressByClientCIDRs", Json::array()}}.dump();
}

std::string groups_document() {
  Json list = Json::array();
  for (const std::string_view group : groups()) list.push_back(group_json(group));
  return Json{{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(list)}}.dump();
}

std::string group_document(std::string_view group) {
  Json document = {{"kind", "APIGroup"}, {"apiVersion", "v1"}};
  document.update(group_json(group));
  return document.dump();
}

std::string resources_document(std::string_view group) {
  Json list = Json::array();
  for (const model::KindInfo& kind : model::kinds()) {
    if (kind.group != group) continue;
    list.push_back(resource_json(kind));
    if (has_status(kind.kind))
      list.push_back({{"name", fmt::format("{}/status", kind.plural)},
                      {"singularName", ""},
                      {"namespaced", kind.namespaced},
                      {"kind", kind.name},
                      {"verbs", {"get", "patch", "update"}}});
  }
  return Json{{"kind", "APIResourceList"},
              {"apiVersion", "v1"},
              {"groupVersion", group.empty() ? "v1" : fmt::format("{}/v1", group)},
              {"resources", std::move(list)}}
      .dump();
}

std::string version_document(std::string_view program_version) {
  return Json{{"major", api_major},
              {"minor", api_minor},
              {"gitVersion", fmt::format("{}+signpost-{}", api_version, program_version)},
              {"gitCommit", ""},
              {"gitTreeState", "clean"},
              {"buildDate", "1970-01-01T00:00:00Z"},
              {"goVersion", ""},
              {"compiler", "gcc"},
              {"platform", "linux/amd64"}}
      .dump();
}

std::string openapi_index() {
  Json paths = Json::object();
  const auto add = [&](const std::string& path) {
    paths[path] = {{"serverRelativeURL", fmt::format("/openapi/v3/{}?hash={}", path, api_version.substr(1))}};
  };
  add("api/v1");
  for (const std::string_view group : groups()) add(fmt::format("apis/{}/v1", group));
  return Json{{"paths", std::move(paths)}}.dump();
}

} // namespace signpost::api
