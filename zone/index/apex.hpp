// A zone's top: its name, its kind, and its SOA record compiled for every negative answer.
//
// Immutable once the index is made; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "zone/wire/name.hpp"
#include "zone/wire/octets.hpp"

namespace signpost::zone {

struct Apex {
  enum class Kind : std::uint8_t { cluster, reverse4, reverse6 };

  /// `cluster` is the cluster domain, where ns.dns and hostmaster are. ttl in seconds.
  Apex(const wire::WireName& name, const wire::WireName& cluster, std::uint32_t ttl);

  wire::WireName name;
  wire::WireName home; // the cluster domain whose names answers here point to: `name` itself if it is no reverse zone
  Kind kind = Kind::cluster;
  bool partial = false; // others may know names of it that are not here

  // The SOA record with a pointer as owner, its pointers and serial to be filled in: `pointers` lead to the zone's name
  // (the owner's is the first); the one at `home_pointer`, if not 0, to `home` as spelled at `home_at`. Offsets count
  // from the record's start.
  std::array<std::uint8_t, 600> soa{};
  bool has_soa = true; // false: hostmaster would have too long a name; soa_length is then that of no usual record
  std::size_t soa_length = 0, soa_serial_at = 0;
  std::array<std::uint16_t, 3> pointers{};
  std::size_t pointer_count = 0;
  std::uint16_t home_pointer = 0, home_at = 0;

  /// Offset of this zone's name within a name that ends with it, or -1.
  [[nodiscard]] int suffix_of(const std::uint8_t* octets, std::size_t length, unsigned labels,
                              const std::uint8_t* label_offset) const noexcept {
    if (labels < name.labels) return -1;
    const std::size_t at = label_offset[labels - name.labels];
    if (length - at != name.length) return -1;
    return wire::same_octets(octets + at, name.octets.data(), name.length) ? static_cast<int>(at) : -1;
  }
};

} // namespace signpost::zone
