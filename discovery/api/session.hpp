// One connection: reads requests, one after the other, has them answered and writes the answers. HTTP/1.1 with
// keep-alive and pipelining; every wait has a limit.
//
// A connection lives on one event loop and is touched by that loop's thread alone; answers that come from other
// threads are posted to it. Time is kept by the loop, which looks at its connections' deadlines a few times a second.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <future>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <thread>

#include "discovery/api/crowd.hpp"
#include "discovery/api/head.hpp"
#include "discovery/api/message_body.hpp"
#include "discovery/api/readers.hpp"
#include "discovery/api/responder.hpp"
#include "discovery/api/server.hpp"
#include "discovery/api/watch_feed.hpp"

namespace signpost::api {

using Clock = std::chrono::steady_clock;

struct Counters {
  std::atomic<std::uint64_t> connections{0}, connections_total{0}, connections_refused{0}, requests{0},
      client_errors{0}, server_errors{0}, watches{0}, watches_cut{0}, watch_events{0};
  std::atomic<std::size_t> bodies_bytes{0};
};

/// What all connections share. Outlives them.
struct Shared {
  Shared(Settings given, Callbacks given_callbacks, std::function<void()> room)
      : settings(std::move(given)), callbacks(std::move(given_callbacks)),
        crowd({.connections = settings.max_connections,
               .held_bytes = settings.max_held_bytes,
               .patience = settings.patience},
              std::move(room)) {}

  const Settings settings;
  const Callbacks callbacks;
  Counters counters;
  std::unique_ptr<Responder> responder; // set before the first connection
  Crowd crowd;
  Readers readers;

  /// Lets the system have the memory of connections and answers that are gone. Any thread, now and then.
  void give_back();

private:
  std::atomic<std::size_t> most_taken_{0}; // octets for connections, bodies and answers since then
};

class Session;

/// An event loop and the connections on it.
class Loop : public std::enable_shared_from_this<Loop> {
public:
  explicit Loop(std::shared_ptr<Shared> shared);

  void run(); // starts the thread; throws std::system_error when there is none to be had
  void join();

  /// Takes a connection over, made for `io`. Any thread.
  void adopt(boost::asio::ip::tcp::socket socket, const Crowd::Source& source);
  /// Tells the watches that there is something new. Any thread; many calls make one.
  void wake();
  /// Lets requests finish and ends watches and idle connections. Ready once all connections handed over before have
  /// been told. Any thread but the loop's own.
  [[nodiscard]] std::future<void> drain();
  /// Closes everything. Any thread.
  void cut();
  [[nodiscard]] std::size_t connections() const { return connections_.load(); }

private:
  friend class Session;
  void sweep();
  void work() noexcept;

  // Connections that are left when `io` goes still use what stands before it.
  std::list<std::weak_ptr<Session>> sessions_;
  std::atomic<std::size_t> connections_{0};
  std::atomic<bool> waking_{false};
  std::array<char, 16 << 10> input_; // what one read takes, of the connection that reads

public:
  const std::shared_ptr<Shared> shared;
  boost::asio::io_context io{1};

private:
  std::thread thread_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer sweeper_;
};

class Session : public std::enable_shared_from_this<Session> {
public:
  Session(Loop& loop, boost::asio::ip::tcp::socket socket);
  ~Session();

  /// It is one of the crowd from here on. Before start(), any thread.
  void join(const Crowd::Source& source);
  void start();
  void wake_watch();
  void drain();
  /// Who has not taken what was sent is reset: nothing of it is kept, here or in the kernel.
  void close();
  /// Looks at what the time is.
  void tick(Clock::time_point now);

private:
  using Wait = boost::asio::awaitable<void>;
  template <class T>
  using Awaitable = boost::asio::awaitable<T>;

  Wait serve();
  Awaitable<bool> read_head(Head& head, std::string& text);
  Awaitable<bool> read_body(const Head& head, std::string_view text, std::string& body);
  Awaitable<bool> read_more();
  [[nodiscard]] std::optional<Reply> refuse_head(const Head& head) const;

  Awaitable<Reply> answer(std::shared_ptr<Request> request);
  /// Has the work done on the readers' thread. false: it failed, or the connection has ended before.
  Awaitable<bool> elsewhere(std::function<void()> work);
  /// The same for what makes more for the reader to take, while not too much waits already: until then it is waited.
  Awaitable<bool> more_for_reader(std::function<void()> work);
  Wait wait_for_memory();
  /// Waits until signal(); or until the time, if one is given.
  Wait wait(std::optional<Clock::time_point> until = {});
  void signal();

  Awaitable<bool> write_reply(Reply& reply, const Head& head);
  Awaitable<bool> write_stream(Stream& stream, bool chunked);
  Wait write_watch(WatchFeed& feed);
  Awaitable<bool> write_frames(const WatchFeed::Frames& frames);
  Awaitable<bool> write(std::string_view text);
  /// Octets of `held` are kept until all is sent.
  Awaitable<bool> write(std::span<boost::asio::const_buffer> parts, std::size_t held);
  void stalled(std::size_t held);
  void hold(std::size_t output);
  void hold_reply(const Reply& reply);
  void tell_written(const Head& head, store::Revision revision);
  [[nodiscard]] bool holds_for_good() const;
  Wait refuse(Reply reply);
  Wait linger();
  void watch_for_end();
  [[nodiscard]] std::string reply_head(const Reply& reply, bool keep_alive, bool chunked, bool sized) const;
  void count(int status);
  void set_deadline(std::chrono::milliseconds from_now) { deadline_ = Clock::now() + from_now; }
  [[nodiscard]] const Settings& settings() const { return loop_.shared->settings; }
  [[nodiscard]] const Callbacks& callbacks() const { return loop_.shared->callbacks; }
  [[nodiscard]] Counters& counters() const { return loop_.shared->counters; }

  Loop& loop_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  std::list<std::weak_ptr<Session>>::iterator place_;
  Clock::time_point deadline_ = Clock::time_point::max();
  std::string input_;          // read and not yet used
  std::size_t body_bytes_ = 0; // counted in bodies_bytes
  Stream* stream_ = nullptr;   // is being sent
  WatchFeed* feed_ = nullptr;
  bool signalled_ = false;
  bool idle_ = false;     // between requests
  bool draining_ = false; // answer what runs, then end
  std::atomic<bool> peer_gone_{false}; // of a watch; also read where its work is done
  bool reset_ = false;                  // when it is closed: drop what the kernel still has for the reader
  std::atomic<bool> closed_{false};     // set by the loop; looked at before work for it begins
  Clock::time_point last_progress_;     // of a reader that has not taken all that is sent …
  std::size_t unsent_ = 0;              // … of an output of so many octets; 0: it has
  std::optional<Crowd::Member> member_; // from join() on
};

} // namespace signpost::api
