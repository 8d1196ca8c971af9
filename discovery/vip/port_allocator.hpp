// The allocator of node ports: as the allocator of addresses, a hint; the claim key in the store decides.
//
// The first ports are the static band, preferred for ports that people choose: a 32nd of the range, at least 16, at
// most 128 (86 of 30000-32767); none in ranges of up to 16 ports.
// Threads: all functions may be called from any thread.
#pragma once

#include <cstdint>
#include <optional>

#include "discovery/vip/pool.hpp"

namespace signpost::vip {

using HeldPort = Held<std::uint16_t>;

class PortAllocator {
public:
  /// first <= last, both included.
  PortAllocator(std::uint16_t first, std::uint16_t last, Random random = system_random());

  [[nodiscard]] bool contains(int port) const { return port >= first_ && port <= last_; }
  [[nodiscard]] std::uint16_t first() const { return first_; }
  [[nodiscard]] std::uint16_t last() const { return last_; }
  [[nodiscard]] std::uint64_t static_size() const { return static_size_; }

  /// nullopt: the range is full.
  [[nodiscard]] std::optional<HeldPort> pick();
  /// nullopt: taken, held for another transaction, or outside the range.
  [[nodiscard]] std::optional<HeldPort> hold(std::uint16_t port);
  /// As Allocator::reserve, release and taken.
  void reserve(std::uint16_t port);
  void release(std::uint16_t port);
  [[nodiscard]] bool taken(std::uint16_t port) const;
  [[nodiscard]] std::uint64_t taken_count() const { return pool_.taken_count(); }

private:
  std::uint16_t first_, last_;
  std::uint64_t static_size_;
  Pool pool_;
};

} // namespace signpost::vip
