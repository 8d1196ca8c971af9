// The values that words of a Corefile or a flag stand for: durations, numbers, zone names, CIDR keys. Pure functions;
// nullopt or an error says that the word is none.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "server/config/settings.hpp"

namespace signpost::server::corefile {

/// As Go writes durations: "5s", "1m30s", "500ms", "1.5h", "0"; not negative, at most 100 years.
[[nodiscard]] std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// Decimal digits only, within [least, most].
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t least, std::uint64_t most);

/// A zone as ServerBlock keeps it: lower case, no trailing dot, "." for the root (RFC 1035 2.3.4 lengths). The error
/// says what is wrong with the name.
[[nodiscard]] tl::expected<std::string, std::string> parse_zone(std::string_view text);

/// The reverse zones of "10.0.0.0/8" or "fd00::/8": one, or as many as a prefix between two labels needs. Host bits
/// are ignored. nullopt: not a prefix.
[[nodiscard]] std::optional<std::vector<std::string>> reverse_zones(std::string_view prefix);

/// A server block's key, "[dns://]ZONE|PREFIX[:PORT]": the zones with their port, `default_port` where none is given.
[[nodiscard]] tl::expected<std::vector<ZonePort>, std::string> parse_key(std::string_view text,
                                                                         std::uint16_t default_port);

/// debug, info, warning or error.
[[nodiscard]] std::optional<LogSettings::Level> parse_log_level(std::string_view text);

} // namespace signpost::server::corefile
