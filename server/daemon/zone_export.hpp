// `signpostd zone export`: what the daemon would say with these settings, as a zone file.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "server/config/settings.hpp"

namespace signpost::server {

/// Reads the source of the server block that has the zone `origin` (empty: the first one with a source, its cluster's
/// zone) and writes that zone, a line at a time; returns the number of records. A registry is read through a snapshot,
/// in use or not. The error is one sentence that says what to do.
[[nodiscard]] tl::expected<std::size_t, std::string> export_zone(const Settings& settings, const std::string& origin,
                                                                 const std::function<void(std::string_view)>& write);

} // namespace signpost::server
