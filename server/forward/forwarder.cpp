#include "server/forward/forwarder.hpp"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "server/cache/answer.hpp"
#include "server/cache/cache.hpp"
#include "server/forward/flights.hpp"
#include "server/forward/question_queue.hpp"
#include "server/forward/route_table.hpp"
#include "server/forward/upstream_files.hpp"
#include "zone/wire/any.hpp"
#include "zone/wire/name.hpp"
#include "zone/wire/types.hpp"

namespace signpost::server {

namespace {

namespace asio = boost::asio;

constexpr std::size_t most_flights = 4096, least_flights = 16, most_tries = 4 * most_flights;
constexpr std::size_t spare_descriptors = 128; // for all else the process has open
constexpr std::size_t counter_slots = 64;
constexpr auto drain_poll = std::chrono::milliseconds(5);

/// Counted on packet workers: a slot has one writer as long as there are no more threads than slots.
struct alignas(64) WorkerCounters {
  std::atomic<std::uint64_t> hits{0}, misses{0}, refused{0}, overflows{0};
};

std::size_t my_slot() noexcept {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t slot = next.fetch_add(1, std::memory_order_relaxed) % counter_slots;
  return slot;
}

/// Types that ask a server for something other than the records of a name (RFC 6895 3.1), and OPT.
bool is_meta(std::uint16_t type) { return type == 0 || type == wire::type::opt || (type >= 128 && type <= 255); }

/// How many tries may listen at once.
std::size_t tries_allowed(std::size_t descriptors) {
  if (descriptors != 0) return std::clamp<std::size_t>(descriptors / 2, 1, most_tries);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return most_tries;
  // Two each: one over UDP that turned to TCP.
  const std::size_t half = limit.rlim_cur > spare_descriptors ? (limit.rlim_cur - spare_descriptors) / 2 : 0;
  return std::clamp(half, least_flights, most_tries);
}

/// Each has one try at least.
std::size_t flights_allowed(std::size_t tries) { return std::min(tries, most_flights); }

std::vector<model::Address> local_addresses() {
  std::vector<model::Address> addresses;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return addresses;
  for (const ifaddrs* i = list; i != nullptr; i = i->ifa_next) {
    if (i->ifa_addr == nullptr) continue;
    const auto* const bytes =
        i->ifa_addr->sa_family == AF_INET
            ? reinterpret_cast<const std::uint8_t*>(&reinterpret_cast<const sockaddr_in*>(i->ifa_addr)->sin_addr)
        : i->ifa_addr->sa_family == AF_INET6
            ? reinterpret_cast<const std::uint8_t*>(&reinterpret_cast<const sockaddr_in6*>(i->ifa_addr)->sin6_addr)
            : nullptr;
    if (bytes == nullptr) continue;
    addresses.push_back(model::Address::from_bytes({bytes, i->ifa_addr->sa_family == AF_INET ? 4u : 16u}));
  }
  freeifaddrs(list);
  return addresses;
}

TtlCaps caps_of(const std::optional<CacheSettings>& cache) {
  if (!cache) return {.positive = 0x7fffffff, .negative = 0x7fffffff};
  const auto seconds = [](std::chrono::seconds s) {
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(s.count(), 0, 0x7fffffff));
  };
  return {.positive = seconds(cache->max_ttl), .negative = seconds(cache->max_negative_ttl)};
}

/// An upstream is believed what it says of names that would be asked of it, too.
class RouteBailiwick final : public Bailiwick {
public:
  RouteBailiwick(const RouteTable& table, std::uint16_t route) : table_(table), route_(route) {}
  [[nodiscard]] bool holds(const wire::WireName& host) const noexcept override {
    return table_.find(host) == route_ && !table_.kept(host);
  }

private:
  const RouteTable& table_;
  std::uint16_t route_;
};

} // namespace

struct Forwarder::State {
  explicit State(ForwarderSettings s) : settings(std::move(s)) {}

  [[nodiscard]] tl::expected<void, std::string> prepare();
  void set_upstreams(std::size_t route, const std::vector<Endpoint>& endpoints);
  void follow_files();
  void run();
  void listen();
  void drain();
  void wind_up(SteadyTime until);
  [[nodiscard]] Taken refuse(const wire::Query& query, std::span<std::uint8_t> buffer, wire::Rcode rcode) noexcept;
  /// ANY is answered here, with little, and no upstream is asked (RFC 8482); the others are refused.
  [[nodiscard]] Taken meta(const wire::Query& query, std::span<std::uint8_t> buffer) noexcept;
  [[nodiscard]] bool enqueue(Question::Kind kind, std::uint16_t route, const wire::Query& query,
                             wire::Transport transport, std::span<const std::uint8_t> buffer,
                             const ReplyTo& reply_to) noexcept;
  [[nodiscard]] WorkerCounters& mine() noexcept { return worker[my_slot()]; }

