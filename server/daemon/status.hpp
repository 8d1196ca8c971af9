// What an operator asks first, as one JSON document: GET /status, and what `signpost status` prints.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "server/config/settings.hpp"
#include "server/daemon/metrics.hpp"
#include "server/log/log.hpp"

namespace signpost::server {

struct StatusFacts {
  const Settings& settings;
  const Parts& parts;
  std::chrono::system_clock::time_point started;
  std::chrono::seconds uptime{0};
  bool ready = false;
  std::vector<Endpoint> dns; // listened on now
  log::Tally told;
};

/// Members: version, started (RFC 3339), uptimeSeconds, ready, zones, dns, api, sources, services, revision (of a
/// registry), questions, replies by rcode; cache and upstreams where there is forwarding; log. Any thread.
[[nodiscard]] std::string status_page(const StatusFacts& facts);

} // namespace signpost::server
