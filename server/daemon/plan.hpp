// What a configuration becomes: the zones and their sources, the forwarders with their caches, and who answers where.
//
// A reload makes a second plan beside the first. What the new configuration leaves as it is, it takes over from the old
// one (a zone with its catalog, a forwarder with its cache); the rest is made anew. Threads: one.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "discovery/objects/objects_store.hpp"
#include "discovery/store/store.hpp"
#include "server/config/host.hpp"
#include "server/config/settings.hpp"
#include "server/forward/forwarder.hpp"
#include "server/listen/listeners.hpp"
#include "server/log/query_log.hpp"
#include "server/source/source.hpp"
#include "zone/zone.hpp"

namespace signpost::server {

/// One server block with a source: its zone and who keeps it.
struct ServedZone {
  decltype(ServerBlock::source) from;
  zone::ZoneSettings settings;
  std::unique_ptr<zone::Zone> zone;
  std::unique_ptr<objects::ObjectsStore> files; // objects only
  std::unique_ptr<Source> source;
  std::atomic<bool> started{false}; // DNS serves what it holds
};

/// The forwarder of a block, and what it was made of.
struct Forwarding {
  ForwarderSettings settings;
  bool errors = false;
  std::unique_ptr<Forwarder> forwarder;
  bool started = false;
};

class Plan {
public:
  /// `descriptors`: for each forwarder. `old`, if any, is taken over from.
  Plan(Settings settings, std::size_t descriptors, const Plan* old);
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  [[nodiscard]] tl::expected<void, std::string> start_forwarders();
  /// Sources of blocks with a registry follow `store`.
  void make_sources(store::Store* store);
  [[nodiscard]] tl::expected<void, std::string> start_sources();

  /// Where to listen and who answers there, with the addresses that the host has.
  [[nodiscard]] std::vector<ListenAddress> listen_addresses(const Host& host) const;

  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] const std::vector<std::shared_ptr<ServedZone>>& served() const { return served_; }
  /// One for each block that forwards, in their order.
  [[nodiscard]] const std::vector<std::shared_ptr<Forwarding>>& forwardings() const { return forwardings_; }
  /// Blocks whose source, and caches that, were taken over.
  [[nodiscard]] std::size_t zones_kept() const { return zones_kept_; }
  [[nodiscard]] std::size_t caches_kept() const { return caches_kept_; }

private:
  [[nodiscard]] std::shared_ptr<ServedZone> serve(const ServerBlock& block, const Plan* old);
  [[nodiscard]] std::shared_ptr<Forwarding> forward(const ServerBlock& block, const Plan* old);

  const Settings settings_;
  const std::size_t descriptors_; // for each forwarder
  std::vector<std::shared_ptr<ServedZone>> served_;
  std::vector<std::shared_ptr<Forwarding>> forwardings_;
  std::shared_ptr<QueryLog> query_log_; // where a block says `log`
  std::vector<BlockRoute> routes_;      // of each block, zones aside
  std::size_t zones_kept_ = 0, caches_kept_ = 0;
};

} // namespace signpost::server
