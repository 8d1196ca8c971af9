#include "server/daemon/daemon.hpp"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
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
#include "server/daemon/check.hpp"
#include "server/daemon/descriptors.hpp"
#include "server/daemon/metrics.hpp"
#include "server/daemon/pages.hpp"
#include "server/daemon/plan.hpp"
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
  explicit State(Settings s) {
    const std::size_t each = share_out_descriptors(s);
    plan = std::make_shared<Plan>(std::move(s), each, nullptr);
  }

  std::shared_ptr<const Plan> now() const {
    const std::lock_guard lock(plan_mutex);
    return plan;
  }

  mutable std::mutex plan_mutex; // guards `plan`, which pages ask for from threads of their own
  std::shared_ptr<Plan> plan;
  std::mutex listening;                 // reload and address watch change what is listened on, one after the other
  std::unique_ptr<Listeners> listeners; // outlives the forwarders' threads: late answers leave through its sockets
  std::unique_ptr<store::Store> store;
  const store::SqliteStore* disk = nullptr; // the store, if it is one on disk
  std::unique_ptr<registry::Registry> registry;
  std::unique_ptr<endpoints::EndpointsController> endpoints; // of a registry of our own, …
  std::unique_ptr<garbage::GarbageCollector> garbage;        // … as this
  std::vector<std::unique_ptr<api::Server>> api;
  DescriptorShares wanted_descriptors, descriptors;
  std::unique_ptr<PageServers> pages;
  std::atomic<bool> ready{false}, stopping{false};
  std::atomic<std::uint64_t> reloads{0}, reloads_refused{0};
  const std::chrono::system_clock::time_point start_time = std::chrono::system_clock::now();
  const std::chrono::steady_clock::time_point running_since = std::chrono::steady_clock::now();

  std::unique_ptr<AddressWatch> address_watch;
  std::set<std::string> told; // what could not be listened on, said once
  // Of plans that were replaced, for as long as an answer may still come late.
  std::vector<std::pair<std::chrono::steady_clock::time_point, std::shared_ptr<Plan>>> replaced;

  std::size_t share_out_descriptors(const Settings& settings);
  void follow_addresses();
  bool update_addresses();
  tl::expected<void, std::string> open_ports();
  tl::expected<void, std::string> open_registry();
  tl::expected<void, std::string> start_api();
  tl::expected<void, std::string> start_pages();
  tl::expected<void, std::string> reload(Settings settings);
  tl::expected<void, std::string> listen_as(const Plan& next);
  void retire(std::shared_ptr<Plan> old);
  [[nodiscard]] api::PageText page(PageAddress::Page page) const;
  [[nodiscard]] Parts parts() const; // with plan_mutex held
  [[nodiscard]] std::string metrics() const;
  [[nodiscard]] std::string status() const;
  void stop();
};

/// For each forwarder.
std::size_t Daemon::State::share_out_descriptors(const Settings& settings) {
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
  return forwarding == 0 ? 0 : descriptors.forwarding / forwarding;
}

tl::expected<void, std::string> Daemon::State::open_ports() {
  auto opened = Listeners::open(plan->listen_addresses(this_host()),
                                {.workers = plan->settings().workers, .tcp = {.max_connections = descriptors.tcp}});
  if (!opened) return tl::make_unexpected(opened.error());
  listeners = std::move(*opened);
  return {};
}

void Daemon::State::follow_addresses() {
  const auto& blocks = plan->settings().blocks;
  if (std::none_of(blocks.begin(), blocks.end(), [](const auto& b) { return b.follows(); }))
    return address_watch.reset();
  if (address_watch) return;
  auto watch = AddressWatch::start([this] { return update_addresses(); });
  if (watch)
    address_watch = std::move(*watch);
  else
    log::warning("dns", "addresses that come and go are not followed", {{"why", watch.error()}});
}

