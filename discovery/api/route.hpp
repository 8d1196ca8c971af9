// Where a path leads: which document, which kind, which object. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "discovery/api/request.hpp"
#include "discovery/model/kind.hpp"

namespace signpost::api {

struct Route {
  enum class To : std::uint8_t {
    nothing,          // 404 in plain text
    unknown_resource, // 404 as a Status: the group is ours, the resource is not
    page,             // /healthz, /readyz, /version, /openapi/…, and further pages
    core_versions,    // /api
    groups,           // /apis
    group,            // /apis/GROUP
    resources,        // /api/v1, /apis/GROUP/VERSION
    collection,       // of a kind, of one namespace or all
    object,
    status, // sub-resource of an object
    review, // a question that is answered and not kept; `name` is the resource's
  };
  To to = To::nothing;
  model::Kind kind = model::Kind::service;
  std::string group;      // of group and resources
  std::string name_space; // empty: all, or cluster-scoped
  std::string name;
  bool all_namespaces = false; // a namespaced kind without a namespace in the path
};

[[nodiscard]] Route find_route(const std::vector<std::string>& segments);

/// The verbs a kind offers, as discovery names them.
[[nodiscard]] std::vector<std::string_view> verbs_of(model::Kind kind);
[[nodiscard]] bool has_status(model::Kind kind);

} // namespace signpost::api
