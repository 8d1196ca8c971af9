// The zone of a server block with a source, as its settings describe it.
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "server/config/settings.hpp"
#include "zone/zone.hpp"

namespace signpost::server {

/// Origins are the source's zones or the block's, the cluster's domain is the first of them that is no reverse zone.
[[nodiscard]] zone::ZoneSettings zone_settings(const ServerBlock& block);

/// Zones about which the upstreams of `block` are not believed: those with a source, and those of the other blocks that
/// share a port with it.
[[nodiscard]] std::vector<std::string> zones_beyond(const Settings& settings, const ServerBlock& block);

} // namespace signpost::server
