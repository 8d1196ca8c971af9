#include "discovery/store/feed.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

namespace signpost::store {
namespace {

std::size_t bytes_of(const Batch& batch) {
  std::size_t bytes = sizeof(Batch);
  for (const Change& change : batch.changes) {
    bytes += sizeof(Change) + change.entry.key.size();
    if (change.entry.value) bytes += change.entry.value->size();
    if (change.previous) bytes += change.previous->size();
  }
  return bytes;
}

// The part of a batch that lies in a range and after a revision.
std::shared_ptr<const Batch> part_of(const std::shared_ptr<const Batch>& batch, const KeyRange& range, Revision after) {
  const auto wanted = [&](const Change& change) {
    return change.entry.modified > after && range.contains(change.entry.key);
  };
  const auto count = std::count_if(batch->changes.begin(), batch->changes.end(), wanted);
  if (count == std::ssize(batch->changes)) return batch;
  auto part = std::make_shared<Batch>();
  part->revision = batch->revision;
  part->changes.reserve(static_cast<std::size_t>(count));
  std::copy_if(batch->changes.begin(), batch->changes.end(), std::back_inserter(part->changes), wanted);
  return part;
}

} // namespace

class Watcher {
public:
  Watcher(const WatchRequest& request, WatchCallback callback)
      : range{request.begin, request.end}, after(request.after), callback_(std::move(callback)) {}

  const KeyRange range;
  const Revision after;

  // A live batch, from the publishing thread.
  void take(const std::shared_ptr<const Batch>& batch) {
    {
      const std::lock_guard lock(mutex_);
      if (catching_up_) {
        waiting_.push_back(batch);
        return;
      }
    }
    call(batch);
  }

  // The past, from the attaching thread; then what has come in meanwhile.
  void catch_up(Feed::Batches batches) {
    while (true) {
      for (const auto& batch : batches) call(batch);
      const std::lock_guard lock(mutex_);
      batches = std::exchange(waiting_, {});
      if (batches.empty()) {
        catching_up_ = false;
        return;
      }
    }
  }

  void close() {
    closed_ = true;
    if (calling_ == std::this_thread::get_id()) return; // destroyed by its own callback
    const std::lock_guard lock(call_mutex_);            // a call that runs ends first
  }

private:
  void call(const std::shared_ptr<const Batch>& batch) {
    const std::lock_guard lock(call_mutex_);
    if (closed_) return;
    calling_ = std::this_thread::get_id();
    callback_(batch);
    calling_ = std::thread::id();
  }

  WatchCallback callback_;
  std::mutex call_mutex_; // held while the callback runs
  std::atomic<std::thread::id> calling_;
  std::atomic<bool> closed_ = false;

  std::mutex mutex_;
  bool catching_up_ = true;
  Feed::Batches waiting_;
};

// Copied when it changes, so that publishing takes one reference, not one of each watcher.
struct Feed::Subscriptions {
  std::mutex mutex;
  std::shared_ptr<const Watchers> watchers = std::make_shared<const Watchers>();

  void enter(const std::shared_ptr<Watcher>& watcher) {
    const std::lock_guard lock(mutex);
    auto changed = std::make_shared<Watchers>(*watchers);
    changed->push_back(watcher);
    watchers = std::move(changed);
  }
  void leave(const std::shared_ptr<Watcher>& watcher) {
    const std::lock_guard lock(mutex);
    auto changed = std::make_shared<Watchers>(*watchers);
    std::erase(*changed, watcher);
    watchers = std::move(changed);
  }
  std::shared_ptr<const Watchers> all() {
    const std::lock_guard lock(mutex);
    return watchers;
  }
};

class Feed::Handle : public Watch {
public:
  Handle(std::shared_ptr<Subscriptions> subscriptions, std::shared_ptr<Watcher> watcher)
      : subscriptions_(std::move(subscriptions)), watcher_(std::move(watcher)) {}
  ~Handle() override {
    subscriptions_->leave(watcher_);
    watcher_->close();
  }

private:
  std::shared_ptr<Subscriptions> subscriptions_;
  std::shared_ptr<Watcher> watcher_;
};

Feed::Feed(Revision revision, std::size_t recent_bytes)
    : published_(revision), recent_from_(revision), recent_bytes_(recent_bytes),
      subscriptions_(std::make_shared<Subscriptions>()) {}

Feed::~Feed() = default;

void Feed::publish(const std::shared_ptr<const Batch>& batch) {
  std::shared_ptr<const Watchers> watchers;
  {
    const std::lock_guard lock(mutex_);
    published_ = batch->revision;
    recent_.push_back(batch);
    recent_size_ += bytes_of(*batch);
    while (recent_size_ > recent_bytes_) {
      recent_from_ = recent_.front()->revision;
      recent_size_ -= bytes_of(*recent_.front());
      recent_.pop_front();
    }
    watchers = subscriptions_->all();
  }
  std::vector<std::pair<const KeyRange*, std::shared_ptr<const Batch>>> parts;
  for (const auto& watcher : *watchers) {
    if (batch->revision <= watcher->after) continue;
    if (batch->changes.front().entry.modified <= watcher->after) { // began in the middle of this batch
      watcher->take(part_of(batch, watcher->range, watcher->after));
      continue;
    }
    auto part = std::find_if(parts.begin(), parts.end(), [&](const auto& p) { return *p.first == watcher->range; });
    if (part == parts.end()) part = parts.emplace(part, &watcher->range, part_of(batch, watcher->range, 0));
    watcher->take(part->second);
  }
}

Feed::Batches Feed::recent_after(Revision after) const {
  const auto first =
      std::partition_point(recent_.begin(), recent_.end(), [&](const auto& batch) { return batch->revision <= after; });
  return {first, recent_.end()};
}

Result<std::unique_ptr<Watch>> Feed::attach(const WatchRequest& request, WatchCallback callback,
                                            const Backlog& backlog) {
  auto watcher = std::make_shared<Watcher>(request, std::move(callback));
  Batches past;
  Revision published = 0;
  bool read_history = false;
  {
    const std::lock_guard lock(mutex_);
    subscriptions_->enter(watcher);
    published = published_;
    read_history = request.after < recent_from_;
    if (!read_history) past = recent_after(request.after);
  }
  auto handle = std::make_unique<Handle>(subscriptions_, watcher);
  if (read_history) {
    auto read = backlog(request, published);
    if (!read) return tl::make_unexpected(std::move(read.error()));
    past = std::move(*read);
  } else {
    for (auto& batch : past) batch = part_of(batch, watcher->range, request.after);
  }
  watcher->catch_up(std::move(past));
  return handle;
}

} // namespace signpost::store
