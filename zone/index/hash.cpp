#include "zone/index/hash.hpp"

#include <sys/random.h>

#include <random>

namespace signpost::zone {

const HashKey& hash_key() noexcept {
  static const HashKey key = [] {
    HashKey drawn{};
    if (getrandom(&drawn, sizeof drawn, 0) != static_cast<ssize_t>(sizeof drawn)) {
      std::random_device device;
      drawn.first = (std::uint64_t{device()} << 32) | device();
      drawn.second = (std::uint64_t{device()} << 32) | device();
    }
    drawn.second |= 1;
    return drawn;
  }();
  return key;
}

} // namespace signpost::zone
