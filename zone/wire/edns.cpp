#include "zone/wire/edns.hpp"

#include <algorithm>

#include "zone/wire/query.hpp"

namespace signpost::wire {
namespace {

bool subnet_is_sound(std::span<const std::uint8_t> data) noexcept {
  if (data.size() < 4) return false;
  const std::uint16_t family = load16(data.data());
  const unsigned source = data[2];
  if (data[3] != 0) return false;
  if (family == 0) return source == 0 && data.size() == 4;
  if (family > 2) return true;
  if (source > (family == 1 ? 32u : 128u) || data.size() != 4 + (source + 7) / 8) return false;
  const unsigned partial = source % 8;
  return partial == 0 || (data.back() & (0xff >> partial)) == 0;
}

/// RFC 7873 4: of several cookies the first counts.
bool read_cookie(std::span<const std::uint8_t> data, Query& query) noexcept {
  const std::size_t client = query.client_cookie.size();
  if (data.size() != client && (data.size() < 2 * client || data.size() > 5 * client)) return false;
  if ((query.asked & Query::cookie) == 0) std::copy_n(data.begin(), client, query.client_cookie.begin());
  query.asked |= Query::cookie;
  return true;
}

bool read_option(std::uint16_t code, std::span<const std::uint8_t> data, Query& query) noexcept {
  switch (code) {
  case option::client_subnet: return subnet_is_sound(data);
  case option::cookie: return read_cookie(data, query);
  case option::tcp_keepalive: query.asked |= Query::keepalive; return data.empty() || data.size() == 2;
  case option::nsid: query.asked |= Query::nsid; return true;
  default: return true;
  }
}

} // namespace

void ReplyOptions::add(std::uint16_t code, std::span<const std::uint8_t> data) noexcept {
  if (octets_.size() - size_ < 4 + data.size()) return;
  std::uint8_t* at = octets_.data() + size_;
  store16(at, code);
  store16(at + 2, static_cast<std::uint16_t>(data.size()));
  std::copy(data.begin(), data.end(), at + 4);
  size_ = static_cast<std::uint8_t>(size_ + 4 + data.size());
}

bool read_options(std::span<const std::uint8_t> rdata, Query& query) noexcept {
  while (!rdata.empty()) {
    if (rdata.size() < 4) return false;
    const std::uint16_t code = load16(rdata.data());
    const std::size_t length = load16(rdata.data() + 2);
    if (length > rdata.size() - 4) return false;
    if (!read_option(code, rdata.subspan(4, length), query)) return false;
    rdata = rdata.subspan(4 + length);
  }
  return true;
}

std::size_t write_opt_rdata(std::uint8_t* at, ExtendedError error, std::span<const std::uint8_t> options) noexcept {
  std::size_t length = 0;
  if (error != ExtendedError::none) {
    length = extended_error_size(error);
    store16(at, option::extended_error);
    store16(at + 2, static_cast<std::uint16_t>(length - 4));
    store16(at + 4, static_cast<std::uint16_t>(error) & 0xff);
    const std::string_view text = extended_text(error);
    text.copy(reinterpret_cast<char*>(at + 6), text.size());
  }
  std::copy(options.begin(), options.end(), at + length);
  return length + options.size();
}

} // namespace signpost::wire
