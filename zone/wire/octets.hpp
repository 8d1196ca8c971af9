// Octets on the wire as numbers: unaligned big-endian loads and stores, eight octets at a time where it pays.
//
// All functions are pure and unchecked; the caller has made sure that the octets are there.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace signpost::wire {

[[nodiscard]] inline std::uint16_t load16(const std::uint8_t* at) noexcept {
  std::uint16_t value;
  std::memcpy(&value, at, 2);
  if constexpr (std::endian::native == std::endian::little) value = __builtin_bswap16(value);
  return value;
}

[[nodiscard]] inline std::uint32_t load32(const std::uint8_t* at) noexcept {
  std::uint32_t value;
  std::memcpy(&value, at, 4);
  if constexpr (std::endian::native == std::endian::little) value = __builtin_bswap32(value);
  return value;
}

inline void store16(std::uint8_t* at, std::uint16_t value) noexcept {
  if constexpr (std::endian::native == std::endian::little) value = __builtin_bswap16(value);
  std::memcpy(at, &value, 2);
}

inline void store32(std::uint8_t* at, std::uint32_t value) noexcept {
  if constexpr (std::endian::native == std::endian::little) value = __builtin_bswap32(value);
  std::memcpy(at, &value, 4);
}

/// Eight octets in memory order, for comparing, hashing and lower-casing.
[[nodiscard]] inline std::uint64_t load_word(const std::uint8_t* at) noexcept {
  std::uint64_t value;
  std::memcpy(&value, at, 8);
  return value;
}

inline void store_word(std::uint8_t* at, std::uint64_t value) noexcept { std::memcpy(at, &value, 8); }

/// Lower-cases the ASCII letters among eight octets; every other octet, and so every length octet, stays.
[[nodiscard]] inline std::uint64_t lower_word(std::uint64_t word) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101u;
  const std::uint64_t low7 = word & (ones * 0x7f);
  const std::uint64_t from_a = low7 + ones * (0x80 - 'A');
  const std::uint64_t past_z = low7 + ones * (0x7f - 'Z');
  const std::uint64_t upper = (from_a ^ past_z) & ~word & (ones * 0x80);
  return word | (upper >> 2);
}

/// The same for sixteen octets, from `from` to `to`.
inline void lower_sixteen(const std::uint8_t* from, std::uint8_t* to) noexcept {
  using Octets = std::uint8_t __attribute__((vector_size(16)));
  Octets octets;
  std::memcpy(&octets, from, 16);
  const Octets upper = (octets - 'A') < 26;
  octets |= upper & 0x20;
  std::memcpy(to, &octets, 16);
}

/// Equality without a call: names and keys are short.
[[nodiscard]] inline bool same_octets(const std::uint8_t* a, const std::uint8_t* b, std::size_t length) noexcept {
  if (length >= 8) {
    const std::size_t last = length - 8;
    for (std::size_t i = 0; i < last; i += 8) {
      if (load_word(a + i) != load_word(b + i)) return false;
    }
    return load_word(a + last) == load_word(b + last);
  }
  for (std::size_t i = 0; i < length; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

} // namespace signpost::wire
