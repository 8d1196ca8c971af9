// The keyed hash of the index: names come from strangers, so where they land must not be theirs to choose.
//
// Multiply-and-fold over words of eight octets, with a secret drawn once per process.
#pragma once

#include <cstddef>
#include <cstdint>

#include "zone/wire/octets.hpp"

namespace signpost::zone {

struct HashKey {
  std::uint64_t first, second;
};

/// The process's secret, from getrandom(2); drawn at the first call.
[[nodiscard]] const HashKey& hash_key() noexcept;

/// Hashes `length` octets; never 0. Eight octets from `at` on must be readable even where `length` is less.
[[nodiscard]] inline std::uint32_t hash_octets(const HashKey& key, const std::uint8_t* at,
                                               std::size_t length) noexcept {
  const auto fold = [](std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  std::uint64_t state = key.first ^ length;
  std::uint64_t last;
  if (length >= 8) {
    std::size_t done = 0;
    for (; done + 8 < length; done += 8) state = fold(state ^ wire::load_word(at + done), key.second);
    last = wire::load_word(at + length - 8);
  } else {
    last = wire::load_word(at);
    if constexpr (std::endian::native == std::endian::little) {
      last = length == 0 ? 0 : last << (64 - 8 * length);
    } else {
      last = length == 0 ? 0 : last >> (64 - 8 * length);
    }
  }
  state = fold(state ^ last, key.second);
  const auto hash = static_cast<std::uint32_t>(fold(state, key.first | 1) >> 32);
  return hash != 0 ? hash : 1;
}

} // namespace signpost::zone
