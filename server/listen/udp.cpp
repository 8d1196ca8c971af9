#include "server/listen/udp.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>

#include "server/listen/serve.hpp"
#include "server/listen/socket.hpp"
#include "zone/index/epoch.hpp"

namespace signpost::server {
namespace {

constexpr unsigned batch_size = 32;         // 16: 1.10 of its cost, 64: the same, 128: 1.15
constexpr std::size_t datagram_size = 1296; // a reply of 1232 octets; longer queries are malformed
constexpr int receive_buffer = 4 << 20;     // octets; the default loses bursts above 200 packets
constexpr auto drain_time = std::chrono::milliseconds(500);
constexpr timeval send_timeout{.tv_sec = 0, .tv_usec = 100'000};
constexpr unsigned timed_batches = 64; // one in so many is timed: two looks at the clock cost 100 instructions
constexpr auto pause_after_error = std::chrono::milliseconds(1);

/// IPv4 and IPv6 have their port in the same place.
static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));

/// A datagram with its peer: read and answered in place.
struct Slot {
  std::array<std::uint8_t, datagram_size> data;
  sockaddr_in6 peer;
  iovec in, out; // both of `data`
};

/// One array of messages for receiving, one for sending; set up once.
struct Batch {
  std::array<Slot, batch_size> slot;
  std::array<mmsghdr, batch_size> in, out;
  std::array<PacketInfo, batch_size> info; // of a wildcard socket: where to a query came, from where its reply goes

  explicit Batch(socklen_t peer_length) {
    std::memset(static_cast<void*>(this), 0, sizeof *this);
    for (unsigned i = 0; i < batch_size; ++i) {
      slot[i].in = slot[i].out = {slot[i].data.data(), datagram_size};
      in[i].msg_hdr = {.msg_name = &slot[i].peer,
                       .msg_namelen = peer_length, // the kernel leaves it so
                       .msg_iov = &slot[i].in,
                       .msg_iovlen = 1,
                       .msg_control = nullptr,
                       .msg_controllen = 0,
                       .msg_flags = 0};
      out[i].msg_hdr = in[i].msg_hdr;
    }
  }

  std::size_t index_of(const Slot& one) const { return static_cast<std::size_t>(&one - slot.data()); }

  void expect_infos() {
    for (unsigned i = 0; i < batch_size; ++i) {
      in[i].msg_hdr.msg_control = info[i].octets.data();
      in[i].msg_hdr.msg_controllen = info[i].octets.size();
    }
  }

  /// Makes of where queries came to where replies come from.
  void turn_infos(unsigned received) {
    for (unsigned i = 0; i < received; ++i) {
      info[i].length = in[i].msg_hdr.msg_controllen;
      for (cmsghdr* header = CMSG_FIRSTHDR(&in[i].msg_hdr); header != nullptr;
           header = CMSG_NXTHDR(&in[i].msg_hdr, header))
        turn_info(*header);
    }
  }

private:
  /// The address is kept. The interface is not, so that a reply takes the route that the host has for it; a link-local
  /// address is none without its interface.
  static void turn_info(cmsghdr& header) {
    if (header.cmsg_level == IPPROTO_IP && header.cmsg_type == IP_PKTINFO) {
      in_pktinfo came;
      std::memcpy(&came, CMSG_DATA(&header), sizeof came);
      came.ipi_ifindex = 0;
      std::memcpy(CMSG_DATA(&header), &came, sizeof came);
    } else if (header.cmsg_level == IPPROTO_IPV6 && header.cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo came;
      std::memcpy(&came, CMSG_DATA(&header), sizeof came);
      if (!IN6_IS_ADDR_LINKLOCAL(&came.ipi6_addr)) came.ipi6_ifindex = 0;
      std::memcpy(CMSG_DATA(&header), &came, sizeof came);
    }
  }
};

tl::expected<Socket, std::string> open_shared(const Endpoint& endpoint) {
  const SocketAddress address(endpoint);
  Socket socket(::socket(address.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto failed = [&](const char* doing) {
    return tl::unexpected(endpoint.to_string() + " cannot be listened on over UDP: " + doing + ": " +
                          std::strerror(errno) + "; choose another address with --dns or bind");
  };
  if (!socket) return failed("socket");
  const int one = 1, v4_omit = IP_PMTUDISC_OMIT, v6_omit = IPV6_PMTUDISC_OMIT;
  if (::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) != 0) return failed("SO_REUSEPORT");
  if (::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer) != 0)
    ::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_SNDTIMEO, &send_timeout, sizeof send_timeout);
  // Forged "fragmentation needed" must not make answers fragments (RFC 9715).
  if (address.storage.ss_family == AF_INET6) {
    ::setsockopt(socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    ::setsockopt(socket.fd(), IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6_omit, sizeof v6_omit);
  } else {
    ::setsockopt(socket.fd(), IPPROTO_IP, IP_MTU_DISCOVER, &v4_omit, sizeof v4_omit);
  }
  if (endpoint.address.is_unspecified() &&
      (endpoint.address.is_v4() ? ::setsockopt(socket.fd(), IPPROTO_IP, IP_PKTINFO, &one, sizeof one)
                                : ::setsockopt(socket.fd(), IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof one)) != 0)
    return failed("packet information");
  if (::bind(socket.fd(), address.get(), address.length) != 0) return failed("bind");
  return socket;
}

} // namespace

