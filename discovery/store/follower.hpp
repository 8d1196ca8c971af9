// What a store holds, and then every change of it, for a thread that takes them when it has time: the store's own
// thread only puts them in line.
//
// Threads: start() and wait() from the one thread that follows; wake() and stop() from any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "discovery/store/store.hpp"

namespace signpost::store {

class Follower {
public:
  using Clock = std::chrono::steady_clock;

  struct News {
    std::deque<std::shared_ptr<const Batch>> batches;
    bool lost = false; // the store can no longer tell what came in between: start() again
    bool stopped = false;
  };

  /// The store outlives it.
  explicit Follower(Store& store) : store_(store) {}
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  /// Calls `take` with everything below these prefixes, as if it had just been created, a page at a time and all at one
  /// revision; from then on follows what is below `range`, which holds the prefixes and may hold more.
  [[nodiscard]] Result<void> start(const std::vector<std::string>& prefixes, const std::string& range,
                                   const std::function<void(const Change&)>& take);

  /// Until there are news, wake() or stop() was called, or the time has come.
  [[nodiscard]] News wait(std::optional<Clock::time_point> until = {});
  void wake();
  void stop();

private:
  Store& store_;
  std::unique_ptr<Watch> watch_;
  std::mutex mutex_;
  std::condition_variable called_;
  News news_;          // guarded by mutex_
  bool woken_ = false; // guarded by mutex_
};

} // namespace signpost::store
