#include "discovery/api/route.hpp"

#include <algorithm>
#include <span>

#include "discovery/api/review.hpp"

namespace signpost::api {
namespace {

using To = Route::To;

bool is_group(std::string_view group) {
  return std::any_of(model::kinds().begin(), model::kinds().end(),
                     [&](const model::KindInfo& kind) { return !group.empty() && kind.group == group; });
}

const model::KindInfo* find_plural(std::string_view group, std::string_view plural) {
  for (const model::KindInfo& kind : model::kinds())
    if (kind.group == group && kind.plural == plural) return &kind;
  return nullptr;
}

using Segments = std::span<const std::string>;

/// Behind "namespaces/NS" or the version: RESOURCE[/NAME[/status]].
Route resource_route(std::string_view group, Segments rest, std::string_view name_space, bool in_namespace) {
  Route route;
  route.to = To::unknown_resource;
  const model::KindInfo* kind = find_plural(group, rest[0]);
  if (kind == nullptr || rest.size() > 3 || (in_namespace && !kind->namespaced)) return route;
  route.kind = kind->kind;
  route.name_space = std::string(name_space);
  route.all_namespaces = kind->namespaced && !in_namespace;
  if (rest.size() == 1) {
    route.to = To::collection;
    return route;
  }
  if (route.all_namespaces) return route; // an object of a namespaced kind has a namespace in its path
  route.name = rest[1];
  if (rest.size() == 2)
    route.to = To::object;
  else if (rest[2] == "status" && has_status(kind->kind))
    route.to = To::status;
  return route;
}

Route group_route(std::string_view group, Segments rest) {
  if (rest.empty()) {
    Route route;
    route.to = To::resources;
    route.group = std::string(group);
    return route;
  }
  if (rest[0] != "namespaces") return resource_route(group, rest, "", false);
  // "namespaces", "namespaces/NS", "namespaces/NS/status" are the kind itself, as long as it is in this group.
  const bool itself = rest.size() <= 2 || (rest.size() == 3 && rest[2] == "status");
  if (itself) return resource_route(group, rest, "", false);
  return resource_route(group, rest.subspan(2), rest[1], true);
}

} // namespace

Route find_route(const std::vector<std::string>& segments) {
  Route route;
  const Segments all(segments);
  if (all.empty()) return route;
  if (all[0] == "api") {
    if (all.size() == 1)
      route.to = To::core_versions;
    else if (all[1] == "v1")
      return group_route("", all.subspan(2));
    else
      route.to = To::unknown_resource;
    return route;
  }
  if (all[0] == "apis") {
    if (all.size() == 1) {
      route.to = To::groups;
    } else if (is_group(all[1])) {
      route.group = all[1];
      if (all.size() == 2)
        route.to = To::group;
      else if (all[2] == "v1")
        return group_route(all[1], all.subspan(3));
      else
        route.to = To::unknown_resource;
    } else if (all[1] == review_group) {
      route.group = all[1];
      if (all.size() == 2) route.to = To::group;
      if (all.size() > 2 && all[2] == "v1") route.to = To::unknown_resource;
      if (all.size() == 3 && all[2] == "v1") route.to = To::resources;
      if (all.size() == 4 && all[2] == "v1" && is_review(all[3])) {
        route.to = To::review;
        route.name = all[3];
      }
    }
    return route;
  }
  route.to = To::page;
  return route;
}

std::vector<std::string_view> verbs_of(model::Kind kind) {
  if (kind == model::Kind::name_space) return {"create", "delete", "get", "list", "patch", "update", "watch"};
  return {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
}

bool has_status(model::Kind kind) {
  switch (kind) {
  case model::Kind::service:
  case model::Kind::name_space:
  case model::Kind::service_cidr:
  case model::Kind::pod:
  case model::Kind::node: return true;
  default: return false;
  }
}

} // namespace signpost::api
