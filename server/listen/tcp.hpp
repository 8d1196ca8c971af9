// DNS over TCP (RFC 7766) on all addresses: one thread, one event loop, bounded in everything a client can make grow.
//
// A connection may send many queries at once; each is answered as soon as its answer is there, so one that waits for an
// upstream holds up nobody. Buffers grow with the data that came, not with the length a client claims. Who stalls is
// closed: no first byte, a message left half sent, answers not read. When connections run out, the one silent for
// longest makes room. While idle, a connection costs its socket and 160 octets.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "server/listen/counters.hpp"
#include "server/listen/guard.hpp"
#include "server/listen/router.hpp"

namespace signpost::server {

struct TcpSettings {
  std::size_t max_connections = 32768;          // on all addresses; fewer where RLIMIT_NOFILE is small
  std::size_t max_per_source = 1024;            // from one address
  std::chrono::milliseconds idle{10000};        // silence after an answered query (RFC 7766 6.2.3)
  std::chrono::milliseconds idle_crowded{2000}; // … while more than half of the connections are in use
  std::chrono::milliseconds first{2000};        // silence of a new connection before its first query
  std::chrono::milliseconds message{500};       // from a message's first byte to its last
  std::chrono::milliseconds write{2000};        // without progress while answers wait to be read
  std::chrono::milliseconds write_crowded{100}; // … then it may be closed to make room
  std::chrono::milliseconds finish{1000};       // for the last answers, when it stops
  std::size_t max_in_flight = 64;               // queries of one connection that wait for cache or forwarding
  std::size_t max_output = 32 * 1024;           // octets of answers sent at once, at most one of them beyond that
  std::size_t max_buffered = 32 << 20;          // octets of all connections together; then the oldest make room
};

struct TcpLoop; // connection.hpp

class TcpListener {
public:
  explicit TcpListener(const TcpSettings& settings);
  ~TcpListener();
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;

  /// Takes over a claimed port; takes connections as soon as the thread runs.
  void add(Claim claim, std::shared_ptr<const Router> router);
  /// Takes no more connections there; those that there are end in their own time.
  void remove(const Endpoint& endpoint);
  /// Other routers from now on, of all connections there are; those at an address that has none are refused every name.
  /// Returns once no old one is asked any more. Between start() and stop(), from another thread than the loop's.
  void route(std::vector<std::pair<Endpoint, std::shared_ptr<const Router>>> routers);
  void start();
  /// Takes no new connections, sends the answers that are ready (for at most `finish`) and ends the thread.
  void stop();

  /// Any thread.
  void add_to(Totals& totals, model::Family family) const noexcept;
  [[nodiscard]] std::uint64_t connections_accepted() const noexcept;
  [[nodiscard]] std::uint64_t connections_open() const noexcept;
  [[nodiscard]] std::uint64_t connections_evicted() const noexcept; // closed to make room

private:
  std::shared_ptr<TcpLoop> loop_; // shared with late answers on their way
  std::thread thread_;
};

} // namespace signpost::server
