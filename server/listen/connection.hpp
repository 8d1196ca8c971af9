// One TCP client and the loop that it lives in.
//
// A connection is three events (readable, writable, a late answer) and one function, advance(), that does whatever can
// be done now. Queries are answered where they were read: copied once behind the answers of the same connection that
// wait to be sent, turned into answers there, and sent together. What then is left to wait for is the connection's
// phase. The loop keeps a queue for each phase, longest waiting first, so that what is over its time, and what makes
// room for others, is found at the front of a queue, however many connections there are.
//
// An idle connection owns no memory but itself; what was read and not yet understood, and what was answered and not yet
// taken, are its only buffers, there while needed, and bounded. Everything runs on the loop's thread, but late answers,
// which are posted to it.
#pragma once

#include <array>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "server/listen/poller.hpp"
#include "server/listen/serve.hpp"
#include "server/listen/tcp.hpp"
#include "zone/index/epoch.hpp"

namespace signpost::server {

using Clock = std::chrono::steady_clock;

/// What answers on an address; its connections may outlive its acceptor.
struct Served {
  Served(const Endpoint& at, std::shared_ptr<const Router> to, Counters& count)
      : endpoint(at), router(std::move(to)), aliases(router), counters(count),
        serving(*router, wire::Transport::tcp, counters) {}

  /// Asks another router from now on; between two messages.
  void route(std::shared_ptr<const Router> to) {
    std::destroy_at(&serving);
    std::construct_at(&serving, *to, wire::Transport::tcp, counters);
    router = std::move(to);
    aliases = router;
  }

  const Endpoint endpoint;
  std::shared_ptr<const Router> router;
  std::shared_ptr<const Aliases> aliases; // the router's
  Counters& counters;
  Serving serving;
};

class Connection;
struct ByPhase;
struct BySource;
using PhaseHook = boost::intrusive::list_base_hook<boost::intrusive::tag<ByPhase>>;
using SourceHook = boost::intrusive::list_base_hook<boost::intrusive::tag<BySource>>;
using PhaseQueue = boost::intrusive::list<Connection, boost::intrusive::base_hook<PhaseHook>>;
using SourceQueue = boost::intrusive::list<Connection, boost::intrusive::base_hook<SourceHook>>;

/// The length before a message, and room for a message that none fills: a full buffer holds a cut one (serve.hpp).
inline constexpr std::size_t length_octets = 2, message_room = 65536;

/// A client as the per-source limit knows it: an IPv4 address, or an IPv6 network of 64 bits.
using Source = std::array<std::uint8_t, 8>;
using Sources = std::map<Source, SourceQueue>;

/// What a connection waits for. All but `waiting` have a limit, counted from the event that began the phase or was
/// progress in it.
enum class Phase : std::uint8_t {
  fresh,   // the first query
  idle,    // another query
  reading, // the rest of a message; since its first octet
  writing, // the client, which has answers to take; since it last took some. Nothing is read meanwhile.
  waiting  // late answers, which have a deadline of their own
};
inline constexpr std::size_t phases = 5;

class Connection final : public Poller::Target, public PhaseHook, public SourceHook {
public:
  /// Adds itself to the source's queue.
  Connection(TcpLoop& loop, Socket socket, std::shared_ptr<Served> served, Sources::iterator source);

  /// Serves `connection` until either side ends it; it owns itself from here on, until close().
  static void start(std::shared_ptr<Connection> connection);
  /// Reads what has come, then nothing more; ends when the answers are sent.
  void finish();
  void close();
  /// Closes; what the client has long not taken is not even kept in the kernel.
  void drop();

  void on_ready(std::uint32_t events) override;
  /// Its turn as one of TcpLoop::unfinished.
  void go_on();

  [[nodiscard]] std::shared_ptr<Connection> self() const { return self_; }
  [[nodiscard]] Clock::time_point since() const { return since_; }
  /// May be closed to make room for a new client: nothing is owed to this one, or it does not take it.
  [[nodiscard]] bool expendable() const;

private:
  friend struct TcpLoop;
  struct ReplyToConnection;

  struct Buffers {
    std::vector<std::uint8_t> input;  // read, served up to …
    std::size_t input_at = 0;         // … here
    std::vector<std::uint8_t> output; // answers with their lengths, sent up to …
    std::size_t output_at = 0;        // … here
    std::size_t accounted = 0;        // octets of both that the loop knows of
  };

  void advance();
  /// Calls `act`; without memory for it, drops the connection.
  template <class Act>
  void attempt(Act act);
  /// Reads once; true: there may be more.
  bool on_readable();
  void on_late(std::span<const std::uint8_t> reply);
  /// Decides the phase, and frees what it does not need.
  void settle();
  /// Watches for what can be gone on with.
  void watch();

  /// Serves the complete messages at the front; returns the octets used.
  std::size_t take_messages(std::span<const std::uint8_t> bytes);
  void serve_message(std::span<const std::uint8_t> message);
  [[nodiscard]] const sockaddr* peer(sockaddr_storage& storage) const;
  /// Sends what waits and what was answered just now; what the socket does not take is kept. Closes on an error.
  void flush();
  /// Sends at most `bytes`; returns the octets taken. Closes on an error.
  std::size_t send(std::span<const std::uint8_t> bytes);
  void keep_input(std::span<const std::uint8_t> bytes);
  void keep_output(std::span<const std::uint8_t> bytes);
  Buffers& buffers();

