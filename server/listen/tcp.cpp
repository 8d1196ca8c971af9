#include "server/listen/tcp.hpp"

#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <future>
#include <new>

#include "server/listen/connection.hpp"
#include "server/log/log.hpp"

namespace signpost::server {
namespace {

constexpr std::size_t one_read = 4 * 1024; // then others have their turn: some 80 queries
constexpr std::size_t unfinished_at_once = 16;
constexpr int kept_unread = 32 * 1024;        // octets in the kernel of a client whose queries wait
constexpr int kept_unsent = 16 * 1024;        // octets in the kernel for a client that does not take them
constexpr int accepted_at_once = 128;         // then the connections have their turn
constexpr int closed_at_once = 128;           // of those over their time
constexpr std::size_t worth_a_trim = 8 << 20; // octets of buffers that are gone again
constexpr std::size_t evict_attempts = 64;    // of the longest silent ones, to find one that is owed nothing
constexpr std::size_t reserved_descriptors = 128;
constexpr auto accept_pause = std::chrono::milliseconds(100); // without descriptors or memory
constexpr auto longest_wait = std::chrono::seconds(60);

std::size_t connections_allowed(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  const auto files = static_cast<std::size_t>(limit.rlim_cur);
  const std::size_t spare = files > 2 * reserved_descriptors ? files - reserved_descriptors : files / 2;
  return std::max<std::size_t>(1, std::min(wanted, spare));
}

Source source_of(const sockaddr_storage& peer) {
  Source source{};
  if (peer.ss_family == AF_INET) {
    source[0] = 0xFF; // no IPv6 unicast network begins so
    std::memcpy(source.data() + 4, &reinterpret_cast<const sockaddr_in&>(peer).sin_addr, 4);
  } else {
    std::memcpy(source.data(), &reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr, source.size());
  }
  return source;
}

} // namespace

TcpLoop::TcpLoop(const TcpSettings& tcp_settings)
    : settings(tcp_settings), received(one_read), answers(settings.max_output + length_octets + message_room) {
  settings.max_connections = connections_allowed(settings.max_connections);
  settings.max_per_source = std::min(settings.max_per_source, settings.max_connections);
}

TcpLoop::~TcpLoop() {
  for (PhaseQueue& all : queues)
    while (!all.empty()) all.front().close();
}

void TcpLoop::add(Claim claim, std::shared_ptr<const Router> router) {
  const int one = 1; // all are inherited by the connections
  ::setsockopt(claim.tcp.fd(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::setsockopt(claim.tcp.fd(), SOL_SOCKET, SO_RCVBUF, &kept_unread, sizeof kept_unread);
  ::setsockopt(claim.tcp.fd(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kept_unsent, sizeof kept_unsent);
  const std::size_t family = claim.endpoint.address.is_v4() ? 0 : 1;
  auto served = std::make_shared<Served>(claim.endpoint, std::move(router), counters[family]);
  poller.post([this, claim = std::make_shared<Claim>(std::move(claim)), served = std::move(served)] {
    std::erase_if(all_served, [](const auto& old) { return old.expired(); });
    all_served.push_back(served);
    if (!finishing) acceptors.push_back(std::make_unique<Acceptor>(*this, std::move(*claim), served));
  });
}

void TcpLoop::route(const std::vector<std::pair<Endpoint, std::shared_ptr<const Router>>>& routers) {
  const auto nobody = std::make_shared<const Router>(std::vector<BlockRoute>{});
  for (const auto& weak : all_served) {
    const auto served = weak.lock();
    if (!served) continue;
    const auto found =
        std::find_if(routers.begin(), routers.end(), [&](const auto& one) { return one.first == served->endpoint; });
    served->route(found == routers.end() ? nobody : found->second);
  }
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
  poller.remove(acceptor.socket.fd(), acceptor);
  acceptor.socket = Socket();
  acceptor.more = false;
}

void TcpLoop::run() noexcept {
  zone::ReaderThread own_reader;
  own_reader.offline();
  while (!finishing || !empty()) {
    try {
      poller.wait(next_deadline());
      own_reader.online();
      poller.dispatch();
      accept(); // in every round: new clients are not kept out by busy ones
      go_on();
      own_reader.offline();
      close_late();
      give_back();
    } catch (const std::exception& error) {
      own_reader.offline();
      log::error("dns", "tcp", {{"error", error.what()}});
    }
  }
}

void TcpLoop::finish() {
  poller.post([this] {
    finishing = true;
    finish_until = poller.now() + settings.finish;
    for (const auto& acceptor : acceptors) close(*acceptor);
    std::vector<std::shared_ptr<Connection>> all;
    for (PhaseQueue& some : queues)
      for (Connection& connection : some) all.push_back(connection.self());
    for (const auto& connection : all) connection->finish();
  });
}

void TcpLoop::Acceptor::on_ready(std::uint32_t) { more = true; }

void TcpLoop::Acceptor::accept() {
  if (!watched) watched = loop.poller.add(socket.fd(), EPOLLIN, *this);
  if (!watched) {
    paused_until = loop.poller.now() + accept_pause;
    return;
  }
  for (int i = 0; i < accepted_at_once; ++i) {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    Socket accepted(::accept4(socket.fd(), reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    int error = accepted ? 0 : errno;
    if (error == EAGAIN) {
      more = false;
      return;
    }
    try {
      if (accepted) loop.admit(std::move(accepted), peer, served);
    } catch (const std::bad_alloc&) {
      error = ENOMEM;
    }
    if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
      loop.shed();
      paused_until = loop.poller.now() + accept_pause;
      return;
    } // another error: that connection is gone already
  }
}

void TcpLoop::accept() {
  for (const auto& acceptor : acceptors)
    if (acceptor->more && acceptor->paused_until <= poller.now()) acceptor->accept();
}

void TcpLoop::go_on() {
  for (std::size_t left = std::min(unfinished.size(), unfinished_at_once); left > 0; --left) {
    const auto connection = std::move(unfinished.front());
    unfinished.pop_front();
    connection->go_on();
  }
}

void TcpLoop::admit(Socket socket, const sockaddr_storage& peer, std::shared_ptr<Served> served) {
  const Source source = source_of(peer);
  if (!make_room(source)) return; // closes the socket
  const auto same = sources.try_emplace(source).first;
  std::shared_ptr<Connection> connection;
  try {
    connection = std::make_shared<Connection>(*this, std::move(socket), std::move(served), same);
  } catch (const std::bad_alloc&) {
    if (same->second.empty()) sources.erase(same);
    throw;
  }
  queue(Phase::fresh).push_back(*connection);
  open.store(++count, std::memory_order_relaxed);
  accepted.add();
  Connection::start(std::move(connection));
}

void TcpLoop::enter(Connection& connection, Phase phase) {
  PhaseQueue& to = queue(phase);
  to.splice(to.end(), queue(connection.phase_), PhaseQueue::s_iterator_to(connection));
  SourceQueue& same = connection.source_->second;
  same.splice(same.end(), same, SourceQueue::s_iterator_to(connection));
  connection.phase_ = phase;
  connection.since_ = poller.now();
}

void TcpLoop::forget(Connection& connection) noexcept {
  PhaseQueue& from = queue(connection.phase_);
  from.erase(PhaseQueue::s_iterator_to(connection));
  SourceQueue& same = connection.source_->second;
  same.erase(SourceQueue::s_iterator_to(connection));
  if (same.empty()) sources.erase(connection.source_);
  open.store(--count, std::memory_order_relaxed);
}

Connection* TcpLoop::longest_of(std::initializer_list<Phase> among) {
  Connection* longest = nullptr;
  for (const Phase phase : among) {
    PhaseQueue& some = queue(phase);
    if (!some.empty() && (longest == nullptr || some.front().since() < longest->since())) longest = &some.front();
  }
  return longest;
}

bool TcpLoop::evict() {
  Connection* victim = longest_of({Phase::fresh, Phase::idle, Phase::reading});
  Connection* const writer = longest_of({Phase::writing});
  if (writer != nullptr && writer->expendable() && (victim == nullptr || writer->since() < victim->since()))
    victim = writer;
  if (victim == nullptr) return false;
  victim->drop();
  evicted.add();
  return true;
}

bool TcpLoop::evict_from(SourceQueue& same) {
  for (std::size_t left = std::min(same.size(), evict_attempts); left > 0; --left) {
    Connection& connection = same.front();
    if (connection.expendable()) {
      connection.drop(); // the queue itself may be gone with its last member
      evicted.add();
      return true;
    }
    same.splice(same.end(), same, same.begin());
  }
  return false;
}

void TcpLoop::shed() { evict(); }

bool TcpLoop::make_room(const Source& source) {
  const auto same = sources.find(source);
  if (same != sources.end() && same->second.size() >= settings.max_per_source && !evict_from(same->second))
    return false;
  return count < settings.max_connections || evict();
}

void TcpLoop::account(Connection& connection, std::size_t& known, std::size_t now) {
  const bool grown = now > known;
  buffered = buffered - known + now;
  known = now;
  most_buffered = std::max(most_buffered, buffered);
  while (grown && buffered > settings.max_buffered && !connection.closed_) {
    Connection* const other = longest_of({Phase::reading, Phase::writing});
    (other != nullptr ? *other : connection).drop();
    evicted.add();
  }
}

void TcpLoop::give_back() noexcept {
  if (most_buffered < worth_a_trim || buffered > most_buffered / 8) return;
  most_buffered = buffered;
  ::malloc_trim(0);
}

std::optional<std::chrono::milliseconds> TcpLoop::limit(Phase phase) const {
  switch (phase) {
  case Phase::fresh: return std::min(settings.first, idle_limit());
  case Phase::idle: return idle_limit();
  case Phase::reading: return settings.message;
  case Phase::writing: return settings.write;
  case Phase::waiting: break;
  }
  return std::nullopt;
}

Clock::time_point TcpLoop::next_deadline() const {
  if (!unfinished.empty()) return poller.now();
  Clock::time_point next = poller.now() + longest_wait;
  if (finishing) next = std::min(next, finish_until);
  for (const auto& acceptor : acceptors)
    if (acceptor->more) next = std::min(next, acceptor->paused_until);
  for (std::size_t i = 0; i < phases; ++i)
    if (const auto most = limit(static_cast<Phase>(i)); most && !queues[i].empty())
      next = std::min(next, queues[i].front().since() + *most);
  return next;
}

void TcpLoop::close_late() {
  const auto now = poller.now();
  const bool end = finishing && now >= finish_until;
  int left = closed_at_once;
  for (std::size_t i = 0; i < phases; ++i) {
    PhaseQueue& some = queues[i];
    while (!some.empty() && (end || left-- > 0)) {
      const auto most = limit(static_cast<Phase>(i)); // grows as connections become fewer
      if (!end && (!most || now - some.front().since() < *most)) break;
      some.front().drop();
    }
  }
}

TcpListener::TcpListener(const TcpSettings& settings) : loop_(std::make_shared<TcpLoop>(settings)) {}

TcpListener::~TcpListener() { stop(); }

void TcpListener::add(Claim claim, std::shared_ptr<const Router> router) {
  loop_->add(std::move(claim), std::move(router));
}

void TcpListener::remove(const Endpoint& endpoint) { loop_->remove(endpoint); }

void TcpListener::route(std::vector<std::pair<Endpoint, std::shared_ptr<const Router>>> routers) {
  auto done = std::make_shared<std::promise<void>>();
  auto future = done->get_future();
  loop_->poller.post([loop = loop_.get(), routers = std::move(routers), done] {
    loop->route(routers);
    done->set_value();
  });
  future.wait();
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
