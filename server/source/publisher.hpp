// From catalog changes to the zone: the step that every source shares.
#pragma once

#include <atomic>
#include <cstddef>

#include "discovery/catalog/catalog.hpp"
#include "zone/zone.hpp"

namespace signpost::server {

/// Owned and called by one thread; service_count() by any.
class Publisher {
public:
  explicit Publisher(zone::Zone& zone) : zone_(zone) {}

  [[nodiscard]] catalog::Catalog& catalog() { return catalog_; }
  /// Collects what the next publish() brings to the zone.
  [[nodiscard]] catalog::Changes& changes() { return changes_; }

  /// Takes a complete catalog in place of the present one and collects what tells the two apart.
  void replace(catalog::Catalog&& fresh);

  /// Compiles and publishes the collected changes.
  void publish();

  [[nodiscard]] std::size_t service_count() const { return services_.load(std::memory_order_relaxed); }

private:
  zone::Zone& zone_;
  catalog::Catalog catalog_;
  catalog::Changes changes_;
  std::atomic<std::size_t> services_{0};
  bool warned_ = false; // of a name that is too long
};

} // namespace signpost::server
