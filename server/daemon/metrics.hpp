// What the daemon's parts count, as samples for the metrics page.
#pragma once

#include <cstddef>
#include <vector>

#include "server/admin/metrics.hpp"

namespace signpost::api {
class Server;
}
namespace signpost::endpoints {
class EndpointsController;
}
namespace signpost::registry {
class Registry;
}

namespace signpost::store {
class SqliteStore;
}

namespace signpost::server {

class Forwarder;
class Listeners;

/// What there is; null or empty: this daemon has no such part.
struct Parts {
  const Listeners* listeners = nullptr;
  std::vector<const Forwarder*> forwarders;
  const registry::Registry* registry = nullptr;
  const store::SqliteStore* store = nullptr;
  const endpoints::EndpointsController* endpoints = nullptr;
  std::vector<const api::Server*> api;
  std::size_t services = 0;
  std::uint64_t reloads = 0, reloads_refused = 0; // of the configuration
};

/// Any thread.
[[nodiscard]] std::vector<Sample> collect(const Parts& parts);

} // namespace signpost::server
