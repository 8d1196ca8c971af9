// The label of an endpoint that has no hostname: its address with dashes, "10-244-1-5", "fd00--1", and back.
//
// IPv6 is written in canonical text (RFC 5952) before ':' becomes '-'; a text that would end in '-' gets a '0' behind.
// Pure, no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace signpost::zone {

/// Octets that write_endpoint_label() may need.
inline constexpr std::size_t max_endpoint_label = 40;

/// Writes the label (without length octet) of an address of 4 or 16 octets in network order; returns its length.
std::size_t write_endpoint_label(std::span<const std::uint8_t> address, std::uint8_t* at) noexcept;

/// An address read from a label; `length` 4 or 16, or 0: the label is no endpoint label.
struct LabelAddress {
  std::array<std::uint8_t, 16> octets{};
  std::size_t length = 0;
  [[nodiscard]] std::span<const std::uint8_t> span() const { return {octets.data(), length}; }
};

/// Reads a label in lower case. Only the very text that write_endpoint_label() writes is accepted.
[[nodiscard]] LabelAddress read_endpoint_label(std::span<const std::uint8_t> label) noexcept;

} // namespace signpost::zone
