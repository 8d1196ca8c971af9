#include "discovery/api/server.hpp"

#include <netinet/tcp.h>

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "discovery/api/handler.hpp"
#include "discovery/api/pages.hpp"
#include "discovery/api/session.hpp"

namespace signpost::api {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Error = boost::system::error_code;

constexpr std::chrono::milliseconds accept_pause{50}; // when the process has no descriptors or memory left
constexpr int kept_unsent = 64 << 10;                 // octets in the kernel for a reader that does not take them

constexpr std::chrono::milliseconds cut_time{300}; // for connections that are closed to be gone

using UnsentLowWater = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_NOTSENT_LOWAT>;

Crowd::Source source_of(const asio::ip::address& address) {
  return address.is_v6() ? address.to_v6().to_bytes()
                         : asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4()).to_bytes();
}

tcp::endpoint endpoint_of(const model::Address& address, std::uint16_t port) {
  const auto bytes = address.bytes();
  if (address.is_v4()) {
    asio::ip::address_v4::bytes_type v4{};
    std::copy(bytes.begin(), bytes.end(), v4.begin());
    return {asio::ip::address_v4(v4), port};
  }
  asio::ip::address_v6::bytes_type v6{};
  std::copy(bytes.begin(), bytes.end(), v6.begin());
  return {asio::ip::address_v6(v6), port};
}

} // namespace

struct Server::State {
  /// Connections may end after the server has.
  struct Door {
    std::atomic<bool> closed{false}; // nobody is let in until somebody has left
    std::weak_ptr<Loop> loop;
    void open(State* state);
  };

  State(Settings settings, Callbacks callbacks)
      : shared(std::make_shared<Shared>(std::move(settings), std::move(callbacks),
                                        [this, to = door] { to->open(this); })) {
    const unsigned count = std::max(1u, shared->settings.loops);
    for (unsigned i = 0; i < count; ++i) loops.push_back(std::make_shared<Loop>(shared));
    door->loop = loops.front();
  }

  tl::expected<void, std::string> listen();
  void accept();
  void accept_later();
  void take(tcp::socket socket, const Crowd::Source& source, Loop& loop);
  void wake();
  [[nodiscard]] std::size_t connections() const;
  void wait_for_none(Clock::time_point until) const;
  void end_threads();

  const std::shared_ptr<Door> door = std::make_shared<Door>();
  std::unique_ptr<Hub> hub; // of a registry
  std::shared_ptr<Shared> shared;
  std::vector<std::shared_ptr<Loop>> loops; // unchanged while running; the first one accepts
  std::unique_ptr<tcp::acceptor> acceptor;
  std::unique_ptr<asio::steady_timer> pause;
  std::size_t next_loop = 0;
  std::uint16_t port = 0;
  bool running = false;
  std::optional<Clock::time_point> stopping_at;
};

tl::expected<void, std::string> Server::State::listen() {
  const Settings& settings = shared->settings;
  const tcp::endpoint endpoint = endpoint_of(settings.address, settings.port);
  const std::string where = settings.address.is_v4()
                                ? fmt::format("{}:{}", settings.address.to_string(), settings.port)
                                : fmt::format("[{}]:{}", settings.address.to_string(), settings.port);
  if (settings.local_only && !settings.address.is_loopback())
    return tl::make_unexpected(fmt::format("cannot serve the API on {}: there are no credentials yet, so only loopback "
                                           "addresses (127.0.0.1, ::1) are served",
                                           where));
  Error error;
  const auto failed = [&] {
    return tl::make_unexpected(
        fmt::format("cannot serve {} on {}: {}", hub ? "the API" : "pages", where,
                    error == asio::error::address_in_use ? "the port is in use" : error.message()));
  };
  acceptor = std::make_unique<tcp::acceptor>(loops.front()->io);
  if (acceptor->open(endpoint.protocol(), error)) return failed();
  if (acceptor->set_option(tcp::acceptor::reuse_address(true), error)) return failed();
  const bool both = !settings.local_only && settings.address.is_unspecified();
  if (!settings.address.is_v4() && acceptor->set_option(asio::ip::v6_only(!both), error)) return failed();
  // Inherited by the connections.
  if (acceptor->set_option(tcp::no_delay(true), error)) return failed();
  if (acceptor->set_option(UnsentLowWater(kept_unsent), error)) return failed();
  if (acceptor->bind(endpoint, error)) return failed();
  if (acceptor->listen(asio::socket_base::max_listen_connections, error)) return failed();
  port = acceptor->local_endpoint(error).port();
  if (error) return failed();
  return {};
}

void Server::State::accept() {
  if (shared->crowd.overfull()) {
    door->closed = true; // until who was asked to leave has gone
    if (shared->crowd.overfull()) return accept_later();
    door->closed = false;
  }
  Loop& loop = *loops[next_loop++ % loops.size()];
  acceptor->async_accept(loop.io, [this, &loop](const Error& error, tcp::socket socket) {
    if (error == asio::error::operation_aborted || !acceptor->is_open()) return;
    bool out_of_something = static_cast<bool>(error);
    try {
      Error gone;
      const tcp::endpoint peer = error ? tcp::endpoint() : socket.remote_endpoint(gone);
      if (!error && !gone) take(std::move(socket), source_of(peer.address()), loop);
    } catch (const std::bad_alloc&) {
      out_of_something = true;
    }
    if (!out_of_something) return accept();
    shared->crowd.shed();
    accept_later(); // trying again at once would only burn the processor
  });
}

