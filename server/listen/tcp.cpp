#include "server/listen/tcp.hpp"

#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "server/listen/connection.hpp"
#include "server/log/log.hpp"

namespace signpost::server {
namespace {

constexpr std::size_t one_read = 16 * 1024;
constexpr std::size_t all_answers = 192 * 1024; // of one round of one connection: two of the longest fit in any case
constexpr int accepted_at_once = 64;            // then the connections have their turn
constexpr std::size_t evict_attempts = 64;      // of the longest silent ones, to find one that is owed nothing
constexpr std::size_t reserved_descriptors = 128;
constexpr auto accept_pause = std::chrono::milliseconds(100); // without descriptors or memory
constexpr auto shortest_sweep = std::chrono::milliseconds(10), longest_sweep = std::chrono::milliseconds(250);
constexpr auto no_sweep = std::chrono::seconds(60);

std::size_t connections_allowed(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  const auto files = static_cast<std::size_t>(limit.rlim_cur);
  const std::size_t spare = files > 2 * reserved_descriptors ? files - reserved_descriptors : files / 2;
  return std::max<std::size_t>(1, std::min(wanted, spare));
}

Connection::Source source_of(const sockaddr_storage& peer) {
  Connection::Source source{};
  if (peer.ss_family == AF_INET) {
    source[0] = 0xFF; // no IPv6 unicast network begins so
    std::memcpy(source.data() + 4, &reinterpret_cast<const sockaddr_in&>(peer).sin_addr, 4);
  } else {
    std::memcpy(source.data(), &reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr, source.size());
  }
  return source;
}

} // namespace

TcpLoop::TcpLoop(const TcpSettings& tcp_settings) : settings(tcp_settings), received(one_read), answers(all_answers) {
  settings.max_connections = connections_allowed(settings.max_connections);
  settings.max_per_source = std::min(settings.max_per_source, settings.max_connections);
}

TcpLoop::~TcpLoop() {
  while (!by_age.empty()) by_age.front().close();
}

void TcpLoop::add(Claim claim, std::shared_ptr<const Router> router) {
  const std::size_t family = claim.endpoint.address.is_v4() ? 0 : 1;
  auto served = std::make_shared<Served>(std::move(router), counters[family]);
  poller.post([this, claim = std::make_shared<Claim>(std::move(claim)), served = std::move(served)] {
    if (!finishing) acceptors.push_back(std::make_unique<Acceptor>(*this, std::move(*claim), served));
  });
}

void TcpLoop::remove(const Endpoint& endpoint) {
  poller.post([this, endpoint] {
    std::erase_if(acceptors, [&](const auto& acceptor) {
      if (acceptor->endpoint != endpoint) return false;
      close(*acceptor);
      return true;
    });
  });
}

void TcpLoop::close(Acceptor& acceptor) {
  if (acceptor.paused_until == Clock::time_point{}) poller.remove(acceptor.socket.fd(), acceptor);
  acceptor.paused_until = {};
  acceptor.socket = Socket();
}

void TcpLoop::run() noexcept {
  zone::ReaderThread own_reader;
  own_reader.offline();
  while (!finishing || !by_age.empty()) {
    try {
      resume_acceptors();
      const bool waits = by_age.empty() && !finishing;
      if (waits) next_sweep = poller.now() + no_sweep;
      Clock::time_point until = next_sweep;
      for (const auto& acceptor : acceptors)
        if (acceptor->paused_until != Clock::time_point{}) until = std::min(until, acceptor->paused_until);
      poller.wait(until);
      own_reader.online();
      poller.dispatch();
      own_reader.offline();
      if (poller.now() >= next_sweep) sweep();
    } catch (const std::exception& error) { // out of memory; what it happened to is closed by its time-out
      own_reader.offline();
      log::error("dns", "tcp", {{"error", error.what()}});
    }
  }
}

void TcpLoop::finish() {
  poller.post([this] {
    finishing = true;
    finish_until = poller.now() + settings.write;
    next_sweep = poller.now();
    for (const auto& acceptor : acceptors) close(*acceptor);
    std::vector<std::shared_ptr<Connection>> all;
    for (Connection& connection : by_age) all.push_back(connection.shared_from_this());
    for (const auto& connection : all) connection->finish();
  });
}

void TcpLoop::Acceptor::on_ready(std::uint32_t) {
  for (int i = 0; i < accepted_at_once; ++i) {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    Socket accepted(::accept4(socket.fd(), reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (accepted) {
      loop.admit(std::move(accepted), peer, served);
    } else if (errno == EAGAIN) {
      return;
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      loop.shed();
      loop.poller.remove(socket.fd(), *this);
      paused_until = loop.poller.now() + accept_pause;
      return;
    } // else: that connection is gone already
  }
  loop.poller.change(socket.fd(), EPOLLIN, *this);
}

void TcpLoop::resume_acceptors() {
  for (const auto& acceptor : acceptors) {
    if (finishing || acceptor->paused_until == Clock::time_point{} || acceptor->paused_until > poller.now()) continue;
    const bool watched = poller.add(acceptor->socket.fd(), EPOLLIN, *acceptor);
    acceptor->paused_until = watched ? Clock::time_point{} : poller.now() + accept_pause;
  }
}

void TcpLoop::shed() {
  if (evict_from(by_age)) evicted.add();
}

void TcpLoop::admit(Socket socket, const sockaddr_storage& peer, std::shared_ptr<Served> served) {
  const Connection::Source source = source_of(peer);
  if (!make_room(source)) return; // closes the socket
  const auto connection = std::make_shared<Connection>(*this, std::move(socket), std::move(served), source);
  if (by_age.empty()) next_sweep = poller.now();
  by_source[source].push_back(*connection);
  by_age.push_back(*connection);
  accepted.add();
  open.store(by_age.size(), std::memory_order_relaxed);
  connection->start();
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

void TcpLoop::sweep() {
  const auto now = poller.now();
  const auto least = std::min({settings.idle, settings.idle_crowded, settings.first, settings.message, settings.write});
  next_sweep = now + std::clamp<std::chrono::milliseconds>(least / 4, shortest_sweep, longest_sweep);
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

void TcpListener::remove(const Endpoint& endpoint) { loop_->remove(endpoint); }

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
