// Times as the API writes them: RFC 3339 in UTC, in whole seconds or in microseconds. Private to this room; pure
// functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace signpost::model {

/// Reads RFC 3339 with any offset and fraction, gives canonical text ("2026-11-23T22:30:00Z"). The error is Go's text:
/// parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006".
[[nodiscard]] tl::expected<std::string, std::string> canonical_time(std::string_view text);

/// The same with six digits of fraction ("2026-11-23T22:30:00.000000Z"), which must be there, as upstream has it.
[[nodiscard]] tl::expected<std::string, std::string> canonical_micro_time(std::string_view text);

struct Instant {
  std::int64_t seconds;      // since 1970, UTC
  std::int32_t microseconds; // 0…999,999
};
/// RFC 3339 with any offset and fraction; nullopt: it is not.
[[nodiscard]] std::optional<Instant> parse_time(std::string_view text);

/// Canonical text of seconds since 1970; years outside 1…9999 give the empty string (unset).
[[nodiscard]] std::string time_text(std::int64_t seconds);
/// The same with `microseconds` (0…999,999; others count as 0) as its fraction.
[[nodiscard]] std::string micro_time_text(std::int64_t seconds, std::int32_t microseconds);

} // namespace signpost::model
