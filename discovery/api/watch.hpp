// GET of a collection with watch=true: options, and where the watch begins.
#pragma once

#include <string_view>

#include "discovery/api/route.hpp"
#include "discovery/api/watch_feed.hpp"

namespace signpost::api {

[[nodiscard]] Reply watch_collection(registry::Registry& registry, Hub& hub, const Route& route, const Query& query,
                                     const Encoding& encoding);

} // namespace signpost::api
