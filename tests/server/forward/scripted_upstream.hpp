// An upstream of the test's own on loopback, UDP and TCP on one port, that does what its script says; and a client that
// asks a Forwarder as a listener would.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/forward/forwarder.hpp"
#include "tests/zone/wire/response_builder.hpp"
#include "zone/index/epoch.hpp"
#include "zone/wire/octets.hpp"
#include "zone/wire/query.hpp"
#include "zone/wire/response.hpp"

namespace signpost::testing {

inline server::Endpoint loopback(std::uint16_t port) { return {*model::Address::parse("127.0.0.1"), port}; }

/// A socket bound to a port of loopback that the kernel chose.
class Socket {
public:
  explicit Socket(int type, std::uint16_t port = 0) : fd_(::socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const int on = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bound_ = ::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    if (bound_ && type == SOCK_STREAM) bound_ = ::listen(fd_, 64) == 0;
  }
  ~Socket() { ::close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool bound() const { return bound_; }
  [[nodiscard]] sockaddr_in address() const {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length);
    return address;
  }
  [[nodiscard]] std::uint16_t port() const { return ntohs(address().sin_port); }

private:
  int fd_;
  bool bound_ = false;
};

/// What came to the upstream.
struct Asked {
  Octets query;
  bool tcp = false;
  sockaddr_in from{};     // UDP only
  std::size_t number = 0; // of all queries, from 0

  [[nodiscard]] std::uint16_t id() const { return wire::load16(query.data()); }
  [[nodiscard]] Octets qname() const {
    return {query.begin() + 12, query.begin() + 12 + static_cast<std::ptrdiff_t>(wire::upstream::skip_name(query, 12))};
  }
  /// The same in lower case, whatever letters were drawn.
  [[nodiscard]] Octets lower_qname() const {
    Octets lower = qname();
    for (std::uint8_t& octet : lower) octet = wire::upstream::lower(octet);
    return lower;
  }
  [[nodiscard]] std::uint16_t type() const { return wire::load16(&query[12 + qname().size()]); }
  [[nodiscard]] bool edns() const { return wire::load16(&query[10]) == 1; }
  /// A response to it with this rcode and nothing in it yet.
  [[nodiscard]] Message reply(std::size_t rcode = 0) const {
    return std::move(Message(id(), 0x8180 | rcode).question(qname(), type()));
  }
};

class ScriptedUpstream {
public:
  /// The messages to send back, in this order; none: silence.
  using Script = std::function<std::vector<Octets>(const Asked&)>;

  enum class Tcp : std::uint8_t {
    answers,
    refuses,
    ignores, // connections are made and never looked at
  };

  explicit ScriptedUpstream(Script script, Tcp over_tcp = Tcp::answers)
      : script_(std::move(script)), over_tcp_(over_tcp) {
    for (int attempt = 0; attempt < 50; ++attempt) {
      udp_ = std::make_unique<Socket>(SOCK_DGRAM);
      tcp_ = std::make_unique<Socket>(SOCK_STREAM, udp_->port());
      if (tcp_->bound()) break;
    }
    if (!tcp_->bound()) throw std::runtime_error("no port is free for both transports");
    if (over_tcp_ == Tcp::refuses) tcp_.reset();
    if (::pipe(stop_) != 0) throw std::runtime_error("pipe");
    port_ = udp_->port();
    thread_ = std::thread([this] { run(); });
  }
  ~ScriptedUpstream() {
    ::close(stop_[1]);
    thread_.join();
    ::close(stop_[0]);
  }

  [[nodiscard]] server::Endpoint endpoint() const { return loopback(port_); }
  [[nodiscard]] std::vector<Asked> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

  /// Sends a datagram to who asked, whenever.
  void send(const Asked& asked, const Octets& reply) {
    ::sendto(udp_->fd(), reply.data(), reply.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&asked.from),
             sizeof asked.from);
  }

private:
  void run() {
    const int tcp = over_tcp_ == Tcp::answers ? tcp_->fd() : -1;
    for (;;) {
      pollfd fds[3] = {{stop_[0], POLLIN, 0}, {udp_->fd(), POLLIN, 0}, {tcp, POLLIN, 0}};
      if (::poll(fds, 3, -1) < 0) return;
      if (fds[0].revents != 0) return;
      if (fds[1].revents != 0) serve_udp();
      if (fds[2].revents != 0) serve_tcp();
    }
  }

  std::vector<Octets> play(Octets query, bool tcp, const sockaddr_in& from) {
    Asked asked{std::move(query), tcp, from};
    {
      const std::lock_guard lock(mutex_);
      asked.number = asked_.size();
      asked_.push_back(asked);
    }
    return script_(asked);
  }

