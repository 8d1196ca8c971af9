// One TCP client and the loop that it lives in.
//
// A connection is three events (readable, writable, a late answer) and one function, advance(), that does whatever can
// be done now. It waits for readiness instead of reading into a buffer of its own, so an idle one owns no memory but
// itself; what was read and not yet understood, and what was answered and not yet taken, are its only buffers, and
// both are bounded. Everything runs on the loop's thread, but late answers, which are posted to it.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "server/listen/serve.hpp"
#include "server/listen/tcp.hpp"
#include "zone/index/epoch.hpp"

namespace signpost::server {

using Clock = std::chrono::steady_clock;

struct ByAge;
struct BySource;
using AgeHook = boost::intrusive::list_base_hook<boost::intrusive::tag<ByAge>>;
using SourceHook = boost::intrusive::list_base_hook<boost::intrusive::tag<BySource>>;

class Connection final : public std::enable_shared_from_this<Connection>, public AgeHook, public SourceHook {
public:
  /// A client as the per-source limit knows it: an IPv4 address, or an IPv6 network of 64 bits.
  using Source = std::array<std::uint8_t, 8>;

  Connection(TcpLoop& loop, boost::asio::ip::tcp::socket socket, Serving& serving, const Source& source);

  /// Serves until either side ends it; the connection owns itself from here on, until close().
  void start();
  /// Reads what has come, then nothing more; ends when the answers are sent.
  void finish();
  void close();

  [[nodiscard]] bool expired(Clock::time_point now) const;
  /// Nothing is owed to the client: it may be closed to make room.
  [[nodiscard]] bool idle() const { return in_flight_ == 0 && pending() == 0; }
  [[nodiscard]] const Source& source() const { return source_; }

private:
  struct ReplyToConnection;

  void advance();
  void on_readable();
  void on_late(std::span<const std::uint8_t> reply);
  void wait_readable();
  void wait_writable();

  /// Serves the complete messages at the front; returns the octets used.
  std::size_t take_messages(std::span<const std::uint8_t> bytes);
  void serve_message(std::span<const std::uint8_t> message);
  [[nodiscard]] const sockaddr* peer(sockaddr_storage& storage) const;
  void append_reply(std::span<const std::uint8_t> reply);
  /// Sends what the socket takes; closes on an error.
  void flush();

  [[nodiscard]] std::size_t pending() const { return output_.size() - output_at_; }
  [[nodiscard]] bool throttled() const;

  TcpLoop& loop_;
  boost::asio::ip::tcp::socket socket_;
  Serving& serving_;
  Source source_;
  std::shared_ptr<Connection> self_;
  std::vector<std::uint8_t> input_;  // read, not yet served
  std::vector<std::uint8_t> output_; // answers with their lengths …
  std::size_t output_at_ = 0;        // … sent up to here
  std::size_t in_flight_ = 0;        // answers that come late
  std::size_t buffered_ = 0;         // octets of both that the loop knows of
  Clock::time_point active_since_;   // of the last query or answer
  Clock::time_point message_since_;  // when the message in input_ began
  Clock::time_point write_since_;    // of the last progress in sending
  bool waits_readable_ = false, waits_writable_ = false;
  bool held_back_ = false;  // throttled when last looked at
  bool ended_ = false;      // nothing more is read
  bool was_served_ = false; // a message came
  bool closed_ = false;
};

/// All connections, their limits, and the event loop. Shared with late answers on their way.
struct TcpLoop : std::enable_shared_from_this<TcpLoop> {
  explicit TcpLoop(const TcpSettings& tcp_settings);
  ~TcpLoop();

  void add(Claim claim, std::shared_ptr<const Router> router);
  void run() noexcept;
  /// From any thread: takes no new connections and lets those there are finish.
  void finish();

  void admit(boost::asio::ip::tcp::socket socket, Serving& serving);
  void forget(Connection& connection) noexcept;
  void touch(Connection& connection);
  /// Notes that a connection's buffers have grown or shrunk from `known` to `now` octets, and sets `known`; false: they
  /// have grown while all together are over the budget.
  bool account(std::size_t& known, std::size_t now) noexcept;
  [[nodiscard]] bool crowded() const { return by_age.size() * 2 > settings.max_connections; }

  using ByAgeList = boost::intrusive::list<Connection, boost::intrusive::base_hook<AgeHook>>;
  using BySourceList = boost::intrusive::list<Connection, boost::intrusive::base_hook<SourceHook>>;

  TcpSettings settings;
  std::array<Counters, 2> counters; // of IPv4 and of IPv6 clients
  Counter accepted, evicted;
  std::atomic<std::uint64_t> open{0};
  std::vector<std::uint8_t> received; // what one read takes
  std::vector<std::uint8_t> message;  // the message being served, then its reply
  ByAgeList by_age;                   // longest silent first
  std::map<Connection::Source, BySourceList> by_source;
  std::vector<std::shared_ptr<const Router>> routers;
  std::vector<std::unique_ptr<Serving>> servings;
  zone::ReaderThread* reader = nullptr; // of the loop's thread; online only while a message is served
  std::size_t buffered = 0;             // octets of all connections' buffers
  bool finishing = false, sweeping = false;
  Clock::time_point finish_until;

  boost::asio::io_context io{1}; // after all that its handlers use
  struct Acceptor {
    boost::asio::ip::tcp::acceptor socket;
    boost::asio::steady_timer pause;
    Serving& serving;
  };
  std::vector<std::unique_ptr<Acceptor>> acceptors;
  boost::asio::steady_timer sweep_timer{io};

private:
  void accept(Acceptor& acceptor);
  template <class List>
  bool evict_from(List& list);
  bool make_room(const Connection::Source& source);
  void schedule_sweep();
  void sweep();
};

} // namespace signpost::server
