// One TCP client and the loop that it lives in.
//
// A connection is three events (readable, writable, a late answer) and one function, advance(), that does whatever can
// be done now. Queries are answered where they were read: copied once behind the answers of the same connection that
// wait to be sent, turned into answers there, and sent together. An idle connection owns no memory but itself; what was
// read and not yet understood, and what was answered and not yet taken, are its only buffers, and both are bounded.
// Everything runs on the loop's thread, but late answers, which are posted to it.
#pragma once

#include <array>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "server/listen/poller.hpp"
#include "server/listen/serve.hpp"
#include "server/listen/tcp.hpp"
#include "zone/index/epoch.hpp"

namespace signpost::server {

using Clock = std::chrono::steady_clock;

/// What answers on an address; its connections may outlive its acceptor.
struct Served {
  Served(std::shared_ptr<const Router> to, Counters& counters)
      : router(std::move(to)), serving(*router, wire::Transport::tcp, counters) {}

  std::shared_ptr<const Router> router;
  Serving serving;
};

struct ByAge;
struct BySource;
using AgeHook = boost::intrusive::list_base_hook<boost::intrusive::tag<ByAge>>;
using SourceHook = boost::intrusive::list_base_hook<boost::intrusive::tag<BySource>>;

class Connection final : public std::enable_shared_from_this<Connection>,
                         public Poller::Target,
                         public AgeHook,
                         public SourceHook {
public:
  /// A client as the per-source limit knows it: an IPv4 address, or an IPv6 network of 64 bits.
  using Source = std::array<std::uint8_t, 8>;

  Connection(TcpLoop& loop, Socket socket, std::shared_ptr<Served> served, const Source& source);

  /// Serves until either side ends it; the connection owns itself from here on, until close().
  void start();
  /// Reads what has come, then nothing more; ends when the answers are sent.
  void finish();
  void close();

  void on_ready(std::uint32_t events) override;

  [[nodiscard]] bool expired(Clock::time_point now) const;
  /// Nothing is owed to the client: it may be closed to make room.
  [[nodiscard]] bool idle() const { return in_flight_ == 0 && pending() == 0; }
  [[nodiscard]] const Source& source() const { return source_; }

private:
  struct ReplyToConnection;

  void advance();
  /// Reads once; true: there may be more.
  bool on_readable();
  void on_late(std::span<const std::uint8_t> reply);
  /// Watches for what can be gone on with.
  void watch();

  /// Serves the complete messages at the front; returns the octets used.
  std::size_t take_messages(std::span<const std::uint8_t> bytes);
  void serve_message(std::span<const std::uint8_t> message);
  [[nodiscard]] const sockaddr* peer(sockaddr_storage& storage) const;
  /// Sends what was answered just now, or keeps it behind what waits.
  void send_answers();
  /// Sends what waits and the socket takes; closes on an error.
  void flush();
  /// Sends at most `bytes`; returns the octets taken. Closes on an error.
  std::size_t send(std::span<const std::uint8_t> bytes);

  [[nodiscard]] std::size_t pending() const { return output_.size() - output_at_; }
  [[nodiscard]] bool throttled() const;

  TcpLoop& loop_;
  Socket socket_;
  std::shared_ptr<Served> served_;
  Serving& serving_; // of served_
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
  std::uint32_t watched_ = 0;        // events
  bool more_ = false;                // to be read, though nothing will tell
  bool half_closed_ = false;         // the client sends no more than what is there
  bool held_back_ = false;           // throttled when last looked at
  bool ended_ = false;               // nothing more is read
  bool was_served_ = false;          // a message came
  bool closed_ = false;
};

/// All connections, their limits, and the event loop. Shared with late answers on their way.
struct TcpLoop : std::enable_shared_from_this<TcpLoop> {
  explicit TcpLoop(const TcpSettings& tcp_settings);
  ~TcpLoop();

  /// From any thread.
  void add(Claim claim, std::shared_ptr<const Router> router);
  void remove(const Endpoint& endpoint);
  void run() noexcept;
  /// From any thread: takes no new connections and lets those there are finish.
  void finish();

  void admit(Socket socket, const sockaddr_storage& peer, std::shared_ptr<Served> served);
  void forget(Connection& connection) noexcept;
  void touch(Connection& connection);
  /// Notes that a connection's buffers have grown or shrunk from `known` to `now` octets, and sets `known`; false: they
  /// have grown while all together are over the budget.
  bool account(std::size_t& known, std::size_t now) noexcept;
  /// Without descriptors or memory: closes the connection that is silent for longest, if there is one.
  void shed();
  [[nodiscard]] bool crowded() const { return by_age.size() * 2 > settings.max_connections; }
  [[nodiscard]] std::chrono::milliseconds idle_limit() const {
    return crowded() ? std::min(settings.idle_crowded, settings.idle) : settings.idle;
  }

  using ByAgeList = boost::intrusive::list<Connection, boost::intrusive::base_hook<AgeHook>>;
  using BySourceList = boost::intrusive::list<Connection, boost::intrusive::base_hook<SourceHook>>;

  /// A listening socket.
  struct Acceptor final : Poller::Target {
    Acceptor(TcpLoop& its_loop, Claim claim, std::shared_ptr<Served> what)
        : loop(its_loop), endpoint(claim.endpoint), socket(std::move(claim.tcp)), served(std::move(what)),
          paused_until(its_loop.poller.now()) {}
    void on_ready(std::uint32_t events) override;

    TcpLoop& loop;
    const Endpoint endpoint;
    Socket socket;
    std::shared_ptr<Served> served;
    Clock::time_point paused_until; // not watched until then; none: watched
  };

  TcpSettings settings;
  std::array<Counters, 2> counters; // of IPv4 and of IPv6 clients
  Counter accepted, evicted;
  std::atomic<std::uint64_t> open{0};
  std::vector<std::uint8_t> received; // what one read takes
  std::vector<std::uint8_t> answers;  // of the connection that is being served, with their lengths …
  std::size_t answers_size = 0;       // … up to here
  ByAgeList by_age;                   // longest silent first
  std::map<Connection::Source, BySourceList> by_source;
  std::vector<std::unique_ptr<Acceptor>> acceptors;
  std::size_t buffered = 0; // octets of all connections' buffers
  bool finishing = false;
  Clock::time_point finish_until, next_sweep;
  Poller poller;

private:
  template <class List>
  bool evict_from(List& list);
  bool make_room(const Connection::Source& source);
  void resume_acceptors();
  void close(Acceptor& acceptor);
  void sweep();
};

} // namespace signpost::server
