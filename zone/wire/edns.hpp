// EDNS(0), RFC 6891: the OPT record of a query checked, the OPT record of a reply written, Extended DNS Errors
// (RFC 8914).
//
// We use no option of a query; those with a fixed shape are checked because a broken one deserves FORMERR.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "zone/wire/octets.hpp"
#include "zone/wire/types.hpp"

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
inline std::size_t write_opt(std::uint8_t* at, std::uint16_t rcode, bool dnssec_ok,
                             ExtendedError error = ExtendedError::none) noexcept {
  constexpr std::uint16_t extended_error = 15; // OPTION-CODE
  at[0] = 0;
  store32(at + 1, std::uint32_t{type::opt} << 16 | max_udp);
  store32(at + 5, (static_cast<std::uint32_t>(rcode >> 4) << 24) | (dnssec_ok ? 0x8000u : 0u));
  if (error == ExtendedError::none) [[likely]] {
    store16(at + 9, 0);
    return opt_size;
  }
  store16(at + 9, extended_error_size);
  store16(at + 11, extended_error);
  store16(at + 13, 2);
  store16(at + 15, static_cast<std::uint16_t>(error));
  return opt_size + extended_error_size;
}

} // namespace signpost::wire
