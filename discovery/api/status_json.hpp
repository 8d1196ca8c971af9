// A refusal as the API writes it: the Kubernetes Status object.
#pragma once

#include <string>
#include <string_view>

#include "discovery/api/request.hpp"
#include "discovery/registry/status.hpp"

namespace signpost::api {

/// The Status object. `continue_token`, if not empty, goes into its metadata (410 of a list that was paged).
[[nodiscard]] std::string status_json(const registry::Status& status, std::string_view continue_token = {});

/// The same as a reply, with Retry-After where the status says so.
[[nodiscard]] Reply status_reply(const registry::Status& status);

/// "Success" with details, as a DELETE answers.
[[nodiscard]] std::string success_json(const model::KindInfo& kind, std::string_view name, std::string_view uid);

// Refusals that only the HTTP side knows.
[[nodiscard]] registry::Status no_such_resource();
[[nodiscard]] registry::Status method_refused();
[[nodiscard]] registry::Status not_acceptable_status();
/// PartialObjectMetadata was asked of a list, or PartialObjectMetadataList of an object.
[[nodiscard]] registry::Status wrong_metadata_status(model::Kind kind, bool list);
[[nodiscard]] registry::Status unsupported_media_type(std::string_view accepted);
[[nodiscard]] registry::Status body_too_large(std::size_t limit);
/// A resourceVersion that is no number.
[[nodiscard]] registry::Status invalid_revision(std::string_view text);
[[nodiscard]] registry::Status too_large_revision(std::int64_t asked, std::int64_t current);
/// 422 of query options: `options` is the type's name (ListOptions, CreateOptions, …).
[[nodiscard]] registry::Status invalid_option(std::string_view options, registry::Cause cause);

} // namespace signpost::api