  void serve_udp() {
    Octets query(65535);
    sockaddr_in from{};
    socklen_t length = sizeof from;
    const ssize_t got =
        ::recvfrom(udp_->fd(), query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
    if (got < 12) return;
    query.resize(static_cast<std::size_t>(got));
    for (const Octets& reply : play(std::move(query), false, from))
      ::sendto(udp_->fd(), reply.data(), reply.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&from), length);
  }

  void serve_tcp() {
    const int connection = ::accept(tcp_->fd(), nullptr, nullptr);
    std::uint8_t prefix[2];
    if (::recv(connection, prefix, 2, MSG_WAITALL) == 2) {
      Octets query(wire::load16(prefix));
      if (::recv(connection, query.data(), query.size(), MSG_WAITALL) == static_cast<ssize_t>(query.size())) {
        for (const Octets& reply : play(std::move(query), true, {})) {
          const Octets framed = u16(reply.size()) + reply;
          ::send(connection, framed.data(), framed.size(), MSG_NOSIGNAL);
        }
      }
    }
    ::close(connection);
  }

  Script script_;
  Tcp over_tcp_;
  std::unique_ptr<Socket> udp_, tcp_;
  std::uint16_t port_ = 0;
  int stop_[2];
  mutable std::mutex mutex_;
  std::vector<Asked> asked_;
  std::thread thread_;
};

/// A query with RD, and an OPT if `edns`.
inline Octets query(std::uint16_t id, const Octets& qname, std::size_t type = 1, bool edns = false,
                    std::size_t flags = 0x0100, bool dnssec_ok = false) {
  Message message(id, flags);
  message.question(qname, type);
  if (edns) message.count(10, 1).raw(Octets{0} + u16(41) + u16(1232) + u32(dnssec_ok ? 0x8000 : 0) + u16(0));
  return message.octets();
}

/// Asks a forwarder as a packet worker or a connection does.
class Client {
public:
  explicit Client(server::Outside& outside) : outside_(outside) { reader_.offline(); }

  /// Hands the query in; what was answered at once.
  std::optional<Octets> hand_in(const Octets& query, wire::Transport transport = wire::Transport::udp) {
    return hand_in(query, transport,
                   [&](const wire::Query& parsed, std::span<std::uint8_t> buffer, const server::ReplyTo& to) {
                     return outside_.take(parsed, transport, buffer, query.size(), to);
                   });
  }

  /// What comes within the time; empty: nothing.
  Octets receive(std::chrono::milliseconds within = std::chrono::seconds(20)) {
    pollfd fd{peer_.fd(), POLLIN, 0};
    if (::poll(&fd, 1, static_cast<int>(within.count())) <= 0) return {};
    Octets reply(65535);
    const ssize_t got = ::recv(peer_.fd(), reply.data(), reply.size(), 0);
    reply.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return reply;
  }

  Octets ask(const Octets& query, wire::Transport transport = wire::Transport::udp) {
    if (auto at_once = hand_in(query, transport)) return *at_once;
    return transport == wire::Transport::udp ? receive() : from_stream();
  }

private:
  template <class Hand>
  std::optional<Octets> hand_in(const Octets& query, wire::Transport transport, Hand&& hand) {
    Octets buffer(transport == wire::Transport::udp ? 1232 : 65535);
    std::copy(query.begin(), query.end(), buffer.begin());
    wire::Query parsed;
    wire::read_query({buffer.data(), query.size()}, parsed);
    parsed.reply_flags = wire::flag::ra; // as of an address that forwards
    if (parsed.check != wire::Check::ok) throw std::runtime_error("the test's query is broken");
    server::ReplyTo to;
    if (transport == wire::Transport::udp) {
      to.udp_socket = listener_.fd();
      const sockaddr_in address = peer_.address();
      std::memcpy(&to.peer, &address, sizeof address);
      to.peer_length = sizeof address;
    } else {
      stream_ = std::promise<Octets>();
      to.tcp = std::make_shared<std::function<void(std::span<const std::uint8_t>)>>(
          [this](std::span<const std::uint8_t> reply) {
            stream_.set_value({reply.begin(), reply.end()});
          });
    }
    reader_.online();
    const server::Taken taken = hand(parsed, std::span<std::uint8_t>(buffer), to);
    reader_.offline();
    if (taken.later) return std::nullopt;
    buffer.resize(taken.length);
    return buffer;
  }

  Octets from_stream() {
    auto future = stream_.get_future();
    if (future.wait_for(std::chrono::seconds(20)) != std::future_status::ready) return {};
    return future.get();
  }

  server::Outside& outside_;
  zone::ReaderThread reader_;
  Socket listener_{SOCK_DGRAM}, peer_{SOCK_DGRAM};
  std::promise<Octets> stream_;
};

} // namespace signpost::testing
