#include "server/config/host.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <span>
#include <utility>

namespace signpost::server {
namespace {

std::optional<model::Address> address_of(const sockaddr* socket_address) {
  if (socket_address->sa_family == AF_INET) {
    const auto& a = reinterpret_cast<const sockaddr_in*>(socket_address)->sin_addr;
    return model::Address::from_bytes({reinterpret_cast<const std::uint8_t*>(&a), 4});
  }
  if (socket_address->sa_family == AF_INET6) {
    const auto& a = reinterpret_cast<const sockaddr_in6*>(socket_address)->sin6_addr;
    if (IN6_IS_ADDR_LINKLOCAL(&a)) return std::nullopt;
    return model::Address::from_bytes({reinterpret_cast<const std::uint8_t*>(&a), 16});
  }
  return std::nullopt;
}

/// Of the families that sockets can be made of.
std::vector<model::Address> wildcards() {
  std::vector<model::Address> all;
  for (const auto& [family, text] : {std::pair(AF_INET, "0.0.0.0"), std::pair(AF_INET6, "::")}) {
    const int fd = ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) continue;
    ::close(fd);
    all.push_back(*model::Address::parse(text));
  }
  return all;
}

} // namespace

std::vector<model::Address> Host::addresses() const {
  std::vector<model::Address> all;
  for (const Interface& interface : interfaces)
    for (const model::Address& address : interface.addresses)
      if (std::find(all.begin(), all.end(), address) == all.end()) all.push_back(address);
  return all.empty() ? wildcards : all;
}

bool Host::has(const model::Address& address) const {
  const auto all = addresses();
  return std::any_of(all.begin(), all.end(), [&](const model::Address& one) {
    return one == address || (one.is_unspecified() && one.is_v4() == address.is_v4());
  });
}

Host this_host() {
  Host host;
  host.environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };

  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) { // netlink is not there, or kept from us
    host.wildcards = wildcards();
    return host;
  }
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0) continue;
    const auto address = address_of(entry->ifa_addr);
    if (!address) continue;
    auto at = std::find_if(host.interfaces.begin(), host.interfaces.end(),
                           [&](const Interface& known) { return known.name == entry->ifa_name; });
    if (at == host.interfaces.end()) at = host.interfaces.insert(at, Interface{entry->ifa_name, {}});
    at->addresses.push_back(*address);
  }
  return host;
}

} // namespace signpost::server
