#include "server/listen/tcp.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstring>

#include "server/listen/connection.hpp"
#include "server/log/log.hpp"

namespace signpost::server {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t largest_message = 65535;
constexpr std::size_t one_read = 16 * 1024;
constexpr std::size_t evict_attempts = 64; // of the longest silent ones, to find one that is owed nothing
constexpr std::size_t reserved_descriptors = 128;
constexpr auto accept_pause = std::chrono::milliseconds(100); // without descriptors or memory
constexpr auto shortest_sweep = std::chrono::milliseconds(10), longest_sweep = std::chrono::milliseconds(250);

std::size_t connections_allowed(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  const auto files = static_cast<std::size_t>(limit.rlim_cur);
  const std::size_t spare = files > 2 * reserved_descriptors ? files - reserved_descriptors : files / 2;
  return std::max<std::size_t>(1, std::min(wanted, spare));
}

Connection::Source source_of(const asio::ip::tcp::socket& socket) {
  Connection::Source source{};
  error_code error;
  const auto peer = socket.remote_endpoint(error);
  if (error) return source;
  if (peer.address().is_v4()) {
    const auto bytes = peer.address().to_v4().to_bytes();
    source[0] = 0xFF; // no IPv6 unicast network begins so
    std::copy(bytes.begin(), bytes.end(), source.begin() + 4);
  } else {
    const auto bytes = peer.address().to_v6().to_bytes();
    std::copy_n(bytes.begin(), source.size(), source.begin());
  }
  return source;
}

} // namespace

TcpLoop::TcpLoop(const TcpSettings& tcp_settings)
    : settings(tcp_settings), received(one_read), message(largest_message) {
  settings.max_connections = connections_allowed(settings.max_connections);
  settings.max_per_source = std::min(settings.max_per_source, settings.max_connections);
}

TcpLoop::~TcpLoop() {
  while (!by_age.empty()) by_age.front().close();
}

void TcpLoop::add(Claim claim, std::shared_ptr<const Router> router) {
  routers.push_back(std::move(router));
  const bool is_v4 = claim.endpoint.address.is_v4();
  servings.push_back(std::make_unique<Serving>(*routers.back(), wire::Transport::tcp, counters[is_v4 ? 0 : 1]));
  const auto protocol = is_v4 ? asio::ip::tcp::v4() : asio::ip::tcp::v6();
  acceptors.push_back(std::make_unique<Acceptor>(
      Acceptor{asio::ip::tcp::acceptor(io, protocol, claim.tcp.release()), asio::steady_timer(io), *servings.back()}));
}

void TcpLoop::run() noexcept {
  zone::ReaderThread own_reader;
  own_reader.offline();
  reader = &own_reader;
  for (const auto& acceptor : acceptors) accept(*acceptor);
  for (;;) {
    try {
      io.run();
      break;
    } catch (const std::exception& error) { // out of memory; what it happened to is closed by its time-out
      log::error("dns", "tcp", {{"error", error.what()}});
    }
  }
  reader = nullptr;
}

void TcpLoop::finish() {
  asio::post(io, [this] {
    finishing = true;
    finish_until = Clock::now() + settings.write;
    error_code ignored;
    for (const auto& acceptor : acceptors) {
      acceptor->socket.close(ignored);
      acceptor->pause.cancel();
    }
    std::vector<std::shared_ptr<Connection>> all;
    for (Connection& connection : by_age) all.push_back(connection.shared_from_this());
    for (const auto& connection : all) connection->finish();
  });
}

void TcpLoop::accept(Acceptor& acceptor) {
  acceptor.socket.async_accept([this, &acceptor](error_code error, asio::ip::tcp::socket socket) {
    if (finishing || error == asio::error::operation_aborted) return;
    if (!error) {
      admit(std::move(socket), acceptor.serving);
    } else if (error != asio::error::connection_aborted && error != asio::error::interrupted) {
      if (evict_from(by_age)) evicted.add();
      acceptor.pause.expires_after(accept_pause);
      acceptor.pause.async_wait([this, &acceptor](error_code) {
        if (!finishing) accept(acceptor);
      });
      return;
    }
    accept(acceptor);
  });
}

