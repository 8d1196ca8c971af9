// Group commit: collects transactions from any thread and commits what has come together as one group.
//
// Two threads. The writer takes everything that waits, lets the store commit it, and goes on with what came meanwhile:
// the slower the disk, the larger the groups. The deliverer then publishes the group's changes to the watches and
// after that calls back, so that whoever learns that a write is done finds it delivered, and a slow callback holds up
// other callbacks but not the disk.
//
// Threads: submit() from any thread, also from callbacks.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "discovery/store/store.hpp"

namespace signpost::store {

class Feed;

struct Submitted {
  Transaction transaction;
  std::function<void(Result<TransactionResult>)> done;
};

/// What became of a group: one result for each transaction, and the changes (nullptr: none).
struct Committed {
  std::vector<Result<TransactionResult>> results;
  std::shared_ptr<const Batch> batch;
};

class GroupCommit {
public:
  using Commit = std::function<Committed(std::span<Submitted> group)>;
  /// Called by the writer when nothing waits: does a small piece of work and says after how long to call again
  /// (nullopt: not before the next group).
  using Tidy = std::function<std::optional<std::chrono::milliseconds>()>;

  GroupCommit(Feed& feed, Commit commit, Tidy tidy);
  /// Commits what was submitted, calls back, and ends.
  ~GroupCommit();

  void submit(Submitted submitted);

private:
  struct Delivery {
    std::vector<Submitted> group;
    Committed committed;
  };

  void write();
  void deliver();

  Feed& feed_;
  const Commit commit_;
  const Tidy tidy_;

  std::mutex queue_mutex_;
  std::condition_variable queued_;
  std::vector<Submitted> queue_;
  bool closing_ = false;

  std::mutex delivery_mutex_;
  std::condition_variable to_deliver_;
  std::deque<Delivery> deliveries_;
  bool written_all_ = false;

  std::thread deliverer_;
  std::thread writer_;
};

} // namespace signpost::store
