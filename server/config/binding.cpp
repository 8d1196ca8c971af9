#include "server/config/binding.hpp"

#include <algorithm>

#include "server/config/host.hpp"

namespace signpost::server {
namespace {

using Addresses = std::vector<model::Address>;

bool contains(const Addresses& all, const model::Address& address) {
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
      if (interface.name == name) add(all, interface.addresses);
  return all;
}

Addresses concrete(const model::Address& address, const Host& host) {
  if (!address.is_unspecified()) return {address};
  Addresses all = host.addresses();
  if (address.is_v4()) std::erase_if(all, [](const model::Address& one) { return !one.is_v4(); });
  return all;
}

} // namespace

bool Binding::follows() const {
  return !interfaces.empty() || addresses.empty() ||
         std::any_of(addresses.begin(), addresses.end(), [](const auto& address) { return address.is_unspecified(); });
}

std::vector<model::Address> addresses_on(const Binding& binding, const Host& host) {
  Addresses all;
  for (const auto& address : binding.addresses) add(all, concrete(address, host));
  add(all, addresses_of(binding.interfaces, host));
  if (binding.addresses.empty() && binding.interfaces.empty()) all = host.addresses();
  Addresses except = addresses_of(binding.except_interfaces, host);
  for (const auto& address : binding.except_addresses) add(except, concrete(address, host));
  // A wildcard listens on the excepted ones as well: there, it is no choice.
  const bool excepts = !binding.except_interfaces.empty() || !binding.except_addresses.empty();
  std::erase_if(all, [&](const model::Address& address) {
    return contains(except, address) || (excepts && address.is_unspecified());
  });
  return all;
}

} // namespace signpost::server
