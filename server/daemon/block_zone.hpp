// The zone of a server block with a source, as its settings describe it.
//
// Pure.
#pragma once

#include "server/config/settings.hpp"
#include "zone/zone.hpp"

namespace signpost::server {

/// Origins are the source's zones or the block's, the cluster's domain is the first of them that is no reverse zone.
[[nodiscard]] zone::ZoneSettings zone_settings(const ServerBlock& block);

} // namespace signpost::server