  ForwarderSettings settings;
  RouteTable table;
  std::vector<RouteState> routes;
  std::array<WorkerCounters, counter_slots> worker;
  mutable std::mutex asked_mutex;
  std::vector<std::vector<Endpoint>> asked; // upstreams of each route, for upstreams(); guarded by asked_mutex
  std::unique_ptr<QuestionQueue> queue;
  std::atomic<bool> open{false}; // questions are taken

  // The forwarding thread's.
  std::unique_ptr<asio::io_context> io;
  std::unique_ptr<Flights> flights;
  std::unique_ptr<asio::posix::stream_descriptor> bell;
  std::unique_ptr<asio::steady_timer> winding_up;
  std::thread thread;
  std::vector<std::pair<std::size_t, std::unique_ptr<UpstreamFiles>>> files; // of which route; their threads use `io`
};

ForwarderSettings forwarder_settings(const Settings& settings) {
  ForwarderSettings made;
  for (const ServerBlock& block : settings.blocks) {
    made.own.insert(made.own.end(), block.listen.begin(), block.listen.end());
    const auto keep = [&](const std::vector<std::string>& zones) {
      const auto& kept = zones.empty() ? block.zones : zones;
      std::copy_if(kept.begin(), kept.end(), std::back_inserter(made.origins),
                   [&](const std::string& zone) { return !block.is_partial(zone); });
    };
    if (const auto* registry = std::get_if<RegistrySource>(&block.source)) keep(registry->zones);
    if (const auto* objects = std::get_if<ObjectsSource>(&block.source)) keep(objects->zones);
    if (block.forward) made.routes.push_back({.zones = block.zones, .forward = *block.forward, .cache = block.cache});
  }
  return made;
}

std::optional<std::string> forwards_to_itself(const std::vector<Endpoint>& upstreams,
                                              const std::vector<Endpoint>& own) {
  std::optional<std::vector<model::Address>> local;
  for (const Endpoint& upstream : upstreams) {
    for (const Endpoint& mine : own) {
      if (mine.port != upstream.port) continue;
      const bool one_zone = mine.zone.empty() || upstream.zone.empty() || mine.zone == upstream.zone;
      bool same = mine.address == upstream.address && one_zone;
      if (!same && mine.address.is_unspecified()) {
        if (!local) local = local_addresses();
        same = upstream.address.is_loopback() || upstream.address.is_unspecified() ||
               std::find(local->begin(), local->end(), upstream.address) != local->end();
      }
      if (same) return "forward: the upstream " + upstream.to_string() + " is this server itself";
    }
  }
  return std::nullopt;
}

tl::expected<void, std::string> Forwarder::State::prepare() {
  if (settings.routes.size() > 0xffff) return tl::unexpected(std::string("forward: too many routes"));
  for (const std::string& origin : settings.origins)
    if (auto kept = table.keep(origin); !kept) return kept;
  for (std::size_t i = 0; i < settings.routes.size(); ++i) {
    const ForwardRoute& route = settings.routes[i];
    if (route.forward.upstreams.empty() && route.forward.files.empty())
      return tl::unexpected(std::string("forward: no upstream is given"));
    if (auto loop = forwards_to_itself(route.forward.upstreams, settings.own)) return tl::unexpected(*loop);
    if (auto added = table.add(static_cast<std::uint16_t>(i), route.zones, route.forward); !added) return added;
    RouteState& state = routes.emplace_back();
    state.settings = route.forward;
    state.caps = caps_of(route.cache);
    if (auto set = state.borders.set(route.zones, route.beyond); !set) return set;
    if (route.cache) state.cache = route.kept ? route.kept : std::make_shared<Cache>(route.cache->bytes);
    state.bailiwick = std::make_unique<RouteBailiwick>(table, static_cast<std::uint16_t>(i));
    if (route.forward.files.empty()) {
      set_upstreams(i, route.forward.upstreams);
    } else {
      files.push_back({i, std::make_unique<UpstreamFiles>(route.forward, settings.own, settings.tell)});
      set_upstreams(i, files.back().second->read());
    }
  }
  queue = std::make_unique<QuestionQueue>(settings.queue);
  io = std::make_unique<asio::io_context>(1);
  const std::size_t descriptors = tries_allowed(settings.max_descriptors);
  FlightLimits limits{.flights = settings.max_in_flight != 0 ? settings.max_in_flight : flights_allowed(descriptors)};
  limits.tries = descriptors;
  limits.randomise_case = settings.randomise_case;
  flights = std::make_unique<Flights>(*io, routes, limits, settings.log);
  bell = std::make_unique<asio::posix::stream_descriptor>(*io, ::dup(queue->event()));
  winding_up = std::make_unique<asio::steady_timer>(*io);
  return {};
}

