// EDNS(0), RFC 6891: the OPT record of a query checked, the OPT record of a reply written, Extended DNS Errors
// (RFC 8914).
//
// We use no option of a query; those with a fixed shape are checked because a broken one deserves FORMERR.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace signpost::wire {

/// Octets of an OPT record without options.
inline constexpr std::size_t opt_size = 11;

/// INFO-CODE of RFC 8914.
enum class ExtendedError : std::uint16_t { none = 0, stale_answer = 3, not_ready = 14 };

/// Octets of the option that carries an INFO-CODE without text.
inline constexpr std::size_t extended_error_size = 6;

/// True when the options of an OPT record fill its rdata exactly and those known here have a legal shape: client
/// subnet (RFC 7871), cookie (RFC 7873), tcp-keepalive (RFC 7828).
[[nodiscard]] bool options_are_sound(std::span<const std::uint8_t> rdata) noexcept;

/// Writes a reply's OPT record, opt_size octets (plus extended_error_size unless `error` is none), at `at`. `rcode` is
/// the whole twelve-bit code; its upper eight bits go here. Returns the octets written.
std::size_t write_opt(std::uint8_t* at, std::uint16_t rcode, bool dnssec_ok,
                      ExtendedError error = ExtendedError::none) noexcept;

} // namespace signpost::wire