/// True: something could not be opened; it may be possible later.
bool Daemon::State::update_addresses() {
  const std::lock_guard lock(listening);
  const auto update = listeners->update(now()->listen_addresses(this_host()));
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
  const Settings& settings = plan->settings();
  const auto& served = plan->served();
  const bool own = std::any_of(served.begin(), served.end(), [](const auto& one) { return one->files == nullptr; });
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
  registry = std::make_unique<registry::Registry>(served.empty() ? *store : *served.front()->files,
                                                  registry::Settings{.read_only = true});
  return {};
}

tl::expected<void, std::string> Daemon::State::start_api() {
  if (!registry) return {};
  for (const Endpoint& endpoint : plan->settings().api) {
    api::Callbacks callbacks;
    if (disk != nullptr) callbacks.trouble = [this] { return disk->trouble(); };
    callbacks.ready = [this]() -> std::optional<std::string> {
      if (ready.load(std::memory_order_relaxed)) return std::nullopt;
      return "the services are not read yet, or the server is stopping";
    };
    if (disk != nullptr) callbacks.trouble = [this] { return disk->trouble(); };
    callbacks.pages["/metrics"] = {std::string(metrics_content_type), [this] { return metrics(); }};
    callbacks.written = [](const api::Written& written) {
      log::sample("api", "written",
                  {{"what", std::string(written.method) + ' ' +
                                std::string(written.target.substr(0, written.target.find('?')))},
                   {"who", written.agent},
                   {"from", written.peer},
                   {"revision", written.revision}});
    };
    callbacks.pages["/status"] = {"application/json", [this] { return status(); }};
    api.push_back(
        std::make_unique<api::Server>(*registry,
                                      api::Settings{.address = endpoint.address,
                                                    .port = endpoint.port,
                                                    .version = SIGNPOST_VERSION,
                                                    .max_connections = descriptors.api / plan->settings().api.size()},
                                      std::move(callbacks)));
  }
  // Only now: the page reads the list of servers.
  for (const auto& server : api)
    if (auto started = server->start(); !started) return started;
  return {};
}

tl::expected<void, std::string> Daemon::State::start_pages() {
  pages = std::make_unique<PageServers>([this](PageAddress::Page which) { return page(which); });
  return pages->update(plan->settings().pages);
}

api::PageText Daemon::State::page(PageAddress::Page which) const {
  switch (which) {
  case PageAddress::Page::metrics: return metrics();
  case PageAddress::Page::health: return std::string("OK");
  case PageAddress::Page::ready: break;
  }
  if (ready.load(std::memory_order_relaxed)) return std::string("OK");
  if (stopping.load(std::memory_order_relaxed)) return {503, "stopping"};
  std::string waiting;
  for (const auto& one : now()->served())
    if (!one->started.load(std::memory_order_relaxed))
      waiting += std::string(waiting.empty() ? "" : ",") + (one->files != nullptr ? "objects" : "registry");
  return {503, waiting.empty() ? "starting" : waiting};
}

Parts Daemon::State::parts() const {
  Parts all{.listeners = listeners.get(), .registry = registry.get(), .store = disk, .endpoints = endpoints.get()};
  for (const auto& one : plan->forwardings())
    if (one->forwarder) all.forwarders.push_back(one->forwarder.get());
  for (const auto& server : api) all.api.push_back(server.get());
  for (const auto& one : plan->served())
    if (one->started.load(std::memory_order_acquire)) all.services += one->source->services();
  all.reloads = reloads.load(std::memory_order_relaxed);
  all.reloads_refused = reloads_refused.load(std::memory_order_relaxed);
  return all;
}

std::string Daemon::State::metrics() const {
  const std::lock_guard lock(plan_mutex);
  return metrics_page(collect(parts()));
}

std::string Daemon::State::status() const {
  const std::lock_guard lock(plan_mutex);
  const Parts all = parts();
  return status_page(
      {.settings = plan->settings(),
       .parts = all,
       .started = start_time,
       .uptime = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - running_since),
       .ready = ready.load(std::memory_order_relaxed),
       .dns = listeners->endpoints(),
       .told = log::tally()});
}

