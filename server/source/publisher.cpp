#include "server/source/publisher.hpp"

#include <algorithm>

#include "server/log/log.hpp"

namespace signpost::server {

void Publisher::replace(catalog::Catalog&& fresh) {
  fresh.differences(catalog_, changes_);
  catalog_ = std::move(fresh);
}

void Publisher::publish() {
  if (changes_.services.empty() && changes_.namespaces.empty()) return;
  std::sort(changes_.services.begin(), changes_.services.end());
  changes_.services.erase(std::unique(changes_.services.begin(), changes_.services.end()), changes_.services.end());

  for (const std::string& name : changes_.namespaces)
    if (catalog_.has_namespace(name)) zone_.put_namespace(name);
  for (const model::ServiceKey& key : changes_.services) {
    if (const auto view = catalog_.view(key))
      zone_.put(*view);
    else
      zone_.erase(key);
  }
  for (const std::string& name : changes_.namespaces)
    if (!catalog_.has_namespace(name)) zone_.erase_namespace(name);

  changes_ = {}; // with its memory: after a first list it is that of all services' names
  zone_.publish();
  if (!warned_ && !zone_.long_name().empty()) {
    warned_ = true;
    log::warning("source", "names longer than 255 octets have no records", {{"first", zone_.long_name()}});
  }
  services_.store(catalog_.service_count(), std::memory_order_relaxed);
}

} // namespace signpost::server
