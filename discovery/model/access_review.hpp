// SelfSubjectAccessReview (authorization.k8s.io/v1): a client asks whether it may do something. Plain data; never stored.
#pragma once

#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "discovery/model/json.hpp"

namespace signpost::model {

struct ResourceAttributes {
  std::string name_space;
  std::string verb;
  std::string group;
  std::string version;
  std::string resource;
  std::string subresource;
  std::string name;
  bool operator==(const ResourceAttributes&) const = default;
};

struct NonResourceAttributes {
  std::string path;
  std::string verb;
  bool operator==(const NonResourceAttributes&) const = default;
};

struct AccessReviewSpec {
  std::optional<ResourceAttributes> resource;
  std::optional<NonResourceAttributes> non_resource;
  bool operator==(const AccessReviewSpec&) const = default;
};

struct AccessReview {
  AccessReviewSpec spec;
  bool operator==(const AccessReview&) const = default;
};

[[nodiscard]] tl::expected<AccessReview, DecodeError> decode_access_review(const Json& json);
/// The spec as JSON, as it was asked.
void encode(const AccessReviewSpec& spec, std::string& out);

} // namespace signpost::model