namespace {

/// What a running daemon cannot change; nullopt: nothing of it is to be changed.
std::optional<std::string> fixed(const Settings& old, const Settings& next) {
  const auto has_registry = [](const Settings& all) {
    return std::any_of(all.blocks.begin(), all.blocks.end(),
                       [](const auto& block) { return std::holds_alternative<RegistrySource>(block.source); });
  };
  if (has_registry(old) != has_registry(next)) return "whether there is a registry";
  if (has_registry(old) && old.data != next.data) return "the data folder";
  if (old.vips != next.vips) return "the prefixes of virtual IPs";
  if (old.reserved != next.reserved) return "the reserved virtual IPs";
  if (old.history_revisions != next.history_revisions || old.history_age != next.history_age)
    return "how much history is kept";
  if (old.api != next.api) return "the API's addresses";
  if (old.workers != next.workers) return "the number of workers";
  return std::nullopt;
}

} // namespace

/// Listens as `next` says, or as before.
tl::expected<void, std::string> Daemon::State::listen_as(const Plan& next) {
  const Host host = this_host();
  auto wanted = next.listen_addresses(host);
  const auto old = plan->listen_addresses(host);
  auto both = old;
  for (const ListenAddress& address : wanted)
    if (std::none_of(old.begin(), old.end(), [&](const auto& one) { return one.endpoint == address.endpoint; }))
      both.push_back(address);
  if (const auto opened = listeners->update(both); !opened.failed.empty()) {
    const auto is_new = [&](const std::string& why) { return !told.contains(why); };
    if (const auto why = std::find_if(opened.failed.begin(), opened.failed.end(), is_new); why != opened.failed.end()) {
      const std::string sentence = *why;
      (void)listeners->update(old);
      return tl::unexpected(sentence);
    }
  }
  const auto closed = listeners->update(wanted).closed;
  for (const Endpoint& endpoint : closed) log::info("dns", "no longer listening", {{"address", endpoint.to_string()}});
  return {};
}

tl::expected<void, std::string> Daemon::State::reload(Settings settings) {
  if (const auto what = fixed(plan->settings(), settings))
    return tl::unexpected(*what + " cannot be changed without a restart");
  const std::size_t each = descriptors.forwarding / std::max<std::size_t>(1, count_forwarding(settings.blocks));
  const auto next = std::make_shared<Plan>(std::move(settings), each, plan.get());
  const auto front = [](const Plan& of) { return of.served().empty() ? nullptr : of.served().front().get(); };
  if (registry && !endpoints && front(*plan) != front(*next))
    return tl::unexpected(std::string("the objects that the API shows cannot be changed without a restart"));
  next->make_sources(store.get());
  if (auto started = next->start_forwarders(); !started) return started;
  if (auto started = next->start_sources(); !started) return started;
  if (auto opened = pages->update(next->settings().pages); !opened) return opened;
  {
    const std::lock_guard lock(listening);
    if (auto listens = listen_as(*next); !listens) {
      (void)pages->update(plan->settings().pages);
      return listens;
    }
    std::shared_ptr<Plan> old = next;
    {
      const std::lock_guard swap(plan_mutex);
      std::swap(plan, old);
    }
    retire(std::move(old));
  }
  follow_addresses();
  log::set(log_settings(plan->settings().log));
  log::info("config", "reloaded",
            {{"blocks", std::uint64_t{plan->settings().blocks.size()}},
             {"zones_kept", std::uint64_t{next->zones_kept()}},
             {"caches_kept", std::uint64_t{next->caches_kept()}}});
  return {};
}

