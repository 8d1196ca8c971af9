#include "server/daemon/daemon.hpp"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <set>
#include <vector>

#include "discovery/api/server.hpp"
#include "discovery/endpoints/endpoints_controller.hpp"
#include "discovery/garbage/garbage_collector.hpp"
#include "discovery/objects/objects_store.hpp"
#include "discovery/registry/registry.hpp"
#include "discovery/store/sqlite_store.hpp"
#include "server/admin/metrics.hpp"
#include "server/config/host.hpp"
#include "server/daemon/block_zone.hpp"
#include "server/daemon/descriptors.hpp"
#include "server/daemon/metrics.hpp"
#include "server/daemon/status.hpp"
#include "server/forward/forwarder.hpp"
#include "server/listen/address_watch.hpp"
#include "server/listen/cores.hpp"
#include "server/listen/listeners.hpp"
#include "server/log/log.hpp"
#include "server/log/query_log.hpp"
#include "server/source/source.hpp"
#include "zone/zone.hpp"

namespace signpost::server {

namespace {

constexpr std::size_t own_descriptors = 32;           // of the store, the log, event loops, files that are read
constexpr std::size_t forwarding_descriptors = 32768; // of a server block that forwards, at most

std::size_t count_forwarding(const std::vector<ServerBlock>& blocks) {
  return static_cast<std::size_t>(
      std::count_if(blocks.begin(), blocks.end(), [](const ServerBlock& block) { return block.forward.has_value(); }));
}

std::string join(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : ",") + word;
  return all;
}

} // namespace

struct Daemon::State {
  /// One server block with a source: its zone and who keeps it.
  struct Served {
    const ServerBlock* block = nullptr;
    std::vector<std::string> origins;
    std::unique_ptr<zone::Zone> zone;
    std::unique_ptr<objects::ObjectsStore> files; // objects only
    std::unique_ptr<Source> source;
  };

  explicit State(Settings s) : settings(std::move(s)) {}

  Settings settings;
  std::vector<Served> served;
  std::unique_ptr<QueryLog> query_log;                // where a block says `log`
  std::vector<std::unique_ptr<Forwarder>> forwarders; // one per block that forwards
  std::unique_ptr<Listeners> listeners; // outlives the forwarders' threads: late answers leave through its sockets
  std::unique_ptr<store::Store> store;
  const store::SqliteStore* disk = nullptr; // the store, if it is one on disk
  std::unique_ptr<registry::Registry> registry;
  std::unique_ptr<endpoints::EndpointsController> endpoints; // of a registry of our own, …
  std::unique_ptr<garbage::GarbageCollector> garbage;        // … as this
  std::vector<std::unique_ptr<api::Server>> api;
  DescriptorShares wanted_descriptors, descriptors;
  std::atomic<bool> ready{false};
  const std::chrono::system_clock::time_point start_time = std::chrono::system_clock::now();
  const std::chrono::steady_clock::time_point running_since = std::chrono::steady_clock::now();

  std::unique_ptr<AddressWatch> address_watch;
  std::map<const ServerBlock*, BlockRoute> routes; // of each block, zones aside
  std::set<std::string> told;                      // what could not be listened on, said once

  void make_zones();
  void share_out_descriptors();
  std::vector<ListenAddress> listen_addresses(const Host& host) const;
  void follow_addresses();
  bool update_addresses();
  Forwarder* make_forwarder(const ServerBlock& block);
  tl::expected<void, std::string> open_ports();
  tl::expected<void, std::string> open_registry();
  tl::expected<void, std::string> start_api();
  void make_sources();
  [[nodiscard]] Parts parts() const;
  [[nodiscard]] std::string status() const;
  void stop();
};

void Daemon::State::make_zones() {
  for (const ServerBlock& block : settings.blocks) {
    if (std::holds_alternative<std::monostate>(block.source)) continue;
    Served& one = served.emplace_back();
    one.block = &block;
    zone::ZoneSettings zone = zone_settings(block);
    one.origins = zone.origins;
    one.zone = std::make_unique<zone::Zone>(std::move(zone));
    const auto* files = std::get_if<ObjectsSource>(&block.source);
    if (files != nullptr) one.files = std::make_unique<objects::ObjectsStore>(files->files);
  }
}

void Daemon::State::share_out_descriptors() {
  const auto forwarding = count_forwarding(settings.blocks);
  std::size_t addresses = 0;
  const Host host = this_host();
  for (const ServerBlock& block : settings.blocks)
    addresses += block.follows() ? block.listen_on(host).size() : block.listen.size();
  const std::size_t workers = settings.workers != 0 ? settings.workers : usable_cores();
  const std::size_t kept = own_descriptors + addresses * (workers + 1) + settings.api.size() + 4 * forwarding;
  wanted_descriptors = {.api = settings.api.size() * api::Settings{}.max_connections,
                        .tcp = TcpSettings{}.max_connections,
                        .forwarding = forwarding * forwarding_descriptors};
  descriptors = share_descriptors(descriptor_limit(), kept, wanted_descriptors);
}

