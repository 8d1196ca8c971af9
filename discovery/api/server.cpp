#include "discovery/api/server.hpp"

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

constexpr std::chrono::milliseconds accept_pause{50}; // when the process has no descriptors left

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
  State(Settings settings, Callbacks callbacks)
      : shared(std::make_shared<Shared>(std::move(settings), std::move(callbacks))) {
    const unsigned count = std::max(1u, shared->settings.loops);
    for (unsigned i = 0; i < count; ++i) loops.push_back(std::make_shared<Loop>(shared));
  }

  tl::expected<void, std::string> listen();
  void accept();
  void take(tcp::socket socket, Loop& loop);
  void wake();
  [[nodiscard]] std::size_t connections() const;
  void wait_for_none(std::chrono::milliseconds longest) const;

  std::unique_ptr<Hub> hub; // of a registry
  std::shared_ptr<Shared> shared;
  std::vector<std::shared_ptr<Loop>> loops; // unchanged while running; the first one accepts
  std::unique_ptr<tcp::acceptor> acceptor;
  std::unique_ptr<asio::steady_timer> pause;
  std::size_t next_loop = 0;
  std::uint16_t port = 0;
  bool running = false;
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
  if (acceptor->bind(endpoint, error)) return failed();
  if (acceptor->listen(asio::socket_base::max_listen_connections, error)) return failed();
  port = acceptor->local_endpoint(error).port();
  if (error) return failed();
  return {};
}

void Server::State::accept() {
  Loop& loop = *loops[next_loop++ % loops.size()];
  acceptor->async_accept(loop.io, [this, &loop](const Error& error, tcp::socket socket) {
    if (error == asio::error::operation_aborted || !acceptor->is_open()) return;
    if (!error) {
      take(std::move(socket), loop);
      return accept();
    }
    // No descriptors left, most likely: trying again at once would only burn the processor.
    pause->expires_after(accept_pause);
    pause->async_wait([this](const Error& cancelled) {
      if (!cancelled) accept();
    });
  });
}

void Server::State::take(tcp::socket socket, Loop& loop) {
  Error ignored;
  if (connections() >= shared->settings.max_connections) {
    ++shared->counters.connections_refused;
    static constexpr std::string_view busy = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n"
                                             "Retry-After: 1\r\nContent-Length: 21\r\nConnection: close\r\n\r\n"
                                             "too many connections\n";
    socket.non_blocking(true, ignored);
    socket.send(asio::buffer(busy.data(), busy.size()), 0, ignored);
    return;
  }
  socket.set_option(tcp::no_delay(true), ignored);
  asio::post(loop.io, [&loop, moved = std::move(socket)]() mutable { loop.adopt(std::move(moved)); });
}

void Server::State::wake() {
  for (const auto& loop : loops) loop->wake();
}

std::size_t Server::State::connections() const {
  std::size_t sum = 0;
  for (const auto& loop : loops) sum += loop->connections();
  return sum;
}

void Server::State::wait_for_none(std::chrono::milliseconds longest) const {
  const Clock::time_point until = Clock::now() + longest;
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
  for (const auto& loop : state_->loops) loop->run();
  return {};
}

void Server::stop() {
  if (!state_->running) return;
  state_->running = false;
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
  state_->wait_for_none(state_->shared->settings.drain);
  for (const auto& loop : state_->loops) loop->cut();
  state_->wait_for_none(std::chrono::seconds(1));
  state_->shared->readers.join();
  for (const auto& loop : state_->loops) loop->join();
  if (state_->hub) state_->hub->close();
}

std::uint16_t Server::port() const { return state_->port; }

Statistics Server::statistics() const {
  const Counters& counters = state_->shared->counters;
  Statistics statistics;
  statistics.connections = counters.connections;
  statistics.connections_total = counters.connections_total;
  statistics.connections_refused = counters.connections_refused;
  statistics.requests = counters.requests;
  statistics.client_errors = counters.client_errors;
  statistics.server_errors = counters.server_errors;
  statistics.watches = counters.watches;
  statistics.watches_cut = counters.watches_cut;
  statistics.watch_events = counters.watch_events;
  return statistics;
}

} // namespace signpost::api
