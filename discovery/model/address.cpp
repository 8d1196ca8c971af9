#include "discovery/model/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstring>

namespace signpost::model {
namespace {

std::optional<std::array<std::uint8_t, 4>> parse_v4(std::string_view text) {
  std::array<std::uint8_t, 4> bytes{};
  for (std::size_t part = 0; part < 4; ++part) {
    if (part > 0) {
      if (text.empty() || text.front() != '.') return std::nullopt;
      text.remove_prefix(1);
    }
    unsigned value = 0;
    std::size_t digits = 0;
    while (digits < text.size() && digits < 4 && text[digits] >= '0' && text[digits] <= '9') {
      value = value * 10 + static_cast<unsigned>(text[digits++] - '0');
    }
    if (digits == 0 || digits > 3 || value > 255 || (digits > 1 && text.front() == '0')) return std::nullopt;
    bytes[part] = static_cast<std::uint8_t>(value);
    text.remove_prefix(digits);
  }
  if (!text.empty()) return std::nullopt;
  return bytes;
}

std::optional<std::array<std::uint8_t, 16>> parse_v6(std::string_view text) {
  char buffer[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof buffer || text.find('\0') != std::string_view::npos) return std::nullopt;
  text.copy(buffer, text.size());
  buffer[text.size()] = '\0';
  std::array<std::uint8_t, 16> bytes{};
  if (inet_pton(AF_INET6, buffer, bytes.data()) != 1) return std::nullopt;
  return bytes;
}

char* print_v4(char* out, const std::uint8_t* bytes) {
  for (int i = 0; i < 4; ++i) {
    if (i > 0) *out++ = '.';
    out = std::to_chars(out, out + 3, bytes[i]).ptr;
  }
  return out;
}

// RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as "::"; the IPv4-mapped
// prefix keeps its dotted tail. Unlike inet_ntop, ::102:304 is not shown as ::1.2.3.4 (neither does Go).
char* print_v6(char* out, const std::uint8_t* bytes) {
  static constexpr std::uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(mapped, mapped + 12, bytes)) {
    std::memcpy(out, "::ffff:", 7);
    return print_v4(out + 7, bytes + 12);
  }
  unsigned groups[8];
  for (int i = 0; i < 8; ++i) groups[i] = static_cast<unsigned>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  int best = 8, best_length = 1;
  for (int i = 0; i < 8;) {
    int end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i > best_length) best = i, best_length = end - i;
    i = end + 1;
  }
  for (int i = 0; i < 8; ++i) {
    if (i == best) {
      *out++ = ':';
      *out++ = ':';
      i += best_length - 1;
      continue;
    }
    if (i > 0 && out[-1] != ':') *out++ = ':';
    out = std::to_chars(out, out + 4, groups[i], 16).ptr;
  }
  return out;
}

bool host_bits_zero(std::span<const std::uint8_t> bytes, int length) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    int const network_bits = std::clamp(length - static_cast<int>(i) * 8, 0, 8);
    if ((bytes[i] & (0xff >> network_bits)) != 0) return false;
  }
  return true;
}

} // namespace

std::string_view to_string(Family family) { return family == Family::ipv4 ? "IPv4" : "IPv6"; }

std::optional<Address> Address::parse(std::string_view text) {
  if (text.find(':') == std::string_view::npos) {
    auto const bytes = parse_v4(text);
    if (!bytes) return std::nullopt;
    return from_bytes(*bytes);
  }
  auto const bytes = parse_v6(text);
  if (!bytes) return std::nullopt;
  return from_bytes(*bytes);
}

Address Address::from_bytes(std::span<const std::uint8_t> bytes) {
  assert(bytes.size() == 4 || bytes.size() == 16);
  Address address;
  address.family_ = bytes.size() == 4 ? Family::ipv4 : Family::ipv6;
  std::copy_n(bytes.begin(), std::min<std::size_t>(bytes.size(), 16), address.bytes_.begin());
  return address;
}

std::string Address::to_string() const {
  char buffer[INET6_ADDRSTRLEN];
  char* const end = is_v4() ? print_v4(buffer, bytes_.data()) : print_v6(buffer, bytes_.data());
  return {buffer, end};
}

bool Address::is_loopback() const {
  if (is_v4()) return bytes_[0] == 127;
  return bytes_[15] == 1 && std::all_of(bytes_.begin(), bytes_.begin() + 15, [](auto byte) { return byte == 0; });
}

bool Address::is_unspecified() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](auto byte) { return byte == 0; });
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  auto const slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  auto const base = Address::parse(text.substr(0, slash));
  if (!base) return std::nullopt;
  auto const digits = text.substr(slash + 1);
  int length = 0;
  auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  bool const plain = !digits.empty() && digits.front() != '-' && (digits.size() == 1 || digits.front() != '0');
  if (error != std::errc{} || end != digits.data() + digits.size() || !plain) return std::nullopt;
  if (length > (base->is_v4() ? 32 : 128) || !host_bits_zero(base->bytes(), length)) return std::nullopt;
  return Prefix{*base, length};
}

bool Prefix::contains(const Address& address) const {
  if (address.family() != base.family()) return false;
  auto const ours = base.bytes();
  auto const theirs = address.bytes();
  std::size_t const whole = static_cast<std::size_t>(length) / 8;
  if (!std::equal(ours.begin(), ours.begin() + whole, theirs.begin())) return false;
  int const rest = length % 8;
  return rest == 0 || ((ours[whole] ^ theirs[whole]) >> (8 - rest)) == 0;
}

std::string Prefix::to_string() const { return base.to_string() + '/' + std::to_string(length); }

} // namespace signpost::model