void TcpLoop::admit(asio::ip::tcp::socket socket, Serving& serving) {
  const Connection::Source source = source_of(socket);
  if (!make_room(source)) return; // closes the socket
  const auto connection = std::make_shared<Connection>(*this, std::move(socket), serving, source);
  by_source[source].push_back(*connection);
  by_age.push_back(*connection);
  accepted.add();
  open.store(by_age.size(), std::memory_order_relaxed);
  connection->start();
  schedule_sweep();
}

bool TcpLoop::make_room(const Connection::Source& source) {
  const auto same = by_source.find(source);
  if (same != by_source.end() && same->second.size() >= settings.max_per_source) {
    if (!evict_from(same->second)) return false;
    evicted.add();
  }
  if (by_age.size() >= settings.max_connections) {
    if (!evict_from(by_age)) return false;
    evicted.add();
  }
  return true;
}

template <class List>
bool TcpLoop::evict_from(List& list) {
  std::size_t attempts = 0;
  for (Connection& connection : list) {
    if (connection.idle()) {
      connection.close(); // ends the list's walk: the list itself may be gone with its last member
      return true;
    }
    if (++attempts == evict_attempts) break;
  }
  return false;
}

void TcpLoop::forget(Connection& connection) noexcept {
  by_age.erase(by_age.iterator_to(connection));
  const auto same = by_source.find(connection.source());
  same->second.erase(same->second.iterator_to(connection));
  if (same->second.empty()) by_source.erase(same);
  open.store(by_age.size(), std::memory_order_relaxed);
  if (by_age.empty()) sweep_timer.cancel();
}

void TcpLoop::touch(Connection& connection) {
  by_age.splice(by_age.end(), by_age, by_age.iterator_to(connection));
  auto& same = by_source.find(connection.source())->second;
  same.splice(same.end(), same, same.iterator_to(connection));
}

bool TcpLoop::account(std::size_t& known, std::size_t now) noexcept {
  const bool grown = now > known;
  buffered = buffered - known + now;
  known = now;
  return !grown || buffered <= settings.max_buffered;
}

void TcpLoop::schedule_sweep() {
  if (sweeping) return;
  sweeping = true;
  const auto least = std::min({settings.idle, settings.idle_crowded, settings.message, settings.write});
  sweep_timer.expires_after(std::clamp<std::chrono::milliseconds>(least / 4, shortest_sweep, longest_sweep));
  sweep_timer.async_wait([this](error_code) {
    sweeping = false;
    sweep();
    if (!by_age.empty()) schedule_sweep();
  });
}

void TcpLoop::sweep() {
  const auto now = Clock::now();
  const bool end = finishing && now >= finish_until;
  std::vector<std::shared_ptr<Connection>> over;
  for (Connection& connection : by_age)
    if (end || connection.expired(now)) over.push_back(connection.shared_from_this());
  for (const auto& connection : over) connection->close();
}

TcpListener::TcpListener(const TcpSettings& settings) : loop_(std::make_shared<TcpLoop>(settings)) {}

TcpListener::~TcpListener() { stop(); }

void TcpListener::add(Claim claim, std::shared_ptr<const Router> router) {
  loop_->add(std::move(claim), std::move(router));
}

void TcpListener::start() {
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([loop = loop_.get()] { loop->run(); });
  ::pthread_setname_np(thread_.native_handle(), "dns-tcp");
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void TcpListener::stop() {
  if (!thread_.joinable()) return;
  loop_->finish();
  thread_.join();
}

void TcpListener::add_to(Totals& totals, model::Family family) const noexcept {
  totals.add(loop_->counters[family == model::Family::ipv4 ? 0 : 1]);
}
std::uint64_t TcpListener::connections_accepted() const noexcept { return loop_->accepted.get(); }
std::uint64_t TcpListener::connections_open() const noexcept { return loop_->open.load(std::memory_order_relaxed); }
std::uint64_t TcpListener::connections_evicted() const noexcept { return loop_->evicted.get(); }

} // namespace signpost::server
