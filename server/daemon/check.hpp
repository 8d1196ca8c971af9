// What a start would refuse although the configuration can be read: files, folders and addresses that it names.
#pragma once

#include <string>
#include <vector>

#include "server/config/settings.hpp"
#include "server/log/log.hpp"

namespace signpost::server {

/// Reads objects files, looks for upstreams that are this server itself, addresses that this host does not have and
/// folders that cannot be written; opens and changes nothing. A line for everything that is wrong: "FILE:LINE: what;
/// instead: what". A port that is taken is none: it may be by the daemon that this configuration is for.
[[nodiscard]] std::vector<std::string> check_files(const Settings& settings);

[[nodiscard]] log::Settings log_settings(const LogSettings& settings);

} // namespace signpost::server
