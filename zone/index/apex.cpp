#include "zone/index/apex.hpp"

#include <string_view>

#include "zone/wire/types.hpp"

namespace signpost::zone {
namespace {

constexpr std::uint32_t refresh = 7200, retry = 1800, expire = 86400; // seconds

constexpr std::string_view hostmaster = "\12hostmaster"; // the longest label that is put before the cluster domain

bool ends_with(const wire::WireName& name, std::string_view suffix) {
  return name.length >= suffix.size() &&
         std::memcmp(name.octets.data() + name.length - suffix.size(), suffix.data(), suffix.size()) == 0;
}

} // namespace

Apex::Apex(const wire::WireName& zone, const wire::WireName& cluster, std::uint32_t ttl) : name(zone), home(zone) {
  using namespace std::string_view_literals;
  if (ends_with(zone, "\7in-addr\4arpa\0"sv)) kind = Kind::reverse4;
  if (ends_with(zone, "\3ip6\4arpa\0"sv)) kind = Kind::reverse6;
  if (kind != Kind::cluster) home = cluster;

  has_soa = hostmaster.size() + home.length <= wire::max_name;
  if (!has_soa) {
    soa_length = soa.size();
    return;
  }
  std::uint8_t* at = soa.data();
  const auto put = [&](std::string_view octets) {
    std::memcpy(at, octets.data(), octets.size());
    at += octets.size();
  };
  const auto here = [&] { return static_cast<std::uint16_t>(at - soa.data()); };
  const auto put_pointer = [&] {
    pointers[pointer_count++] = here();
    at += 2;
  };
  const auto put32 = [&](std::uint32_t value) {
    wire::store32(at, value);
    at += 4;
  };
  put_pointer();
  put("\0\6\0\1"sv);
  put32(ttl);
  std::uint8_t* const rdata_length = at;
  at += 2;
  put("\2ns\3dns"sv);
  if (kind == Kind::cluster) {
    put_pointer();
    put(hostmaster);
    put_pointer();
  } else {
    home_at = here();
    put({reinterpret_cast<const char*>(home.octets.data()), home.length});
    put(hostmaster);
    home_pointer = here();
    at += 2;
  }
  soa_serial_at = static_cast<std::size_t>(at - soa.data());
  for (const std::uint32_t value : {0u, refresh, retry, expire, ttl}) put32(value);
  soa_length = static_cast<std::size_t>(at - soa.data());
  wire::store16(rdata_length, static_cast<std::uint16_t>(at - rdata_length - 2));
}

} // namespace signpost::zone
