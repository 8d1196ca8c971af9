// Objects as rows for people: meta.k8s.io Table, the columns kubectl prints. And their metadata alone
// (PartialObjectMetadata), which the rows carry. Pure; `now` is seconds since 1970.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "discovery/model/kind.hpp"

namespace signpost::api {

/// What a row carries beside its cells (query parameter includeObject).
enum class IncludeObject : std::uint8_t { none, metadata, object };

/// Appends `"columnDefinitions":[…]`.
void append_columns(model::Kind kind, std::string& out);

/// Appends one row. `json` is the object as clients get it.
void append_row(model::Kind kind, std::string_view json, IncludeObject include, std::string_view meta_version,
                std::int64_t now, std::string& out);

/// Appends {"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{…}}.
void append_partial(std::string_view json, std::string_view meta_version, std::string& out);

/// An age as kubectl prints it: 5s, 3m20s, 4h, 12d, 2y30d.
[[nodiscard]] std::string human_duration(std::int64_t seconds);
/// The same from a time to now; "<unknown>" when it is none.
[[nodiscard]] std::string human_age(std::string_view time, std::int64_t now);
/// Seconds since 1970 of "2026-11-23T22:30:00Z"; -1: not a time.
[[nodiscard]] std::int64_t parse_time(std::string_view text);

} // namespace signpost::api
