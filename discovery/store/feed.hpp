// The feed: hands committed batches to the watches, each key range its part, and lets watches that start further back
// join without a gap or a duplicate. Used by every store of our own.
//
// A watch is entered first, at the revision delivered last, and collects what comes from then on; then what is missing
// before that is read (from the batches kept here, or from the store's history) and delivered from the calling
// thread; then what was collected; from then on it is live.
//
// Every watch gets every batch, with the changes of its range, so an idle range learns how far it is. Batches are
// shared: 100 watches of one range cost one filtering.
//
// Threads: publish() from one thread; attach() and the destruction of watches from any.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "discovery/store/history.hpp"
#include "discovery/store/store.hpp"

namespace signpost::store {

class Watcher;

class Feed {
public:
  using Batches = std::vector<std::shared_ptr<const Batch>>;
  /// What a watch asks for, up to a revision, read from the history.
  using Backlog = std::function<Result<Batches>(const WatchRequest& request, Revision until)>;

  /// Keeps about so many bytes of recent batches, so that a watch from a moment ago needs no history.
  Feed(Revision revision, std::size_t recent_bytes);
  ~Feed();

  /// The next batch: whole revisions, all above those before.
  void publish(const std::shared_ptr<const Batch>& batch);

  [[nodiscard]] Result<std::unique_ptr<Watch>> attach(const WatchRequest& request, WatchCallback callback,
                                                      const Backlog& backlog);

private:
  using Watchers = std::vector<std::shared_ptr<Watcher>>;
  struct Subscriptions;
  class Handle;

  [[nodiscard]] Batches recent_after(Revision after) const;

  mutable std::mutex mutex_;
  Revision published_;
  Revision recent_from_; // recent_ has everything after this revision
  std::deque<std::shared_ptr<const Batch>> recent_;
  std::size_t recent_size_ = 0; // bytes
  const std::size_t recent_bytes_;
  std::shared_ptr<Subscriptions> subscriptions_; // outlives the feed if a watch does
};

} // namespace signpost::store
