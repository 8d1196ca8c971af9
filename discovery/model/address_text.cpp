#include "discovery/model/address_text.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace signpost::model {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string without_leading_zeros(std::string_view text) {
  std::string plain;
  std::size_t run = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (run == 0 && text[i] == '0' && i + 1 < text.size() && is_digit(text[i + 1])) continue;
    run = is_digit(text[i]) ? run + 1 : 0;
    plain += text[i];
  }
  return plain;
}

} // namespace

std::optional<Address> read_address(std::string_view text) {
  const auto address = Address::parse(text);
  if (!address) return text.find(':') == std::string_view::npos ? Address::parse(without_leading_zeros(text)) : address;
  static constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const auto octets = address->bytes();
  if (!address->is_v4() && std::equal(mapped.begin(), mapped.end(), octets.begin()))
    return Address::from_bytes(octets.subspan(12));
  return address;
}

} // namespace signpost::model
