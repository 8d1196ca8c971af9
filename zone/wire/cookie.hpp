// DNS server cookies in the interoperable form: RFC 7873, RFC 9018 4.
//
//   1     3         4          8
//   01 | 00 00 00 | seconds | SipHash-2-4(client cookie | these first eight octets | client's address)
//
// A client that sends a cookie gets one back and can tell our replies from forged ones. We never insist on one, so what
// came of ours is not looked at and every reply carries a fresh one. Pure functions, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace signpost::wire {

using ClientCookie = std::array<std::uint8_t, 8>;
using CookieSecret = std::array<std::uint8_t, 16>;
/// Client cookie and server cookie: the data of the option.
using Cookie = std::array<std::uint8_t, 24>;

/// SipHash-2-4 with a result of 64 bits (Aumasson and Bernstein, 2012); all numbers little-endian.
[[nodiscard]] std::uint64_t siphash(const CookieSecret& key, std::span<const std::uint8_t> data) noexcept;

/// `seconds`: of UNIX time, modulo 2^32. `address`: of the client, 4 or 16 octets in network order.
[[nodiscard]] Cookie make_cookie(const CookieSecret& secret, const ClientCookie& client, std::uint32_t seconds,
                                 std::span<const std::uint8_t> address) noexcept;

} // namespace signpost::wire
