// Times as the API writes them: RFC 3339 in UTC and whole seconds. Private to this room; pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace signpost::model {

/// Reads RFC 3339 with any offset and fraction, gives canonical text ("2026-11-23T22:30:00Z"). The error is Go's text:
/// parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006".
[[nodiscard]] tl::expected<std::string, std::string> canonical_time(std::string_view text);

/// Canonical text of seconds since 1970; years outside 1…9999 give the empty string (unset).
[[nodiscard]] std::string time_text(std::int64_t seconds);

} // namespace signpost::model
