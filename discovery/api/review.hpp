// Questions of authorization.k8s.io/v1 (`kubectl auth can-i`): may I do this? There are no credentials yet, so whoever
// reaches the server may do all that it can do. Pure but for the registry's settings; any thread.
#pragma once

#include <string_view>

#include "discovery/api/request.hpp"
#include "discovery/registry/registry.hpp"

namespace signpost::api {

inline constexpr std::string_view review_group = "authorization.k8s.io";

struct Review {
  std::string_view plural, singular, kind;
};
inline constexpr Review reviews[] = {
    {"selfsubjectaccessreviews", "selfsubjectaccessreview", "SelfSubjectAccessReview"},
    {"selfsubjectrulesreviews", "selfsubjectrulesreview", "SelfSubjectRulesReview"},
};
[[nodiscard]] bool is_review(std::string_view plural);

/// Answers a POST to one of them.
[[nodiscard]] Reply review(const registry::Registry& registry, std::string_view plural, const Request& request);

} // namespace signpost::api