Forwarder* Daemon::State::make_forwarder(const ServerBlock& block) {
  ForwarderSettings forwarding = forwarder_settings(settings); // all of it, for what is our own
  forwarding.routes = {
      {.zones = block.zones, .beyond = zones_beyond(settings, block), .forward = *block.forward, .cache = block.cache}};
  forwarding.max_descriptors = descriptors.forwarding / count_forwarding(settings.blocks);
  forwarding.tell = [](std::string_view line) { log::warning("forward", line); };
  if (block.errors) forwarding.log = [](std::string_view line) { log::warning("forward", line); };
  return forwarders.emplace_back(std::make_unique<Forwarder>(std::move(forwarding))).get();
}

tl::expected<void, std::string> Daemon::State::open_ports() {
  if (std::any_of(settings.blocks.begin(), settings.blocks.end(), [](const auto& b) { return b.log; }))
    query_log = std::make_unique<QueryLog>();
  share_out_descriptors();

  for (const ServerBlock& block : settings.blocks) {
    BlockRoute& route = routes[&block];
    route.falls = block.falls_through();
    route.keeps_private = block.keeps_private;
    route.outside = block.forward ? make_forwarder(block) : nullptr;
    route.log = block.log ? query_log.get() : nullptr;
    route.nsid = block.nsid;
    for (const Served& one : served)
      if (one.block == &block) route.zone = one.zone.get();
  }
  auto addresses = listen_addresses(this_host());
  auto opened =
      Listeners::open(std::move(addresses), {.workers = settings.workers, .tcp = {.max_connections = descriptors.tcp}});
  if (!opened) return tl::make_unexpected(opened.error());
  listeners = std::move(*opened);
  return {};
}

/// Where to listen and who answers there, with the addresses that the host has.
std::vector<ListenAddress> Daemon::State::listen_addresses(const Host& host) const {
  std::map<Endpoint, std::vector<BlockRoute>> at;
  for (const ServerBlock& block : settings.blocks) {
    for (const Endpoint& endpoint : block.follows() ? block.listen_on(host) : block.listen) {
      BlockRoute route = routes.at(&block);
      route.zones = block.zones_on(endpoint);
      at[endpoint].push_back(std::move(route));
    }
  }
  std::vector<ListenAddress> addresses;
  for (auto& [endpoint, list] : at) addresses.push_back({endpoint, std::make_shared<const Router>(std::move(list))});
  return addresses;
}

void Daemon::State::follow_addresses() {
  if (std::none_of(settings.blocks.begin(), settings.blocks.end(), [](const auto& b) { return b.follows(); })) return;
  auto watch = AddressWatch::start([this] { return update_addresses(); });
  if (watch)
    address_watch = std::move(*watch);
  else
    log::warning("dns", "addresses that come and go are not followed", {{"why", watch.error()}});
}

/// True: something could not be opened; it may be possible later.
bool Daemon::State::update_addresses() {
  const auto update = listeners->update(listen_addresses(this_host()));
  for (const Endpoint& endpoint : update.opened)
    log::info("dns", "listening", {{"address", endpoint.to_string()}, {"transport", "udp,tcp"}});
  for (const Endpoint& endpoint : update.closed)
    log::info("dns", "no longer listening: the address is gone", {{"address", endpoint.to_string()}});
  std::set<std::string> failed(update.failed.begin(), update.failed.end());
  for (const std::string& why : failed)
    if (!told.contains(why)) log::warning("dns", "a new address is not listened on yet", {{"why", why}});
  told = std::move(failed);
  return !told.empty();
}

tl::expected<void, std::string> Daemon::State::open_registry() {
  const bool own = std::any_of(served.begin(), served.end(), [](const Served& one) { return one.files == nullptr; });
  if (own) {
    auto opened =
        store::SqliteStore::open({.directory = settings.data,
                                  .history = {.revisions = settings.history_revisions, .age = settings.history_age},
                                  .report = [](const std::string& sentence) { log::warning("store", sentence); }});
    if (!opened) return tl::make_unexpected(opened.error());
    disk = opened->get();
    store = std::move(*opened);
    registry = std::make_unique<registry::Registry>(
        *store, registry::Settings{.vips = settings.vips, .reserved = settings.reserved});
    if (auto opened_registry = registry->open(); !opened_registry) return opened_registry;
    endpoints = std::make_unique<endpoints::EndpointsController>(*store, *registry);
    if (auto started = endpoints->start(); !started) return started;
    garbage = std::make_unique<garbage::GarbageCollector>(*store, *registry);
    return garbage->start();
  }
  if (settings.api.empty()) return {};
  // Without a source there are no objects to show, but readiness and metrics.
  if (served.empty()) store = std::make_unique<objects::ObjectsStore>(std::vector<std::string>{});
  registry = std::make_unique<registry::Registry>(served.empty() ? *store : *served.front().files,
                                                  registry::Settings{.read_only = true});
  return {};
}

