#include "server/daemon/block_zone.hpp"

#include <algorithm>
#include <iterator>

#include "zone/authority/special.hpp"

namespace signpost::server {
namespace {

bool is_reverse(std::string_view zone) { return zone.ends_with("in-addr.arpa") || zone.ends_with("ip6.arpa"); }

} // namespace

zone::ZoneSettings zone_settings(const ServerBlock& block) {
  const auto* files = std::get_if<ObjectsSource>(&block.source);
  zone::ZoneSettings zone;
  zone.origins = files != nullptr ? files->zones : std::get<RegistrySource>(block.source).zones;
  if (zone.origins.empty()) zone.origins = block.zones;
  const auto forward = std::find_if_not(zone.origins.begin(), zone.origins.end(), is_reverse);
  zone.cluster_domain = forward != zone.origins.end() ? *forward : "cluster.local";
  std::copy_if(zone.origins.begin(), zone.origins.end(), std::back_inserter(zone.partial),
               [&](const std::string& origin) { return block.is_partial(origin); });
  zone.ttl = block.ttl;
  for (const Endpoint& endpoint : block.listen)
    if (endpoint.zone.empty() && // who learns of an address elsewhere has other zones
        std::find(zone.server_addresses.begin(), zone.server_addresses.end(), endpoint.address) ==
            zone.server_addresses.end())
      zone.server_addresses.push_back(endpoint.address);
  return zone;
}

std::vector<std::string> zones_beyond(const Settings& settings, const ServerBlock& block) {
  std::vector<std::string> beyond;
  const auto same_port = [](const Endpoint& a, const Endpoint& b) { return a.port == b.port; };
  for (const ServerBlock& other : settings.blocks) {
    if (!std::holds_alternative<std::monostate>(other.source)) {
      const auto origins = zone_settings(other).origins;
      beyond.insert(beyond.end(), origins.begin(), origins.end());
    }
    const bool meets = std::find_first_of(other.listen.begin(), other.listen.end(), block.listen.begin(),
                                          block.listen.end(), same_port) != other.listen.end();
    if (&other != &block && meets) beyond.insert(beyond.end(), other.zones.begin(), other.zones.end());
  }
  for (const zone::SpecialZone& special : zone::special_zones())
    if (!special.is_private && !(special.is_testing && block.forward && block.forward->stays_here()))
      beyond.emplace_back(special.name);
  return beyond;
}

} // namespace signpost::server
