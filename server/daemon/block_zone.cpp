#include "server/daemon/block_zone.hpp"

#include <algorithm>

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
  zone.ttl = block.ttl;
  for (const Endpoint& endpoint : block.listen)
    if (endpoint.zone.empty() && // who learns of an address elsewhere has other zones
        std::find(zone.server_addresses.begin(), zone.server_addresses.end(), endpoint.address) ==
            zone.server_addresses.end())
      zone.server_addresses.push_back(endpoint.address);
  return zone;
}

} // namespace signpost::server