  [[nodiscard]] std::span<const std::uint8_t> input() const;
  [[nodiscard]] std::span<const std::uint8_t> output() const;
  [[nodiscard]] bool throttled() const;

  TcpLoop& loop_;
  const std::shared_ptr<Served> served_;
  const Sources::iterator source_;
  std::shared_ptr<Connection> self_;
  std::unique_ptr<Buffers> buffers_; // null: nothing in them
  Clock::time_point since_;          // of the phase
  Socket socket_;
  std::uint32_t watched_ = 0;   // events
  std::uint32_t in_flight_ = 0; // answers that come late
  Phase phase_ = Phase::fresh;
  bool took_ = false;        // since settle(): a message, or a late answer
  bool sent_ = false;        // … octets that the client was owed
  bool more_ = false;        // to be read, though nothing will tell
  bool queued_ = false;      // one of TcpLoop::unfinished
  bool half_closed_ = false; // the client sends no more than what is there
  bool ended_ = false;       // nothing more is read
  bool was_served_ = false;  // a message came
  bool closed_ = false;
};

/// All connections, their limits, and the event loop. Shared with late answers on their way.
struct TcpLoop : std::enable_shared_from_this<TcpLoop> {
  explicit TcpLoop(const TcpSettings& tcp_settings);
  ~TcpLoop();

  /// From any thread.
  void add(Claim claim, std::shared_ptr<const Router> router);
  void route(const std::vector<std::pair<Endpoint, std::shared_ptr<const Router>>>& routers);
  void remove(const Endpoint& endpoint);
  void run() noexcept;
  /// From any thread: takes no new connections and lets those there are finish.
  void finish();

  void admit(Socket socket, const sockaddr_storage& peer, std::shared_ptr<Served> served);
  /// Gives some of the unfinished their turn.
  void go_on();
  /// Puts a connection at the end of a phase's queue, from now.
  void enter(Connection& connection, Phase phase);
  void forget(Connection& connection) noexcept;
  /// Notes that a connection's buffers have grown or shrunk from `known` to `now` octets, and sets `known`. Over the
  /// budget, who has filled buffers for longest is closed; the one that grows may be among them.
  void account(Connection& connection, std::size_t& known, std::size_t now);
  /// Without descriptors or memory: closes the connection that is silent for longest, if there is one.
  void shed();
  [[nodiscard]] bool empty() const { return count == 0; }
  [[nodiscard]] bool crowded() const { return count * 2 > settings.max_connections; }
  [[nodiscard]] std::chrono::milliseconds idle_limit() const {
    return crowded() ? std::min(settings.idle_crowded, settings.idle) : settings.idle;
  }

  /// A listening socket.
  struct Acceptor final : Poller::Target {
    Acceptor(TcpLoop& its_loop, Claim claim, std::shared_ptr<Served> what)
        : loop(its_loop), endpoint(claim.endpoint), socket(std::move(claim.tcp)), served(std::move(what)) {}
    void on_ready(std::uint32_t events) override;
    /// Some of those who wait.
    void accept();

    TcpLoop& loop;
    const Endpoint endpoint;
    Socket socket;
    std::shared_ptr<Served> served;
    bool watched = false;
    bool more = true;                 // there may be some, though nothing will tell
    Clock::time_point paused_until{}; // without descriptors or memory
  };

  TcpSettings settings;
  std::array<Counters, 2> counters; // of IPv4 and of IPv6 clients
  Counter accepted, evicted;
  std::atomic<std::uint64_t> open{0};
  std::vector<std::uint8_t> received;                 // what one read takes
  std::vector<std::uint8_t> answers;                  // of the connection that is being served, with their lengths …
  std::size_t answers_size = 0;                       // … up to here
  std::deque<std::shared_ptr<Connection>> unfinished; // have more to be read, after those that are told of
  std::array<PhaseQueue, phases> queues;              // longest in the phase first
  Sources sources;                                    // longest silent first
  std::size_t count = 0;                              // of connections
  std::vector<std::weak_ptr<Served>> all_served;      // of acceptors, and of those whose connections remain
  std::vector<std::unique_ptr<Acceptor>> acceptors;
  std::size_t buffered = 0;      // octets of all connections' buffers
  std::size_t most_buffered = 0; // … at most since give_back()
  bool finishing = false;
  Clock::time_point finish_until;
  Poller poller;

private:
  [[nodiscard]] PhaseQueue& queue(Phase phase) { return queues[static_cast<std::size_t>(phase)]; }
  /// How long a connection may be in the phase; nullopt: as long as it takes.
  [[nodiscard]] std::optional<std::chrono::milliseconds> limit(Phase phase) const;
  /// Which has been longest in one of these phases; null: none is.
  [[nodiscard]] Connection* longest_of(std::initializer_list<Phase> among);
  bool evict();
  bool evict_from(SourceQueue& same);
  bool make_room(const Source& source);
  void accept();
  void close(Acceptor& acceptor);
  [[nodiscard]] Clock::time_point next_deadline() const;
  /// Closes some of what is over its time.
  void close_late();
  /// Lets the system have the memory of many buffers that are gone.
  void give_back() noexcept;
};

} // namespace signpost::server
