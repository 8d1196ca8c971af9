// The thread behind a client: takes lookups from any thread, drives them with epoll, hands results to callbacks.
//
// Everything about running lookups belongs to that thread alone; callers touch only an inbox under a mutex, and a
// callback never runs with it held. `pending_` decides between a result and a cancellation: whoever takes the id out
// of it first, under the mutex, has decided; for a result that is when its callback begins.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "client/resolver/lookup.hpp"
#include "client/resolver/mailbox.hpp"

namespace signpost::detail {

/// Lookups that have sockets at one time; more wait in line.
inline constexpr std::size_t most_running = 256;

class Engine final : public std::enable_shared_from_this<Engine>, public resolver::Watcher {
public:
  explicit Engine(const Options& options);
  ~Engine();

  /// Any thread: what a lookup that begins now runs with.
  [[nodiscard]] std::shared_ptr<const resolver::Settings> current_settings() { return source_.current(); }
  /// What is wrong with the options; empty: nothing.
  [[nodiscard]] const std::string& error() const { return error_; }

  /// Who calls a callback.
  enum class Via : std::uint8_t {
    options, // as the options say: the engine's thread, or whoever calls process()
    thread,  // the engine's thread, for callbacks of our own that only wake somebody
  };
  /// Any thread. The callback is called exactly once: as `via` says, or, where there is no thread (bad_options,
  /// no_resources, forked), before this returns. The id is 0 then.
  std::uint64_t submit(const Query& query, Callback callback, Via via = Via::options);
  bool cancel(std::uint64_t id);

  /// Of Delivery::process; -1 else.
  [[nodiscard]] int fd() const { return mailbox_ ? mailbox_->fd() : -1; }
  std::size_t process();

  /// Cancels all, waits for the thread unless this is the thread.
  void close();

  [[nodiscard]] bool on_own_thread() const;

private:
  struct Running {
    std::unique_ptr<resolver::Lookup> lookup; // empty: `result` is ready
    Result result;
    Callback callback;
    std::string name;
    Via via = Via::options;
    bool started = false;
    resolver::Clock::time_point timer = resolver::Clock::time_point::max();
  };

  Errc start(); // with mutex_ held; {} on success
  void wake() const;
  void run();
  void take_inbox();
  void take_events(int timeout_ms);
  void take_timers();
  void step(std::uint64_t id);
  void start_waiting();
  void set_timer(std::uint64_t id, Running& running, resolver::Clock::time_point when);
  void finish(std::uint64_t id, Result result);
  void claim(std::uint64_t id, const std::string& name, Result& result);
  void watch(int fd, bool readable, bool writable) override;

  resolver::SettingsSource source_;
  std::string error_;
  const std::unique_ptr<Mailbox> mailbox_; // with Delivery::process

  std::mutex mutex_; // guards down to closing_
  std::thread thread_;
  std::uint64_t last_id_ = 0;
  std::vector<std::pair<std::uint64_t, Running>> inbox_;
  std::vector<std::uint64_t> cancelled_;
  std::unordered_set<std::uint64_t> pending_;
  bool closing_ = false;

  std::atomic<int> owner_pid_{0};
  std::atomic<std::thread::id> own_thread_{};
  int epoll_ = -1, event_ = -1; // made before the thread, closed after it

  // The thread's own.
  std::unordered_map<std::uint64_t, Running> running_;
  std::unordered_map<int, std::uint64_t> owner_of_; // descriptor -> lookup
  std::set<std::pair<resolver::Clock::time_point, std::uint64_t>> timers_;
  std::deque<std::uint64_t> waiting_;
  std::size_t started_ = 0;
  std::uint64_t stepping_ = 0; // the lookup that opens descriptors now
};

} // namespace signpost::detail