void Server::State::accept_later() {
  pause->expires_after(accept_pause);
  pause->async_wait([this](const Error& cancelled) {
    if (!cancelled && acceptor->is_open()) accept();
  });
}

void Server::State::Door::open(State* state) {
  if (!closed.exchange(false)) return;
  const auto first = loop.lock();
  if (!first) return;
  asio::post(first->io, [state] { // runs before the state goes, or never
    if (state->acceptor->is_open() && state->pause->cancel() != 0) state->accept();
  });
}

void Server::State::take(tcp::socket socket, const Crowd::Source& source, Loop& loop) {
  Error ignored;
  if (!shared->crowd.make_room(source)) {
    ++shared->counters.connections_refused;
    static constexpr std::string_view busy = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n"
                                             "Retry-After: 1\r\nContent-Length: 21\r\nConnection: close\r\n\r\n"
                                             "too many connections\n";
    socket.non_blocking(true, ignored);
    socket.send(asio::buffer(busy.data(), busy.size()), 0, ignored);
    return;
  }
  loop.adopt(std::move(socket), source);
}

void Server::State::wake() {
  for (const auto& loop : loops) loop->wake();
}

std::size_t Server::State::connections() const {
  std::size_t sum = 0;
  for (const auto& loop : loops) sum += loop->connections();
  return sum;
}

void Server::State::wait_for_none(Clock::time_point until) const {
  while (connections() != 0 && Clock::now() < until) std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

Server::Server(registry::Registry& registry, Settings settings, Callbacks callbacks)
    : state_(std::make_unique<State>(std::move(settings), std::move(callbacks))) {
  Shared& shared = *state_->shared;
  const Settings& all = shared.settings;
  state_->hub = std::make_unique<Hub>(registry, BacklogLimits{all.watch_backlog_events, all.watch_backlog_bytes},
                                      [state = state_.get()] { state->wake(); });
  shared.responder = std::make_unique<Handler>(registry, *state_->hub, all, shared.callbacks);
}

Server::Server(Settings settings, Pages pages)
    : state_(std::make_unique<State>(std::move(settings), Callbacks{.ready = {}, .pages = std::move(pages)})) {
  Shared& shared = *state_->shared;
  shared.responder = std::make_unique<PageResponder>(shared.callbacks.pages);
}

Server::~Server() { stop(); }

tl::expected<void, std::string> Server::start() {
  if (auto listening = state_->listen(); !listening) {
    state_->acceptor.reset();
    return listening;
  }
  state_->pause = std::make_unique<asio::steady_timer>(state_->loops.front()->io);
  state_->running = true;
  state_->accept();
  try {
    state_->shared->readers.start();
    for (const auto& loop : state_->loops) loop->run();
  } catch (const std::system_error& error) {
    state_->running = false;
    state_->end_threads();
    return tl::make_unexpected(
        fmt::format("cannot serve the API: no thread can be started: {}", error.code().message()));
  }
  return {};
}

void Server::State::end_threads() {
  shared->readers.stop();
  for (const auto& loop : loops) loop->join();
  if (hub) hub->close();
}

void Server::begin_stop() {
  if (!state_->running || state_->stopping_at) return;
  state_->stopping_at = Clock::now();
  std::promise<void> closed;
  asio::post(state_->loops.front()->io, [state = state_.get(), &closed] {
    Error ignored;
    state->acceptor->close(ignored);
    state->pause->cancel();
    closed.set_value();
  });
  closed.get_future().wait(); // what was accepted is in its loop's queue now, before the end of it
  std::vector<std::future<void>> draining;
  for (const auto& loop : state_->loops) draining.push_back(loop->drain());
  for (const auto& loop : draining) loop.wait(); // connections are counted from here on
}

void Server::stop() {
  if (!state_->running) return;
  begin_stop();
  state_->running = false;
  state_->wait_for_none(*state_->stopping_at + state_->shared->settings.drain);
  for (const auto& loop : state_->loops) loop->cut();
  state_->wait_for_none(Clock::now() + cut_time); // what is queued for them is passed over
  state_->end_threads();
}

std::uint16_t Server::port() const { return state_->port; }

Statistics Server::statistics() const {
  const Counters& counters = state_->shared->counters;
  Statistics statistics;
  statistics.connections = counters.connections;
  statistics.connections_total = counters.connections_total;
  statistics.connections_refused = counters.connections_refused;
  statistics.connections_dropped = state_->shared->crowd.dropped();
  statistics.requests = counters.requests;
  statistics.client_errors = counters.client_errors;
  statistics.server_errors = counters.server_errors;
  statistics.watches = counters.watches;
  statistics.watches_cut = counters.watches_cut;
  statistics.watch_events = counters.watch_events;
  return statistics;
}

} // namespace signpost::api
