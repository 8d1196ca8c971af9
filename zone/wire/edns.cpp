#include "zone/wire/edns.hpp"

#include "zone/wire/octets.hpp"

namespace signpost::wire {
namespace {

constexpr std::uint16_t client_subnet = 8, cookie = 10, tcp_keepalive = 11;

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

bool option_is_sound(std::uint16_t code, std::span<const std::uint8_t> data) noexcept {
  switch (code) {
  case client_subnet: return subnet_is_sound(data);
  case cookie: return data.size() == 8 || (data.size() >= 16 && data.size() <= 40);
  case tcp_keepalive: return data.empty() || data.size() == 2;
  default: return true;
  }
}

} // namespace

bool options_are_sound(std::span<const std::uint8_t> rdata) noexcept {
  while (!rdata.empty()) {
    if (rdata.size() < 4) return false;
    const std::uint16_t code = load16(rdata.data());
    const std::size_t length = load16(rdata.data() + 2);
    if (length > rdata.size() - 4) return false;
    if (!option_is_sound(code, rdata.subspan(4, length))) return false;
    rdata = rdata.subspan(4 + length);
  }
  return true;
}

} // namespace signpost::wire
