// A service range: which addresses of a prefix can be virtual IPs, in which order, and which of them are the static
// band that dynamic allocation leaves to people who choose addresses themselves.
//
// Every usable address has an index from 0. IPv4: all but the network and the broadcast address. IPv6: all but the
// all-zero host, which is the subnet-router anycast address (RFC 4291, section 2.6.1); the last one is usable.
// Values; all functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "discovery/model/address.hpp"

namespace signpost::vip {

class Range {
public:
  /// A cluster's first range has at least so many addresses: /29, /125.
  static constexpr std::uint64_t fewest = 8;

  /// Refused, with a sentence: fewer addresses than `least`, IPv4 shorter than /2, IPv6 shorter than /64.
  [[nodiscard]] static tl::expected<Range, std::string> make(const model::Prefix& prefix, std::uint64_t least = fewest);

  [[nodiscard]] const model::Prefix& prefix() const { return prefix_; }

  /// Usable addresses: 0 … 2^64-1.
  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// The first so many usable addresses are the static band: 0 for up to 16 addresses, else a sixteenth of all, at
  /// least 16, at most 256 (KEP-3070).
  [[nodiscard]] std::uint64_t static_size() const { return static_size_; }

  /// index < size().
  [[nodiscard]] model::Address at(std::uint64_t index) const;

  /// nullopt: outside the prefix, or not usable.
  [[nodiscard]] std::optional<std::uint64_t> index_of(const model::Address& address) const;

  /// What service default/kubernetes gets: the first usable address.
  [[nodiscard]] model::Address first() const { return at(0); }

  /// The conventional address of the cluster's DNS, the base plus 10. nullopt: the range is too small to have one.
  [[nodiscard]] std::optional<model::Address> dns() const;

private:
  Range(const model::Prefix& prefix, std::uint64_t size, std::uint64_t static_size)
      : prefix_(prefix), size_(size), static_size_(static_size) {}

  model::Prefix prefix_;
  std::uint64_t size_;
  std::uint64_t static_size_;
};

/// The address so many steps behind `base`, of the same family; wraps at the end of the address space.
[[nodiscard]] model::Address add(const model::Address& base, std::uint64_t offset);

} // namespace signpost::vip