/// Those that stay keep what is known of them.
void Forwarder::State::set_upstreams(std::size_t route, const std::vector<Endpoint>& endpoints) {
  Upstreams& upstreams = routes[route].upstreams;
  Upstreams now;
  for (const Endpoint& endpoint : endpoints) {
    const auto known = std::find_if(upstreams.begin(), upstreams.end(),
                                    [&](const auto& upstream) { return upstream->endpoint == endpoint; });
    now.push_back(known != upstreams.end() ? *known : std::make_shared<Upstream>(endpoint));
  }
  upstreams = std::move(now);
  const std::lock_guard lock(asked_mutex);
  asked.resize(std::max(asked.size(), route + 1));
  asked[route] = endpoints;
}

void Forwarder::State::follow_files() {
  for (auto& [route, file] : files)
    file->start([this, route = route](std::vector<Endpoint> now) {
      asio::post(*io, [this, route, now = std::move(now)] { set_upstreams(route, now); });
    });
}

void Forwarder::State::run() {
  for (;;) {
    try {
      io->run();
      return;
    } catch (const std::exception& e) {
      if (settings.log) settings.log(std::string("forward: ") + e.what());
    }
  }
}

void Forwarder::State::drain() {
  do {
    while (auto question = queue->pop()) {
      try {
        flights->handle(std::move(*question));
      } catch (const std::exception& e) { // out of memory: that question is lost, the next may not be
        if (settings.log) settings.log(e.what());
      }
    }
  } while (!queue->may_sleep());
}

void Forwarder::State::listen() {
  drain();
  bell->async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
    if (error) return;
    std::uint64_t rings = 0;
    (void)!::read(queue->event(), &rings, sizeof rings);
    listen();
  });
}

void Forwarder::State::wind_up(SteadyTime until) {
  drain();
  if (flights->idle() || std::chrono::steady_clock::now() >= until) {
    flights->abandon();
    io->stop();
    return;
  }
  winding_up->expires_after(drain_poll);
  winding_up->async_wait([this, until](boost::system::error_code) { wind_up(until); });
}

Taken Forwarder::State::meta(const wire::Query& query, std::span<std::uint8_t> buffer) noexcept {
  if (query.type != wire::type::any) return refuse(query, buffer, wire::Rcode::notimp);
  if (!table.find(query) || table.kept(query)) return refuse(query, buffer, wire::Rcode::refused);
  const std::size_t length = wire::write_any(buffer, query);
  if (length == 0) return refuse(query, buffer, wire::Rcode::servfail);
  return {.later = false, .length = length};
}

Taken Forwarder::State::refuse(const wire::Query& query, std::span<std::uint8_t> buffer, wire::Rcode rcode) noexcept {
  WorkerCounters& counters = mine();
  count(rcode == wire::Rcode::servfail ? counters.overflows : counters.refused);
  return {.later = false, .length = wire::write_error(buffer, query, rcode)};
}

bool Forwarder::State::enqueue(Question::Kind kind, std::uint16_t route, const wire::Query& query,
                               wire::Transport transport, std::span<const std::uint8_t> buffer,
                               const ReplyTo& reply_to) noexcept {
  return queue->push([&](Question& question) {
    question.kind = kind;
    question.transport = transport;
    question.edns = query.edns;
    question.dnssec_ok = query.dnssec_ok;
    question.options = query.options;
    question.route = route;
    question.id = query.id;
    question.flags = query.flags;
    question.type = query.type;
    question.udp_size = query.udp_size;
    question.question_length = query.question_length;
    question.qname_length = query.name_length;
    std::copy_n(query.name.begin(), query.name_length, question.qname.begin());
    question.message_length = static_cast<std::uint16_t>(wire::header_size + query.question_length);
    std::copy_n(buffer.begin(), question.message_length, question.message.begin());
    question.reply_to = reply_to;
    question.reply_to.aliases = nullptr;
    if (reply_to.aliases != nullptr) question.aliases = *reply_to.aliases;
  });
}

Forwarder::Forwarder(ForwarderSettings settings) : state_(std::make_unique<State>(std::move(settings))) {}

Forwarder::~Forwarder() { stop(); }

tl::expected<void, std::string> Forwarder::start() {
  try {
    if (auto prepared = state_->prepare(); !prepared) return prepared;
    State* const state = state_.get();
    asio::post(*state->io, [state] { state->listen(); });
    state->thread = std::thread([state] { state->run(); });
    state->follow_files();
  } catch (const std::exception& e) {
    return tl::unexpected(std::string("forward: ") + e.what());
  }
  state_->open.store(true, std::memory_order_release);
  return {};
}

void Forwarder::stop() {
  State& state = *state_;
  if (!state.thread.joinable()) return;
  state.open.store(false, std::memory_order_release);
  state.files.clear();
  const SteadyTime until = std::chrono::steady_clock::now() + state.settings.drain;
  asio::post(*state.io, [&state, until] { state.wind_up(until); });
  state.thread.join();
  state.drain();
  state.flights->abandon();
}

