#include "zone/wire/any.hpp"

#include <algorithm>
#include <cstring>

#include "zone/wire/edns.hpp"
#include "zone/wire/octets.hpp"
#include "zone/wire/types.hpp"

namespace signpost::wire {

std::size_t write_any(std::span<std::uint8_t> buffer, const Query& query) noexcept {
  constexpr std::uint16_t question_pointer = 0xc000 | header_size;
  constexpr std::size_t fixed = 12; // owner, type, class, TTL, rdata length
  std::size_t at = header_size + query.question_length;
  const std::size_t options = query.options.size();
  if (buffer.size() < at + fixed + any_rdata.size() + (query.edns ? opt_size + options : 0)) return 0;
  store16(&buffer[2], static_cast<std::uint16_t>(flag::qr | query.reply_flags | (query.flags & (flag::rd | flag::cd))));
  store32(&buffer[4], 1u << 16 | 1); // a question, an answer
  store32(&buffer[8], query.edns ? 1 : 0);
  store16(&buffer[at], question_pointer);
  store32(&buffer[at + 2], std::uint32_t{type::hinfo} << 16 | class_in);
  store32(&buffer[at + 6], any_ttl);
  store16(&buffer[at + 10], static_cast<std::uint16_t>(any_rdata.size()));
  std::memcpy(&buffer[at + fixed], any_rdata.data(), any_rdata.size());
  at += fixed + any_rdata.size();
  if (query.edns) at += write_opt(&buffer[at], 0, query.dnssec_ok, ExtendedError::none, query.options.span());
  return at;
}

} // namespace signpost::wire
