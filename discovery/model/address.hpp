// An IP address and an IP prefix as values: parsed once, compared and printed without the socket API's structs.
//
// Bytes are in network order. The text form is canonical (RFC 5952 for IPv6); where a user's spelling must survive
// (spec.clusterIPs), keep the string beside it. Values are trivially copyable; all functions are pure.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace signpost::model {

enum class Family : std::uint8_t { ipv4, ipv6 };

/// "IPv4" or "IPv6", as ipFamilies and addressType spell it.
[[nodiscard]] std::string_view to_string(Family family);

/// One IPv4 or IPv6 address. Default: 0.0.0.0.
class Address {
public:
  Address() = default;

  /// Dotted quad or RFC 4291 text; no zone id, no brackets, no leading zeros in IPv4. nullopt: not an address.
  [[nodiscard]] static std::optional<Address> parse(std::string_view text);

  /// From 4 or 16 bytes in network order; any other length is a programmer error.
  [[nodiscard]] static Address from_bytes(std::span<const std::uint8_t> bytes);

  [[nodiscard]] Family family() const { return family_; }
  [[nodiscard]] bool is_v4() const { return family_ == Family::ipv4; }

  /// 4 or 16 bytes, network order.
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {bytes_.data(), is_v4() ? 4u : 16u}; }

  /// Canonical text.
  [[nodiscard]] std::string to_string() const;

  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] bool is_unspecified() const;

  bool operator==(const Address&) const = default;
  /// IPv4 before IPv6, each by its bytes.
  std::strong_ordering operator<=>(const Address& other) const {
    if (family_ != other.family_) return family_ <=> other.family_;
    // As two numbers: lists of thousands of endpoints are sorted.
    const auto high = word(0) <=> other.word(0);
    return high != 0 ? high : word(8) <=> other.word(8);
  }

private:
  [[nodiscard]] std::uint64_t word(std::size_t at) const {
    std::uint64_t value;
    std::memcpy(&value, bytes_.data() + at, sizeof value);
    return std::endian::native == std::endian::little ? __builtin_bswap64(value) : value;
  }

  Family family_ = Family::ipv4;
  std::array<std::uint8_t, 16> bytes_{}; // the first 4 for IPv4, the rest zero
};

/// A network prefix with host bits zero.
struct Prefix {
  Address base;
  int length = 0; // bits, 0…32 or 0…128

  /// "10.96.0.0/12". nullopt: not a prefix, or host bits are set.
  [[nodiscard]] static std::optional<Prefix> parse(std::string_view text);

  [[nodiscard]] bool contains(const Address& address) const;
  [[nodiscard]] Family family() const { return base.family(); }
  [[nodiscard]] std::string to_string() const;

  auto operator<=>(const Prefix&) const = default;
};

} // namespace signpost::model
