// The documents by which clients find out what there is: groups, resources, version, OpenAPI. Pure; they never change
// while the program runs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace signpost::api {

[[nodiscard]] std::string core_versions_document(); // /api
[[nodiscard]] std::string groups_document();        // /apis
/// /apis/GROUP
[[nodiscard]] std::string group_document(std::string_view group);
/// /api/v1 (group empty), /apis/GROUP/v1
[[nodiscard]] std::string resources_document(std::string_view group);
/// /api (core) or /apis, all in one, as a client of apidiscovery.k8s.io/VERSION wants it.
[[nodiscard]] std::string aggregated_document(bool core, std::string_view version);
/// /version: the API's version, ours behind it.
[[nodiscard]] std::string version_document(std::string_view program_version);

/// /openapi/v2 for who asks for JSON, or for nothing in particular.
[[nodiscard]] std::string openapi_v2_json();
/// The same in protobuf: which query parameters a PATCH takes, no schemas.
[[nodiscard]] std::string openapi_v2_document();
/// /openapi/v3: which documents there are.
[[nodiscard]] std::string openapi_index();
/// /openapi/v3/api/v1, /openapi/v3/apis/GROUP/v1; nullopt: no such group. Enough for kubectl to leave validation to
/// the server (PATCH names fieldValidation) and to explain what the fields are called.
[[nodiscard]] std::optional<std::string> openapi_document(std::string_view group);

} // namespace signpost::api
