// Plain sockets that talk to a listener under test, and a server with a small zone to talk to.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "server/listen/listeners.hpp"
#include "server/listen/socket.hpp"
#include "tests/zone/views.hpp"

namespace signpost::test {

using Bytes = std::vector<std::uint8_t>;
using server::Endpoint;

inline constexpr int patience = 60000; // milliseconds that an answer may take on a busy machine

inline Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline Bytes question(std::string_view name, std::uint16_t id = 1, std::uint16_t type = 1) {
  Bytes packet = {static_cast<std::uint8_t>(id >> 8), static_cast<std::uint8_t>(id), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  while (!name.empty()) {
    const auto label = name.substr(0, name.find('.'));
    name.remove_prefix(std::min(name.size(), label.size() + 1));
    packet.push_back(static_cast<std::uint8_t>(label.size()));
    packet.insert(packet.end(), label.begin(), label.end());
  }
  for (const int octet : {0, type >> 8, type & 255, 0, 1}) packet.push_back(static_cast<std::uint8_t>(octet));
  return packet;
}

inline Bytes framed(const Bytes& message) {
  return Bytes{static_cast<std::uint8_t>(message.size() >> 8), static_cast<std::uint8_t>(message.size())} + message;
}

inline unsigned id_of(const Bytes& m) { return m.size() < 2 ? 0x10000u : m[0] * 256u + m[1]; }
inline unsigned rcode_of(const Bytes& m) { return m.size() < 4 ? 99u : m[3] & 15u; }
inline unsigned answers_of(const Bytes& m) { return m.size() < 12 ? 9999u : m[6] * 256u + m[7]; }

class Client {
public:
  Client(const Endpoint& server, int type) {
    const server::SocketAddress address(server);
    socket_ = server::Socket(::socket(address.storage.ss_family, type | SOCK_CLOEXEC, 0));
    REQUIRE(::connect(socket_.fd(), address.get(), address.length) == 0);
  }

  [[nodiscard]] int fd() const { return socket_.fd(); }
  bool send(const Bytes& bytes) { return send_raw(bytes) == static_cast<ssize_t>(bytes.size()); }
  ssize_t send_raw(const Bytes& bytes) { return ::send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  /// Sends the same again and again until nothing more is taken: the other end has stopped to read, or has closed.
  void fill(const Bytes& bytes) {
    std::size_t at = 0;
    while (writable(20) && !(readable(0) && peek() <= 0)) {
      const ssize_t sent = ::send(socket_.fd(), &bytes[at], bytes.size() - at, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) at = (at + static_cast<std::size_t>(sent)) % bytes.size();
    }
  }
  void half_close() { ::shutdown(socket_.fd(), SHUT_WR); }

  /// One datagram, or what a stream has; empty: the end of the stream.
  Bytes receive() {
    REQUIRE(readable(patience));
    Bytes bytes(65536);
    const ssize_t n = ::recv(socket_.fd(), bytes.data(), bytes.size(), 0);
    bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return bytes;
  }

  bool readable(int milliseconds) {
    pollfd wait{socket_.fd(), POLLIN, 0};
    return ::poll(&wait, 1, milliseconds) == 1;
  }

  bool writable(int milliseconds) {
    pollfd wait{socket_.fd(), POLLOUT, 0};
    return ::poll(&wait, 1, milliseconds) == 1;
  }
  /// As recv() gives it: 0 at the end of the stream, negative: an error.
  ssize_t peek() {
    std::uint8_t octet;
    return ::recv(socket_.fd(), &octet, 1, MSG_PEEK | MSG_DONTWAIT);
  }

  /// The next message of a stream; nullopt: the server closed.
  std::optional<Bytes> message() {
    for (;;) {
      const std::size_t have = stream_.size() - taken_;
      if (have >= 2) {
        const std::size_t length = stream_[taken_] * 256u + stream_[taken_ + 1];
        if (have >= 2 + length) {
          const auto begin = stream_.begin() + static_cast<std::ptrdiff_t>(taken_ + 2);
          taken_ += 2 + length;
          return Bytes(begin, begin + static_cast<std::ptrdiff_t>(length));
        }
      }
      const Bytes more = receive();
      if (more.empty()) return std::nullopt;
      stream_.erase(stream_.begin(), stream_.begin() + static_cast<std::ptrdiff_t>(taken_));
      taken_ = 0;
      stream_.insert(stream_.end(), more.begin(), more.end());
    }
  }

  Bytes ask(const Bytes& packet) {
    REQUIRE(send(packet));
    return receive();
  }

private:
  server::Socket socket_;
  Bytes stream_;          // received …
  std::size_t taken_ = 0; // … and handed out up to here
};

struct UdpClient : Client {
  explicit UdpClient(const Endpoint& server) : Client(server, SOCK_DGRAM) {}
};
struct TcpClient : Client {
  explicit TcpClient(const Endpoint& server) : Client(server, SOCK_STREAM) {}
};

inline bool has_ipv6() {
  const server::SocketAddress address(*Endpoint::parse("[::1]:9"));
  const server::Socket probe(::socket(AF_INET6, SOCK_DGRAM, 0));
  return probe && ::connect(probe.fd(), address.get(), address.length) == 0;
}

/// 127.0.0.1 and, where there is one, ::1, with a port to be chosen.
inline std::vector<Endpoint> loopback() {
  std::vector<Endpoint> endpoints = {{address("127.0.0.1"), 0}};
  if (has_ipv6()) endpoints.push_back({address("::1"), 0});
  return endpoints;
}

/// The services that tests/packets/badpackets.json asks for.
inline std::unique_ptr<zone::Zone> fixture_zone() {
  auto zone = std::make_unique<zone::Zone>(
      zone::ZoneSettings{.origins = {"cluster.local", "0.96.10.in-addr.arpa"}, .server_addresses = {}});
  zone->put_namespace("default");
  zone->put(cluster_ip("default", "web", {"10.96.0.10"}, {{"http", tcp, 80}}));
  model::EndpointGroup big, db;
  for (int i = 1; i <= 80; ++i) big.endpoints.push_back(endpoint({"10.244.2." + std::to_string(i)}));
  db.endpoints = {endpoint({"10.244.1.5"}), endpoint({"10.244.1.6"})};
  zone->put(headless("default", "big", {big}));
  zone->put(headless("default", "db", {db}));
  zone->put(external("default", "ext", "target.example.com"));
  zone->publish();
  zone->set_ready();
  return zone;
}

inline server::BlockRoute block(std::vector<std::string> zones, const zone::Zone* zone = nullptr,
                                server::Outside* outside = nullptr) {
  return {.zones = std::move(zones), .zone = zone, .outside = outside};
}

/// A listener, on loopback if nothing else is said, with free ports. `outside` answers what the zone does not.
class Server {
public:
  explicit Server(server::Outside* outside = nullptr, server::TcpSettings tcp_settings = {}, bool start = true,
                  const std::vector<Endpoint>& endpoints = loopback()) {
    open(endpoints, {block({"."}, zone_.get(), outside)}, tcp_settings);
    if (start) listeners->start();
  }

  [[nodiscard]] Endpoint endpoint() const { return listeners->endpoints()[0]; }

private:
  void open(const std::vector<Endpoint>& endpoints, std::vector<server::BlockRoute> routes,
            const server::TcpSettings& tcp_settings) {
    const auto router = std::make_shared<const server::Router>(std::move(routes));
    std::vector<server::ListenAddress> addresses;
    for (const Endpoint& endpoint : endpoints) addresses.push_back({endpoint, router});
    auto opened = server::Listeners::open(std::move(addresses), {.workers = 1, .tcp = tcp_settings});
    if (!opened) FAIL(opened.error());
    listeners = std::move(*opened);
  }

  std::unique_ptr<zone::Zone> zone_ = fixture_zone();

public:
  std::unique_ptr<server::Listeners> listeners;
};

} // namespace signpost::test
