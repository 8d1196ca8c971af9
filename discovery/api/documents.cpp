#include "discovery/api/documents.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "discovery/api/review.hpp"
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

/// Of the kinds that are kept.
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
  list.push_back(group_json(review_group));
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
  if (group == review_group) {
    for (const Review& review : reviews)
      list.push_back({{"name", review.plural},
                      {"singularName", review.singular},
                      {"namespaced", false},
                      {"kind", review.kind},
                      {"verbs", {"create"}}});
  }
  return Json{{"kind", "APIResourceList"},
              {"apiVersion", "v1"},
              {"groupVersion", group.empty() ? "v1" : fmt::format("{}/v1", group)},
              {"resources", std::move(list)}}
      .dump();
}

std::string aggregated_document(bool core, std::string_view version) {
  const auto response_kind = [](std::string_view group, std::string_view kind) {
    return Json{{"group", group}, {"version", "v1"}, {"kind", kind}};
  };
  const auto item = [](std::string_view group, Json resources) {
    return Json{{"metadata", {{"name", group}, {"creationTimestamp", nullptr}}},
                {"versions", {{{"version", "v1"}, {"resources", std::move(resources)}, {"freshness", "Current"}}}}};
  };
  const auto resources_of = [&](std::string_view group) {
    Json list = Json::array();
    for (const model::KindInfo& kind : model::kinds()) {
      if (kind.group != group) continue;
      Json resource = {{"resource", kind.plural},
                       {"responseKind", response_kind(group, kind.name)},
                       {"scope", kind.namespaced ? "Namespaced" : "Cluster"},
                       {"singularResource", kind.singular},
                       {"verbs", verbs_of(kind.kind)}};
      if (!kind.short_names.empty()) resource["shortNames"] = split(kind.short_names);
      if (!kind.categories.empty()) resource["categories"] = split(kind.categories);
      if (has_status(kind.kind))
        resource["subresources"] = {{{"subresource", "status"},
                                     {"responseKind", response_kind(group, kind.name)},
                                     {"verbs", {"get", "patch", "update"}}}};
      list.push_back(std::move(resource));
    }
    return list;
  };
  Json items = Json::array();
  if (core) items.push_back(item("", resources_of("")));
  for (const std::string_view group : groups())
    if (!core) items.push_back(item(group, resources_of(group)));
  if (!core) {
    Json list = Json::array();
    for (const Review& review : reviews)
      list.push_back({{"resource", review.plural},
                      {"responseKind", response_kind(review_group, review.kind)},
                      {"scope", "Cluster"},
                      {"singularResource", review.singular},
                      {"verbs", {"create"}}});
    items.push_back(item(review_group, std::move(list)));
  }
  return Json{{"kind", "APIGroupDiscoveryList"},
              {"apiVersion", fmt::format("apidiscovery.k8s.io/{}", version)},
              {"metadata", Json::object()},
              {"items", std::move(items)}}
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
