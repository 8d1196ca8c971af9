// Domain names: the wire form (length octet and label, …, root octet) and its presentation form with \X and \DDD
// escapes (RFC 1035 5.1, RFC 4343 2.1).
//
// Pure functions, no allocation but for the returned text. A WireName is always sound: 1…255 octets, labels of 1…63.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "zone/wire/query.hpp"

namespace signpost::wire {

inline constexpr std::size_t max_label = 63;

/// One name in wire form, by value. Default: the root. `label_offset[labels]` is the root octet's.
struct WireName {
  std::array<std::uint8_t, 264> octets{}; // zero behind the name, so that words may be loaded past its end
  std::array<std::uint8_t, 128> label_offset{};
  std::uint16_t length = 1;
  std::uint8_t labels = 0;

  [[nodiscard]] std::span<const std::uint8_t> span() const { return {octets.data(), length}; }
  [[nodiscard]] bool operator==(const WireName& other) const;
};

/// Reads "a.b.c" or "a.b.c." (absolute either way); "" and "." are the root. Lower-cases. nullopt: an empty or too long
/// label, a name over 255 octets, a broken escape.
[[nodiscard]] std::optional<WireName> name_from_text(std::string_view text) noexcept;

/// Reads an uncompressed name at the start of `octets` and lower-cases it. nullopt: it does not end there, or a label
/// is no plain label.
[[nodiscard]] std::optional<WireName> name_from_wire(std::span<const std::uint8_t> octets) noexcept;

/// With trailing dot; "." for the root. `wire` must be a sound uncompressed name.
[[nodiscard]] std::string name_to_text(std::span<const std::uint8_t> wire);

/// Appends one label; false (and unchanged) when it is empty, over 63 octets, or the name would exceed 255.
[[nodiscard]] bool append_label(WireName& name, std::string_view label) noexcept;

} // namespace signpost::wire