struct UdpListener::Worker {
  Worker(Socket s, const Endpoint& endpoint, std::shared_ptr<const Router> r)
      : socket(std::move(s)), peer_length(endpoint.address.is_v4() ? sizeof(sockaddr_in) : sizeof(sockaddr_in6)),
        wildcard(endpoint.address.is_unspecified()), router(r), aliases(std::move(r)) {}

  struct ReplyToPeer;

  void run();
  void answer_batch(Batch& batch, Serving& serving, unsigned received) noexcept;
  void send(Batch& batch, unsigned count) noexcept;

  Counters counters;
  unsigned batches = 0;
  Socket socket;
  socklen_t peer_length;
  bool wildcard;
  std::shared_ptr<const Router> router;   // the thread's own, …
  std::shared_ptr<const Aliases> aliases; // … as this: the router's
  std::mutex routing;
  std::shared_ptr<const Router> next; // guarded by routing
  std::atomic<std::uint64_t> routed{0}; // grows with each router
  std::atomic<bool> stopping{false};
  std::thread thread;
};

/// Where the late answer to a datagram goes, and who asks.
struct UdpListener::Worker::ReplyToPeer {
  const Slot& slot;
  const Batch& batch;
  const Worker& worker;

  ReplyTo operator()() const {
    ReplyTo to;
    to.aliases = &worker.aliases;
    to.udp_socket = worker.socket.fd();
    to.peer_length = worker.peer_length;
    std::memcpy(&to.peer, &slot.peer, worker.peer_length);
    if (worker.wildcard) to.from = batch.info[batch.index_of(slot)];
    return to;
  }
  const sockaddr* peer(sockaddr_storage&) const { return reinterpret_cast<const sockaddr*>(&slot.peer); }
};

void UdpListener::Worker::run() {
  const auto batch = std::make_unique<Batch>(peer_length);
  std::uint64_t routed_by = routed.load(std::memory_order_acquire);
  std::optional<Serving> serving(std::in_place, *router, wire::Transport::udp,
                                 counters);
  zone::ReaderThread reader;
  std::chrono::steady_clock::time_point drain_until{};
  for (;;) {
    const bool draining = stopping.load(std::memory_order_relaxed);
    if (draining) [[unlikely]] {
      const auto now = std::chrono::steady_clock::now();
      if (drain_until == std::chrono::steady_clock::time_point{}) drain_until = now + drain_time;
      if (now > drain_until) return;
      // A reader woken by shutdown() finds an empty message from nobody, which has emptied the length of the name too.
      for (mmsghdr& message : batch->in) message.msg_hdr.msg_namelen = peer_length;
    }
    if (wildcard) [[unlikely]]
      batch->expect_infos();
    reader.offline();
    const int received =
        ::recvmmsg(socket.fd(), batch->in.data(), batch_size, draining ? MSG_DONTWAIT : MSG_WAITFORONE, nullptr);
    const int error = errno;
    reader.online();
    if (const auto now = routed.load(std::memory_order_acquire); now != routed_by) [[unlikely]] {
      routed_by = now;
      const std::lock_guard lock(routing); // once a reload
      router = next;
      aliases = router;
      serving.emplace(*router, wire::Transport::udp, counters);
    }
    if (received > 0) [[likely]] {
      answer_batch(*batch, *serving, static_cast<unsigned>(received));
    } else if (draining || error == EBADF || error == ENOTSOCK) {
      return;
    } else if (error != EINTR && !stopping.load(std::memory_order_relaxed)) {
      std::this_thread::sleep_for(pause_after_error); // out of memory, an ICMP error: never spin on it
    }
  }
}

