#include "server/config/binding.hpp"

#include <algorithm>

#include "server/config/host.hpp"

namespace signpost::server {
namespace {

using Addresses = std::vector<ScopedAddress>;

bool contains(const Addresses& all, const ScopedAddress& address) {
  return std::find(all.begin(), all.end(), address) != all.end();
}

void add(Addresses& all, const Addresses& more) {
  for (const auto& address : more)
    if (!contains(all, address)) all.push_back(address);
}

Addresses addresses_of(const std::vector<std::string>& interfaces, const Host& host) {
  Addresses all;
  for (const std::string& name : interfaces)
    for (const Interface& interface : host.interfaces)
      if (interface.name == name) add(all, {interface.addresses.begin(), interface.addresses.end()});
  return all;
}

Addresses of_host(const Host& host) {
  const auto all = host.addresses();
  return {all.begin(), all.end()};
}

Addresses concrete(const ScopedAddress& named, const Host& host) {
  if (!named.address.is_unspecified()) return {named};
  Addresses all = of_host(host);
  if (named.address.is_v4()) std::erase_if(all, [](const ScopedAddress& one) { return !one.address.is_v4(); });
  return all;
}

} // namespace

bool Binding::follows() const {
  return !interfaces.empty() || addresses.empty() ||
         std::any_of(addresses.begin(), addresses.end(),
                     [](const auto& named) { return named.address.is_unspecified(); });
}

std::vector<ScopedAddress> addresses_on(const Binding& binding, const Host& host) {
  Addresses all;
  for (const auto& address : binding.addresses) add(all, concrete(address, host));
  add(all, addresses_of(binding.interfaces, host));
  if (binding.addresses.empty() && binding.interfaces.empty()) all = of_host(host);
  Addresses except = addresses_of(binding.except_interfaces, host);
  for (const auto& address : binding.except_addresses) add(except, concrete(address, host));
  // A wildcard listens on the excepted ones as well: there, it is no choice.
  const bool excepts = !binding.except_interfaces.empty() || !binding.except_addresses.empty();
  std::erase_if(all, [&](const ScopedAddress& one) {
    return contains(except, one) || (excepts && one.address.is_unspecified());
  });
  return all;
}

} // namespace signpost::server
