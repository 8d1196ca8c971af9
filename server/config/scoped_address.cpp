#include "server/config/scoped_address.hpp"

#include <net/if.h>

#include <algorithm>
#include <charconv>

namespace signpost::server {

namespace {

/// An interface's name as Linux takes it, or its number.
bool is_zone(std::string_view text) {
  return !text.empty() && text.size() < IF_NAMESIZE &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~' && c != '/' && c != '%'; });
}

} // namespace

std::optional<ScopedAddress> ScopedAddress::parse(std::string_view text) {
  const auto percent = text.find('%');
  const auto address = model::Address::parse(text.substr(0, percent));
  if (!address) return std::nullopt;
  if (percent == std::string_view::npos) return ScopedAddress(*address);
  const auto zone = text.substr(percent + 1);
  if (!is_link_local(*address) || !is_zone(zone)) return std::nullopt;
  return ScopedAddress(*address, std::string(zone));
}

std::string ScopedAddress::to_string() const { return address.to_string() + (zone.empty() ? "" : "%" + zone); }

bool ScopedAddress::lacks_zone() const { return zone.empty() && is_link_local(address); }

bool is_link_local(const model::Address& address) {
  const auto bytes = address.bytes();
  return !address.is_v4() && bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

std::uint32_t scope_id(const std::string& zone) {
  if (zone.empty()) return 0;
  if (const std::uint32_t index = ::if_nametoindex(zone.c_str()); index != 0) return index;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(zone.data(), zone.data() + zone.size(), number);
  return error == std::errc{} && end == zone.data() + zone.size() ? number : 0;
}

} // namespace signpost::server
