// A zone's top: its name, its kind, and its SOA record compiled for every negative answer.
//
// Immutable after construction; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "zone/wire/name.hpp"

namespace signpost::zone {

struct Apex {
  enum class Kind : std::uint8_t { cluster, reverse4, reverse6 };

  /// `cluster` is the cluster domain, where ns.dns and hostmaster are. ttl in seconds.
  Apex(const wire::WireName& name, const wire::WireName& cluster, std::uint32_t ttl);

  wire::WireName name;
  wire::WireName home; // the cluster domain whose names answers here point to: `name` itself if it is no reverse zone
  Kind kind = Kind::cluster;

  // The SOA record with a pointer as owner. A patch is a pointer to be filled in: where it stands, and what it points
  // to, counted from the zone's name in the message (or, `from_record`, from the record's own start).
  struct Patch {
    std::uint16_t at = 0, target = 0;
    bool from_record = false;
  };
  std::array<std::uint8_t, 600> soa{};
  std::size_t soa_length = 0, soa_serial_at = 0;
  std::array<Patch, 3> patches{};
  std::size_t patch_count = 0;

  /// Offset of this zone's name within a name that ends with it, or -1.
  [[nodiscard]] int suffix_of(const std::uint8_t* octets, std::size_t length, unsigned labels,
                              const std::uint8_t* label_offset) const noexcept;
};

} // namespace signpost::zone
