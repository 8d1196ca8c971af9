// metav1.DeleteOptions: how a client wants an object deleted. Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "discovery/model/json.hpp"

namespace signpost::model {

struct DeleteOptions {
  std::optional<std::int64_t> grace_period_seconds;
  std::optional<std::string> precondition_uid;
  std::optional<std::string> precondition_resource_version;
  std::optional<std::string> propagation_policy;
  std::vector<std::string> dry_run;
};
/// null: none are given.
[[nodiscard]] tl::expected<DeleteOptions, DecodeError> decode_delete_options(const Json& json);

} // namespace signpost::model