/// Nobody asks the old plan any more; what the new one did not take over ends, and goes once no answer is late.
void Daemon::State::retire(std::shared_ptr<Plan> old) {
  constexpr auto late = std::chrono::seconds(30);
  const auto now = std::chrono::steady_clock::now();
  std::erase_if(replaced, [&](const auto& one) { return now - one.first > late; });
  for (const auto& one : old->forwardings()) {
    const auto& kept = plan->forwardings();
    if (std::find(kept.begin(), kept.end(), one) == kept.end()) one->forwarder->stop();
  }
  for (const auto& one : old->served()) {
    const auto& kept = plan->served();
    if (std::find(kept.begin(), kept.end(), one) == kept.end()) one->source.reset();
  }
  replaced.emplace_back(now, std::move(old));
}

void Daemon::State::stop() {
  ready.store(false, std::memory_order_relaxed);
  stopping.store(true, std::memory_order_relaxed);
  for (const auto& server : api) server->begin_stop();
  garbage.reset();
  endpoints.reset();
  address_watch.reset();
  if (listeners) listeners->stop();
  for (const auto& one : plan->forwardings()) one->forwarder->stop();
  if (pages) pages->stop();                      // they read the above, …
  for (const auto& server : api) server->stop(); // … as these do
  replaced.clear();
  for (const auto& one : plan->served()) one->source.reset();
}

Daemon::Daemon(Settings settings) : state_(std::make_unique<State>(std::move(settings))) {}

Daemon::~Daemon() { stop(); }

tl::expected<void, std::string> Daemon::start() {
  State& s = *state_;
  if (auto opened = s.open_ports(); !opened) return opened;
  if (auto opened = s.start_pages(); !opened) return opened;
  if (auto opened = s.open_registry(); !opened) return opened;
  if (auto started = s.plan->start_forwarders(); !started) return started;
  s.plan->make_sources(s.store.get());
  if (auto started = s.start_api(); !started) return started;
  s.listeners->start();
  s.follow_addresses();
  if (auto started = s.plan->start_sources(); !started) return started;
  malloc_trim(0); // what reading the objects took and left free
  s.ready.store(true, std::memory_order_relaxed);
  return {};
}

tl::expected<void, std::string> Daemon::reload(Settings settings) {
  auto done = state_->reload(std::move(settings));
  ++(done ? state_->reloads : state_->reloads_refused);
  return done;
}

void Daemon::reload_refused() { ++state_->reloads_refused; }

std::chrono::milliseconds Daemon::leave() {
  state_->stopping.store(true, std::memory_order_relaxed);
  state_->ready.store(false, std::memory_order_relaxed);
  return state_->plan->settings().lameduck;
}

void Daemon::announce() const {
  const State& s = *state_;
  for (const Endpoint& endpoint : s.listeners->endpoints())
    log::info("dns", "listening", {{"address", endpoint.to_string()}, {"transport", "udp,tcp"}});
  if (s.descriptors != s.wanted_descriptors)
    log::info("signpostd", "the limit of open files (ulimit -n, LimitNOFILE=) leaves room for fewer connections",
              {{"api", s.descriptors.api}, {"dns_tcp", s.descriptors.tcp}, {"forwarding", s.descriptors.forwarding}});
  const Settings& settings = s.plan->settings();
  for (const PageAddress& page : settings.pages)
    log::info("pages", "listening", {{"address", "http://" + page.endpoint.to_string()}});
  for (const Endpoint& endpoint : settings.api)
    log::info("api", "listening", {{"address", "http://" + endpoint.to_string()}});
  if (!s.api.empty()) log::info("api", "plain HTTP without credentials: only this machine is served");
  for (const auto& one : s.plan->served()) {
    const std::uint64_t services = one->source->services();
    if (one->files != nullptr)
      log::info("source", "serving objects from files",
                {{"zones", join(one->settings.origins)},
                 {"files", join(std::get<ObjectsSource>(one->from).files)},
                 {"services", services}});
    else
      log::info("source", "serving the registry",
                {{"zones", join(one->settings.origins)}, {"data", settings.data}, {"services", services}});
  }
}

void Daemon::stop() { state_->stop(); }

} // namespace signpost::server
