// The two ends of a reply: its room, and the header, counts and OPT record around what was written.
//
// Inline, for the common query's sake; the calling thread's own buffer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "zone/authority/reply.hpp"
#include "zone/wire/edns.hpp"
#include "zone/wire/octets.hpp"
#include "zone/wire/query.hpp"

namespace signpost::zone {

/// A reply to be written behind `at`, with room left for its OPT record with `error`.
[[gnu::always_inline]] inline Reply open_reply(const wire::Query& query, wire::Transport transport,
                                               std::span<std::uint8_t> buffer, std::size_t at, std::uint32_t ttl,
                                               wire::ExtendedError error) noexcept {
  const bool stream = transport == wire::Transport::tcp;
  std::size_t limit = std::min<std::size_t>(buffer.size(), stream ? 65535 : query.udp_size);
  if (query.edns)
    limit -=
        wire::opt_size + query.options.size() + wire::extended_error_size(stream ? wire::ExtendedError::other : error);
  Reply reply{buffer.data(), at, limit, ttl};
  reply.stream = stream;
  return reply;
}

/// Header, counts and OPT record around what is written. Returns the message's length.
[[gnu::always_inline]] inline std::size_t finish(Reply& reply, const wire::Query& query,
                                                 wire::ExtendedError error) noexcept {
  std::uint8_t* message = reply.message;
  std::uint16_t flags = static_cast<std::uint16_t>(wire::flag::qr | wire::flag::aa | query.reply_flags);
  if (reply.truncated) [[unlikely]] {
    if (!reply.stream)
      flags |= wire::flag::tc;
    else if (error == wire::ExtendedError::none)
      error = wire::ExtendedError::other;
  }
  if (query.edns) {
    reply.at += wire::write_opt(message + reply.at, static_cast<std::uint16_t>(reply.rcode), query.dnssec_ok, error,
                                query.options.span());
    ++reply.additional;
  }
  flags = static_cast<std::uint16_t>(flags | (query.flags & (wire::flag::rd | wire::flag::cd)) |
                                     (static_cast<std::uint16_t>(reply.rcode) & wire::flag::rcode));
  wire::store32(message + 2, std::uint32_t{flags} << 16 | 1);
  wire::store32(message + 6, std::uint32_t{reply.answers} << 16 | reply.authority);
  wire::store16(message + 10, reply.additional);
  return reply.at;
}

} // namespace signpost::zone