tl::expected<void, std::string> Daemon::State::start_api() {
  if (!registry) return {};
  for (const Endpoint& endpoint : settings.api) {
    api::Callbacks callbacks;
    callbacks.ready = [this]() -> std::optional<std::string> {
      if (ready.load(std::memory_order_relaxed)) return std::nullopt;
      return "the services are not read yet, or the server is stopping";
    };
    if (disk != nullptr) callbacks.trouble = [this] { return disk->trouble(); };
    callbacks.pages["/metrics"] = {std::string(metrics_content_type),
                                   [this] { return metrics_page(collect(parts())); }};
    callbacks.pages["/status"] = {"application/json", [this] { return status(); }};
    api.push_back(std::make_unique<api::Server>(*registry,
                                                api::Settings{.address = endpoint.address,
                                                              .port = endpoint.port,
                                                              .version = SIGNPOST_VERSION,
                                                              .max_connections = descriptors.api / settings.api.size()},
                                                std::move(callbacks)));
  }
  // Only now: the page reads the list of servers.
  for (const auto& server : api)
    if (auto started = server->start(); !started) return started;
  return {};
}

Parts Daemon::State::parts() const {
  Parts all{.listeners = listeners.get(), .registry = registry.get(), .store = disk, .endpoints = endpoints.get()};
  for (const auto& one : forwarders) all.forwarders.push_back(one.get());
  for (const auto& server : api) all.api.push_back(server.get());
  for (const Served& one : served)
    if (one.source) all.services += one.source->services();
  return all;
}

std::string Daemon::State::status() const {
  const Parts all = parts();
  return status_page(
      {.settings = settings,
       .parts = all,
       .started = start_time,
       .uptime = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - running_since),
       .ready = ready.load(std::memory_order_relaxed),
       .dns = listeners->endpoints(),
       .told = log::tally()});
}

void Daemon::State::make_sources() {
  for (Served& one : served)
    one.source = one.files != nullptr
                     ? follow_files(std::get<ObjectsSource>(one.block->source).files, *one.zone, one.files.get())
                     : follow_store(*store, *one.zone);
}

void Daemon::State::stop() {
  ready.store(false, std::memory_order_relaxed);
  for (const auto& server : api) server->begin_stop();
  garbage.reset();
  endpoints.reset();
  address_watch.reset();
  if (listeners) listeners->stop();
  for (const auto& forwarder : forwarders) forwarder->stop();
  for (const auto& server : api) server->stop(); // its page reads the above
  for (Served& one : served) one.source.reset();
}

Daemon::Daemon(Settings settings) : state_(std::make_unique<State>(std::move(settings))) {}

Daemon::~Daemon() { stop(); }

tl::expected<void, std::string> Daemon::start() {
  State& s = *state_;
  s.make_zones();
  if (auto opened = s.open_ports(); !opened) return opened;
  if (auto opened = s.open_registry(); !opened) return opened;
  for (const auto& forwarder : s.forwarders)
    if (auto started = forwarder->start(); !started) return started;
  s.make_sources();
  // The metrics page reads all of the above from the API's threads: nothing of it changes from here to stop().
  if (auto started = s.start_api(); !started) return started;
  s.listeners->start();
  s.follow_addresses();
  for (const State::Served& one : s.served)
    if (auto started = one.source->start(); !started) return started;
  malloc_trim(0); // what reading the objects took and left free
  s.ready.store(true, std::memory_order_relaxed);
  return {};
}

void Daemon::announce() const {
  const State& s = *state_;
  for (const Endpoint& endpoint : s.listeners->endpoints())
    log::info("dns", "listening", {{"address", endpoint.to_string()}, {"transport", "udp,tcp"}});
  if (s.descriptors != s.wanted_descriptors)
    log::info("signpostd", "the limit of open files (ulimit -n, LimitNOFILE=) leaves room for fewer connections",
              {{"api", s.descriptors.api}, {"dns_tcp", s.descriptors.tcp}, {"forwarding", s.descriptors.forwarding}});
  for (const Endpoint& endpoint : s.settings.api)
    log::info("api", "listening", {{"address", "http://" + endpoint.to_string()}});
  if (!s.api.empty()) log::info("api", "plain HTTP without credentials: only this machine is served");
  for (const State::Served& one : s.served) {
    const std::uint64_t services = one.source->services();
    if (one.files != nullptr)
      log::info("source", "serving objects from files",
                {{"zones", join(one.origins)},
                 {"files", join(std::get<ObjectsSource>(one.block->source).files)},
                 {"services", services}});
    else
      log::info("source", "serving the registry",
                {{"zones", join(one.origins)}, {"data", s.settings.data}, {"services", services}});
  }
}

void Daemon::stop() { state_->stop(); }

} // namespace signpost::server
