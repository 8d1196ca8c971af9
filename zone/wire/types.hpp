// The numbers of RFC 1035 and its successors that an answer engine names (IANA "DNS Parameters").
#pragma once

#include <cstddef>
#include <cstdint>

namespace signpost::wire {

namespace type {
inline constexpr std::uint16_t a = 1, ns = 2, cname = 5, soa = 6, ptr = 12, txt = 16, aaaa = 28, srv = 33, opt = 41;
inline constexpr std::uint16_t tkey = 249, tsig = 250, ixfr = 251, axfr = 252, any = 255;
} // namespace type

inline constexpr std::uint16_t class_in = 1;
inline constexpr std::uint16_t class_any = 255;

/// Octets of the message header (RFC 1035 4.1.1), and bits of its second word.
inline constexpr std::size_t header_size = 12;
namespace flag {
inline constexpr std::uint16_t qr = 0x8000, opcode = 0x7800, aa = 0x0400, tc = 0x0200, rd = 0x0100, ra = 0x0080,
                               ad = 0x0020, cd = 0x0010, rcode = 0x000f;
} // namespace flag

/// CNAMEs that are followed for one question, whoever says them: resolvers follow 8 to 16.
inline constexpr std::size_t max_aliases = 32;

/// What we announce and at most send over UDP (DNS flag day 2020: no fragments).
inline constexpr std::uint16_t max_udp = 1232;
/// What a client takes that says nothing (RFC 1035 2.3.4).
inline constexpr std::uint16_t min_udp = 512;

} // namespace signpost::wire
