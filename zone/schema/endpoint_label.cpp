#include "zone/schema/endpoint_label.hpp"

#include <algorithm>
#include <cstring>

namespace signpost::zone {
namespace {

std::uint8_t* write_decimal(std::uint8_t* at, unsigned value) noexcept {
  if (value >= 100) *at++ = static_cast<std::uint8_t>('0' + value / 100);
  if (value >= 10) *at++ = static_cast<std::uint8_t>('0' + value / 10 % 10);
  *at++ = static_cast<std::uint8_t>('0' + value % 10);
  return at;
}

std::uint8_t* write_hex(std::uint8_t* at, unsigned value) noexcept {
  constexpr const char* digits = "0123456789abcdef";
  bool started = false;
  for (int shift = 12; shift >= 0; shift -= 4) {
    const unsigned digit = (value >> shift) & 15;
    started = started || digit != 0 || shift == 0;
    if (started) *at++ = static_cast<std::uint8_t>(digits[digit]);
  }
  return at;
}

struct Run {
  int begin = -1, length = 0;
};

/// The first longest run of at least two zero groups (RFC 5952 4.2).
Run longest_zeros(const std::array<unsigned, 8>& groups) noexcept {
  Run best{-1, 1};
  for (int i = 0; i < 8;) {
    int end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i > best.length) best = {i, end - i};
    i = std::max(end, i + 1);
  }
  return best;
}

std::size_t write_v6(std::span<const std::uint8_t> address, std::uint8_t* const start) noexcept {
  std::array<unsigned, 8> groups;
  for (std::size_t i = 0; i < 8; ++i) groups[i] = static_cast<unsigned>(address[2 * i] << 8 | address[2 * i + 1]);
  const Run zeros = longest_zeros(groups);
  std::uint8_t* at = start;
  for (int i = 0; i < 8; ++i) {
    if (i == zeros.begin) {
      *at++ = '-';
      if (i == 0) *at++ = '-';
      i += zeros.length - 1;
      continue;
    }
    at = write_hex(at, groups[i]);
    if (i < 7) *at++ = '-';
  }
  if (at[-1] == '-') *at++ = '0';
  return static_cast<std::size_t>(at - start);
}

bool read_v4(std::span<const std::uint8_t> label, LabelAddress& address) noexcept {
  std::size_t group = 0;
  unsigned value = 0;
  bool digits = false;
  for (const std::uint8_t c : label) {
    if (c == '-') {
      if (!digits || group == 3) return false;
      address.octets[group++] = static_cast<std::uint8_t>(value);
      value = 0;
      digits = false;
    } else {
      if (c < '0' || c > '9') return false;
      value = value * 10 + (c - '0');
      if (value > 255) return false;
      digits = true;
    }
  }
  if (group != 3 || !digits) return false;
  address.octets[3] = static_cast<std::uint8_t>(value);
  address.length = 4;
  return true;
}

int hex_value(std::uint8_t c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Groups of hex digits between dashes; one empty group stands for as many zero groups as are missing. A leading pair
/// of dashes makes two empty groups, of which the first counts for nothing.
bool read_v6(std::span<const std::uint8_t> label, LabelAddress& address) noexcept {
  std::array<std::uint16_t, 9> groups{};
  std::size_t count = 0, gap = 9, at = 0;
  if (label.size() >= 2 && label[0] == '-' && label[1] == '-') at = 1;
  for (; at <= label.size(); ++at) {
    std::size_t digits = 0;
    unsigned value = 0;
    for (; at < label.size() && label[at] != '-'; ++at, ++digits) {
      const int digit = hex_value(label[at]);
      if (digit < 0 || digits == 4) return false;
      value = value << 4 | static_cast<unsigned>(digit);
    }
    if (digits == 0) {
      if (gap != 9) return false;
      gap = count;
      continue;
    }
    if (count == 8) return false;
    groups[count++] = static_cast<std::uint16_t>(value);
  }
  if (gap == 9 ? count != 8 : count > 7) return false;
  std::size_t to = 0;
  for (std::size_t i = 0; i <= count; ++i) {
    if (i == gap) to += 8 - count;
    if (i == count) break;
    address.octets[2 * to] = static_cast<std::uint8_t>(groups[i] >> 8);
    address.octets[2 * to + 1] = static_cast<std::uint8_t>(groups[i]);
    ++to;
  }
  address.length = 16;
  return true;
}

} // namespace

std::size_t write_endpoint_label(std::span<const std::uint8_t> address, std::uint8_t* const start) noexcept {
  if (address.size() == 16) return write_v6(address, start);
  std::uint8_t* at = start;
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0) *at++ = '-';
    at = write_decimal(at, address[i]);
  }
  return static_cast<std::size_t>(at - start);
}

LabelAddress read_endpoint_label(std::span<const std::uint8_t> label) noexcept {
  LabelAddress address;
  if (label.size() > max_endpoint_label || (!read_v4(label, address) && !read_v6(label, address))) return {};
  std::array<std::uint8_t, max_endpoint_label + 8> text;
  const std::size_t length = write_endpoint_label(address.span(), text.data());
  if (length != label.size() || std::memcmp(text.data(), label.data(), length) != 0) return {};
  return address;
}

} // namespace signpost::zone
