// The three patches of the API, on JSON documents: JSON Patch (RFC 6902), merge patch (RFC 7386) and Kubernetes'
// strategic merge patch, which knows by what key the items of a list are matched.
//
// Pure. Input comes from the network: depth is bounded by the parser that made the documents, what JSON Patch may copy
// by a budget of bytes.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <tl/expected.hpp>

#include "discovery/model/kind.hpp"

namespace signpost::api {

struct PatchError {
  int status = 422; // 400: not a patch at all; 413: too large; 422: it does not fit the object
  std::string message;
};

template <class T>
using Patched = tl::expected<T, PatchError>;

/// RFC 6902. At most 10,000 operations; copies may add at most `octets`, and all together move a bounded number of items.
[[nodiscard]] Patched<nlohmann::json> apply_json_patch(nlohmann::json document, const nlohmann::json& patch,
                                                       std::size_t octets = 3 << 20);

/// RFC 7386. The patch must be an object.
[[nodiscard]] Patched<nlohmann::json> apply_merge_patch(nlohmann::json document, const nlohmann::json& patch);

/// $patch, $retainKeys, $setElementOrder/…, $deleteFromPrimitiveList/…; merge keys of the kind.
[[nodiscard]] Patched<nlohmann::json> apply_strategic_patch(model::Kind kind, nlohmann::json document,
                                                            const nlohmann::json& patch);

} // namespace signpost::api