void UdpListener::Worker::answer_batch(Batch& batch, Serving& serving, unsigned received) noexcept {
  const bool timed = ++batches % timed_batches == 0;
  const auto begun = timed ? std::chrono::steady_clock::now() : std::chrono::steady_clock::time_point{};
  const bool logs = serving.router.logs();
  if (wildcard) [[unlikely]]
    batch.turn_infos(received);
  std::size_t query_octets = 0, reply_octets = 0;
  Slot* slot = batch.slot.data();
  mmsghdr* out = batch.out.data();
  for (const mmsghdr* in = batch.in.data(), *end = in + received; in != end; ++in, ++slot) {
    query_octets += in->msg_len;
    if (slot->peer.sin6_port == 0) [[unlikely]] {
      counters.dropped.add();
      continue;
    }
    const std::size_t length = serve(serving, slot->data, in->msg_len, ReplyToPeer{*slot, batch, *this});
    if (logs) [[unlikely]]
      log_query(serving, reinterpret_cast<const sockaddr*>(&slot->peer), {slot->data.data(), length});
    if (length == 0) [[unlikely]]
      continue;
    reply_octets += length;
    slot->out.iov_len = length;
    out->msg_hdr.msg_iov = &slot->out;
    out->msg_hdr.msg_name = &slot->peer;
    if (wildcard) [[unlikely]] {
      PacketInfo& from = batch.info[batch.index_of(*slot)];
      out->msg_hdr.msg_control = from.octets.data();
      out->msg_hdr.msg_controllen = from.length;
    }
    ++out;
  }
  counters.queries.add(received);
  counters.query_octets.sum.add(query_octets);
  counters.reply_octets.sum.add(reply_octets);
  if (out != batch.out.data()) send(batch, static_cast<unsigned>(out - batch.out.data()));
  if (timed) [[unlikely]]
    count_time(counters.batch_time, std::chrono::steady_clock::now() - begun);
}

void UdpListener::Worker::send(Batch& batch, unsigned count) noexcept {
  for (unsigned sent = 0; sent < count;) {
    const int n = ::sendmmsg(socket.fd(), batch.out.data() + sent, count - sent, 0);
    if (n > 0) [[likely]] {
      sent += static_cast<unsigned>(n);
    } else if (n < 0 && errno == EINTR) {
      continue;
    } else { // this one cannot be sent (no route, firewall, time-out): the others may
      ++sent;
      counters.unsent.add();
    }
  }
}

UdpListener::UdpListener() = default;

UdpListener::~UdpListener() { stop(); }

tl::expected<std::unique_ptr<UdpListener>, std::string>
UdpListener::open(const Endpoint& endpoint, std::shared_ptr<const Router> router, unsigned workers) {
  std::unique_ptr<UdpListener> listener(new UdpListener);
  for (unsigned i = 0; i < workers; ++i) {
    auto socket = open_shared(endpoint);
    if (!socket) return tl::unexpected(socket.error());
    listener->workers_.push_back(std::make_unique<Worker>(std::move(*socket), endpoint, router));
  }
  return listener;
}

void UdpListener::start() {
  // Signals are for the main thread.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  for (const auto& worker : workers_) {
    worker->thread = std::thread(&Worker::run, worker.get());
    ::pthread_setname_np(worker->thread.native_handle(), "dns-udp");
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void UdpListener::route(const std::shared_ptr<const Router>& router) {
  for (const auto& worker : workers_) {
    const std::lock_guard lock(worker->routing);
    worker->next = router;
    worker->routed.fetch_add(1, std::memory_order_release);
  }
}

void UdpListener::stop() {
  for (const auto& worker : workers_) {
    worker->stopping.store(true, std::memory_order_relaxed);
    ::shutdown(worker->socket.fd(), SHUT_RD); // ENOTCONN, but it wakes the reader
  }
  for (const auto& worker : workers_)
    if (worker->thread.joinable()) worker->thread.join();
}

void UdpListener::release() {
  const Socket nowhere(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  for (const auto& worker : workers_)
    if (nowhere) ::dup3(nowhere.fd(), worker->socket.fd(), O_CLOEXEC);
}

void UdpListener::add_to(Totals& totals) const noexcept {
  for (const auto& worker : workers_) totals.add(worker->counters);
}

} // namespace signpost::server
