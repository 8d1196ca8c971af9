// The small answer to a question of type ANY (RFC 8482 4.2): one HINFO record that tells why there are no more.
//
// Whoever asks ANY seldom needs all records, and whoever sends with a false source address wants them to be many. Pure
// functions over octets, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "zone/wire/query.hpp"

namespace signpost::wire {

namespace type {
inline constexpr std::uint16_t hinfo = 13;
}

inline constexpr std::uint32_t any_ttl = 8482; // seconds; long, so that who caches does not ask again
/// CPU "RFC8482", OS "".
inline constexpr std::array<std::uint8_t, 9> any_rdata{7, 'R', 'F', 'C', '8', '4', '8', '2', 0};

/// Makes the query in `buffer`, of type ANY, its reply without the AA flag. Returns the length; 0: no room for it.
[[nodiscard]] std::size_t write_any(std::span<std::uint8_t> buffer, const Query& query) noexcept;

} // namespace signpost::wire
