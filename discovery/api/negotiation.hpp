// What the client wants back (Accept) and what it sent (Content-Type). Pure.
//
// Answers are JSON, or YAML where it comes first. Protobuf is for who accepts nothing else: every client decodes by the
// answer's own Content-Type, so one that would rather have it reads JSON, too. What Accept decides beside that is the
// shape: the object, a Table for people (JSON only), or metadata alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace signpost::api {

enum class Format : std::uint8_t { json, yaml, protobuf };
[[nodiscard]] std::string_view media_type(Format format);

enum class Shape : std::uint8_t { object, table, metadata };

struct Encoding {
  Format format = Format::json;
  Shape shape = Shape::object;
  bool of_list = false;            // of metadata: it was asked of a list, PartialObjectMetadataList
  std::string_view version = "v1"; // of meta.k8s.io, for table and metadata: v1 or v1beta1
};

/// nullopt: 406. Clauses count in the order of their q, then as written.
[[nodiscard]] std::optional<Encoding> negotiate(std::string_view accept);
inline constexpr std::string_view not_acceptable =
    "only the following media types are accepted: application/json, application/yaml, "
    "application/vnd.kubernetes.protobuf";

/// How a client wants to be told of all resources at once, the version of apidiscovery.k8s.io: "v2", "v2beta1"; empty:
/// not at once, but document by document.
[[nodiscard]] std::string_view aggregated_version(std::string_view accept);

/// Of Accept-Encoding.
[[nodiscard]] bool accepts_gzip(std::string_view accept_encoding);

enum class BodyFormat : std::uint8_t { json, yaml, protobuf, json_patch, merge_patch, strategic_patch, apply_patch };

/// What the body of a POST or PUT may be, for error texts.
inline constexpr std::string_view body_types =
    "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/// By media type, parameters left out; an empty one is JSON. nullopt: none of ours.
[[nodiscard]] std::optional<BodyFormat> body_format(std::string_view content_type);

} // namespace signpost::api
