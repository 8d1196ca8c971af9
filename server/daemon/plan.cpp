#include "server/daemon/plan.hpp"

#include <algorithm>

#include "server/daemon/block_zone.hpp"
#include "server/log/log.hpp"

namespace signpost::server {
namespace {

bool same(const zone::ZoneSettings& a, const zone::ZoneSettings& b) {
  return a.cluster_domain == b.cluster_domain && a.origins == b.origins && a.server_addresses == b.server_addresses &&
         a.ttl == b.ttl;
}

bool same(const ForwardRoute& a, const ForwardRoute& b) {
  return a.zones == b.zones && a.beyond == b.beyond && a.forward == b.forward && a.cache == b.cache;
}

/// The same servers are asked about the same names, and answers are kept alike: what was answered is true on.
bool same_answers(const ForwardRoute& a, const ForwardRoute& b) {
  return a.zones == b.zones && a.forward.from == b.forward.from && a.forward.upstreams == b.forward.upstreams &&
         a.forward.files == b.forward.files && a.cache && a.cache == b.cache;
}

} // namespace

Plan::Plan(Settings settings, std::size_t descriptors, const Plan* old)
    : settings_(std::move(settings)), descriptors_(descriptors) {
  if (std::any_of(settings_.blocks.begin(), settings_.blocks.end(), [](const auto& b) { return b.log; }))
    query_log_ = old != nullptr && old->query_log_ ? old->query_log_ : std::make_shared<QueryLog>();
  for (const ServerBlock& block : settings_.blocks) {
    BlockRoute& route = routes_.emplace_back();
    if (!std::holds_alternative<std::monostate>(block.source))
      route.zone = served_.emplace_back(serve(block, old))->zone.get();
    if (block.forward) route.outside = forwardings_.emplace_back(forward(block, old))->forwarder.get();
    route.falls = block.falls_through();
    route.stays_here = block.forward && block.forward->stays_here();
    route.keeps_private = block.keeps_private;
    route.log = block.log ? query_log_.get() : nullptr;
    route.nsid = block.nsid;
  }
}

std::shared_ptr<ServedZone> Plan::serve(const ServerBlock& block, const Plan* old) {
  zone::ZoneSettings wanted = zone_settings(block);
  if (old != nullptr)
    for (const auto& one : old->served_)
      if (one->from == block.source && same(one->settings, wanted) &&
          std::find(served_.begin(), served_.end(), one) == served_.end()) {
        ++zones_kept_;
        return one;
      }
  auto made = std::make_shared<ServedZone>();
  made->from = block.source;
  made->settings = wanted;
  made->zone = std::make_unique<zone::Zone>(std::move(wanted));
  if (const auto* files = std::get_if<ObjectsSource>(&block.source))
    made->files = std::make_unique<objects::ObjectsStore>(files->files);
  return made;
}

std::shared_ptr<Forwarding> Plan::forward(const ServerBlock& block, const Plan* old) {
  auto made = std::make_shared<Forwarding>();
  made->settings = forwarder_settings(settings_); // all of it, for what is our own
  made->settings.routes = {{.zones = block.zones,
                            .beyond = zones_beyond(settings_, block),
                            .forward = *block.forward,
                            .cache = block.cache}};
  made->settings.max_descriptors = descriptors_;
  made->errors = block.errors;
  ForwardRoute& route = made->settings.routes.front();
  if (old != nullptr) {
    for (const auto& one : old->forwardings_)
      if (same(one->settings.routes.front(), route) && one->settings.origins == made->settings.origins &&
          one->settings.own == made->settings.own && one->errors == made->errors &&
          std::find(forwardings_.begin(), forwardings_.end(), one) == forwardings_.end()) {
        if (block.cache) ++caches_kept_;
        return one;
      }
    for (const auto& one : old->forwardings_)
      if (!route.kept && same_answers(one->settings.routes.front(), route)) {
        route.kept = one->forwarder->cache();
        if (route.kept) ++caches_kept_;
      }
  }
  made->settings.tell = [](std::string_view line) { log::warning("forward", line); };
  if (block.errors) made->settings.log = [](std::string_view line) { log::warning("forward", line); };
  made->forwarder = std::make_unique<Forwarder>(made->settings);
  route.kept.reset();
  return made;
}

tl::expected<void, std::string> Plan::start_forwarders() {
  for (const auto& one : forwardings_) {
    if (one->started) continue;
    if (auto started = one->forwarder->start(); !started) return started;
    one->started = true;
  }
  return {};
}

void Plan::make_sources(store::Store* store) {
  for (const auto& one : served_) {
    if (one->source) continue;
    one->source = one->files != nullptr
                      ? follow_files(std::get<ObjectsSource>(one->from).files, *one->zone, one->files.get())
                      : follow_store(*store, *one->zone);
  }
}

tl::expected<void, std::string> Plan::start_sources() {
  for (const auto& one : served_) {
    if (one->started) continue;
    if (auto started = one->source->start(); !started) return started;
    one->started = true;
  }
  return {};
}

std::vector<ListenAddress> Plan::listen_addresses(const Host& host) const {
  std::map<Endpoint, std::vector<BlockRoute>> at;
  for (std::size_t i = 0; i < settings_.blocks.size(); ++i) {
    const ServerBlock& block = settings_.blocks[i];
    for (const Endpoint& endpoint : block.follows() ? block.listen_on(host) : block.listen) {
      BlockRoute route = routes_[i];
      route.zones = block.zones_on(endpoint);
      at[endpoint].push_back(std::move(route));
    }
  }
  std::vector<ListenAddress> addresses;
  for (auto& [endpoint, list] : at) addresses.push_back({endpoint, std::make_shared<const Router>(std::move(list))});
  return addresses;
}

} // namespace signpost::server
