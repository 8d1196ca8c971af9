#include "discovery/vip/port_allocator.hpp"

#include <algorithm>

namespace signpost::vip {
namespace {

std::uint64_t size_of(std::uint16_t first, std::uint16_t last) { return std::uint64_t{last} - first + 1; }

std::uint64_t static_band(std::uint64_t ports) {
  if (ports <= 16) return 0;
  return std::min<std::uint64_t>(std::max<std::uint64_t>(16, ports / 32), 128);
}

} // namespace

PortAllocator::PortAllocator(std::uint16_t first, std::uint16_t last, Random random)
    : first_(first), last_(last), static_size_(static_band(size_of(first, last))),
      pool_(size_of(first, last), static_size_, std::move(random)) {}

std::optional<HeldPort> PortAllocator::pick() {
  const auto index = pool_.pick();
  if (!index) return std::nullopt;
  return HeldPort(pool_, *index, static_cast<std::uint16_t>(first_ + *index));
}

std::optional<HeldPort> PortAllocator::hold(std::uint16_t port) {
  if (!contains(port) || !pool_.hold(port - first_)) return std::nullopt;
  return HeldPort(pool_, port - first_, port);
}

void PortAllocator::reserve(std::uint16_t port) {
  if (contains(port)) pool_.reserve(port - first_);
}

void PortAllocator::release(std::uint16_t port) {
  if (contains(port)) pool_.release(port - first_);
}

bool PortAllocator::taken(std::uint16_t port) const { return contains(port) && pool_.taken(port - first_); }

} // namespace signpost::vip
