#include "discovery/vip/range.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

namespace signpost::vip {
namespace {

constexpr int bits_of(model::Family family) { return family == model::Family::ipv4 ? 32 : 128; }

// All addresses of the prefix, the unusable ones too, clamped to 64 bits.
std::uint64_t count(const model::Prefix& prefix) {
  const int host_bits = bits_of(prefix.family()) - prefix.length;
  return host_bits >= 64 ? std::numeric_limits<std::uint64_t>::max() : std::uint64_t{1} << host_bits;
}

std::uint64_t static_band(std::uint64_t addresses) {
  if (addresses <= 16) return 0;
  return std::min<std::uint64_t>(std::max<std::uint64_t>(16, addresses / 16), 256);
}

} // namespace

model::Address add(const model::Address& base, std::uint64_t offset) {
  std::array<std::uint8_t, 16> bytes{};
  const auto from = base.bytes();
  std::copy(from.begin(), from.end(), bytes.begin());
  std::uint64_t carry = offset;
  for (std::size_t i = from.size(); i-- > 0 && carry != 0;) {
    const std::uint64_t sum = bytes[i] + (carry & 0xff);
    bytes[i] = static_cast<std::uint8_t>(sum);
    carry = (carry >> 8) + (sum >> 8);
  }
  return model::Address::from_bytes({bytes.data(), from.size()});
}

tl::expected<Range, std::string> Range::make(const model::Prefix& prefix, std::uint64_t least) {
  const bool v4 = prefix.family() == model::Family::ipv4;
  const auto refuse = [&](const std::string& why) {
    return tl::make_unexpected(prefix.to_string() + " cannot be a service range: " + why);
  };
  const std::uint64_t addresses = count(prefix);
  if (addresses < least)
    return refuse("it has fewer than " + std::to_string(least) + " addresses; use /" +
                  std::to_string(bits_of(prefix.family()) - std::bit_width(least - 1)) + " or shorter");
  if (v4 && prefix.length < 2) return refuse("it is too large; use /2 or longer");
  if (!v4 && prefix.length < 64) return refuse("it is too large; use /64 or longer");
  if (v4) return Range(prefix, addresses < 2 ? 0 : addresses - 2, static_band(addresses));
  const bool clamped = prefix.length == 64; // 2^64 addresses are counted as 2^64-1, which is what is usable
  return Range(prefix, clamped ? addresses : addresses - 1, static_band(addresses));
}

model::Address Range::at(std::uint64_t index) const { return add(prefix_.base, index + 1); }

std::optional<std::uint64_t> Range::index_of(const model::Address& address) const {
  if (!prefix_.contains(address)) return std::nullopt;
  // No range is larger than 2^64 addresses, so that the low 8 bytes tell how far the address is from the base.
  const auto low = [](const model::Address& a) {
    const auto bytes = a.bytes();
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes.last(std::min<std::size_t>(8, bytes.size()))) value = value << 8 | byte;
    return value;
  };
  const std::uint64_t offset = low(address) - low(prefix_.base);
  if (offset == 0 || offset > size_) return std::nullopt;
  return offset - 1;
}

std::optional<model::Address> Range::dns() const {
  if (size_ < 10) return std::nullopt;
  return at(9);
}

} // namespace signpost::vip