Taken Forwarder::take(const wire::Query& query, wire::Transport transport, std::span<std::uint8_t> buffer,
                      std::size_t query_length, const ReplyTo& reply_to) noexcept {
  State& state = *state_;
  if (query.klass != wire::class_in) return state.refuse(query, buffer, wire::Rcode::refused);
  if (is_meta(query.type)) return state.meta(query, buffer);
  const auto index = state.table.find(query);
  if (!index || !state.open.load(std::memory_order_acquire)) return state.refuse(query, buffer, wire::Rcode::refused);
  const RouteState& route = state.routes[*index];
  if (route.cache) {
    const auto hit = route.cache->find(cache_key(query), coarse_now());
    count(hit ? state.mine().hits : state.mine().misses);
    if (hit && !hit->answer.open) [[likely]]
      return {.later = false, .length = write_reply(buffer, asker(query, transport, buffer), hit->answer, hit->age)};
  }
  if (state.table.kept(query)) return state.refuse(query, buffer, wire::Rcode::refused);
  if (query_length < wire::header_size + query.question_length ||
      !state.enqueue(Question::Kind::take, *index, query, transport, buffer, reply_to))
    return state.refuse(query, buffer, wire::Rcode::servfail);
  return {.later = true};
}

Taken Forwarder::follow(const wire::Query& query, wire::Transport transport, std::span<std::uint8_t> buffer,
                        const ReplyTo& reply_to) noexcept {
  State& state = *state_;
  if (!state.open.load(std::memory_order_acquire) ||
      !state.enqueue(Question::Kind::follow, 0, query, transport, buffer, reply_to))
    return state.refuse(query, buffer, wire::Rcode::servfail);
  return {.later = true};
}

bool Forwarder::covers(std::span<const std::uint8_t> octets) const noexcept {
  const auto name = wire::name_from_wire(octets);
  return name && state_->table.find(*name) && !state_->table.kept(*name);
}

bool Forwarder::ask(const Link& link, std::shared_ptr<Waiter> waiter) noexcept {
  State& state = *state_;
  const auto name = wire::name_from_wire(link.name);
  if (!name || state.table.kept(*name) || !state.open.load(std::memory_order_acquire)) return false;
  return state.queue->push([&](Question& question) {
    question.kind = Question::Kind::link;
    question.route = state.table.find(*name).value_or(0);
    question.type = link.type;
    question.dnssec_ok = link.dnssec_ok;
    question.flags = link.checking_disabled ? wire::flag::cd : 0;
    question.qname_length = name->length;
    std::copy_n(name->octets.begin(), name->length, question.qname.begin());
    question.waiter = std::move(waiter);
  });
}

std::vector<Endpoint> Forwarder::upstreams() const {
  const std::lock_guard lock(state_->asked_mutex);
  std::vector<Endpoint> all;
  for (const auto& route : state_->asked) all.insert(all.end(), route.begin(), route.end());
  return all;
}

std::shared_ptr<Cache> Forwarder::cache() const {
  return state_->routes.empty() ? nullptr : state_->routes.front().cache;
}

ForwardCounters Forwarder::counters() const {
  const State& state = *state_;
  ForwardCounters sum;
  for (const WorkerCounters& worker : state.worker) {
    sum.cache_hits += worker.hits.load(std::memory_order_relaxed);
    sum.cache_misses += worker.misses.load(std::memory_order_relaxed);
    sum.refused += worker.refused.load(std::memory_order_relaxed);
    sum.overflows += worker.overflows.load(std::memory_order_relaxed);
  }
  for (const RouteState& route : state.routes) {
    if (!route.cache) continue;
    const Cache::Counts counts = route.cache->counts();
    sum.cache_entries += counts.entries;
    sum.cache_bytes += counts.bytes;
    sum.cache_evictions += counts.evicted;
  }
  if (state.flights) {
    const FlightCounters& flight = state.flights->counters;
    sum.refused += flight.refused.load(std::memory_order_relaxed);
    sum.overflows += flight.overflows.load(std::memory_order_relaxed);
    sum.joined = flight.joined.load(std::memory_order_relaxed);
    sum.failures = flight.failures.load(std::memory_order_relaxed);
    sum.tries = flight.tries.load(std::memory_order_relaxed);
    sum.timeouts = flight.timeouts.load(std::memory_order_relaxed);
    sum.mismatches = flight.mismatches.load(std::memory_order_relaxed);
    sum.tcp = flight.tcp.load(std::memory_order_relaxed);
    sum.in_flight = flight.in_flight.load(std::memory_order_relaxed);
  }
  return sum;
}

} // namespace signpost::server
