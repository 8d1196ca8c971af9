#include "discovery/store/group_commit.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "discovery/store/feed.hpp"

namespace signpost::store {
namespace {

// Larger groups save nothing more and make the first of the group wait for the last.
constexpr std::size_t group_limit = 512;

} // namespace

GroupCommit::GroupCommit(Feed& feed, Commit commit, Tidy tidy)
    : feed_(feed), commit_(std::move(commit)), tidy_(std::move(tidy)), deliverer_([this] { deliver(); }),
      writer_([this] { write(); }) {}

GroupCommit::~GroupCommit() {
  {
    const std::lock_guard lock(queue_mutex_);
    closing_ = true;
  }
  queued_.notify_one();
  writer_.join();
  {
    const std::lock_guard lock(delivery_mutex_);
    written_all_ = true;
  }
  to_deliver_.notify_one();
  deliverer_.join();
}

void GroupCommit::submit(Submitted submitted) {
  bool closing = false;
  bool first = false;
  {
    const std::lock_guard lock(queue_mutex_);
    closing = closing_;
    if (!closing) {
      first = queue_.empty();
      queue_.push_back(std::move(submitted));
    }
  }
  if (first) queued_.notify_one();
  if (closing) submitted.done(tl::make_unexpected(Error{Failure::unavailable, "the store is closing"}));
}

void GroupCommit::write() {
  std::optional<std::chrono::milliseconds> again = std::chrono::milliseconds(0);
  std::vector<Submitted> group;
  while (true) {
    {
      std::unique_lock lock(queue_mutex_);
      const auto woken = [this] { return !queue_.empty() || closing_; };
      if (again) {
        queued_.wait_for(lock, *again, woken);
      } else {
        queued_.wait(lock, woken);
      }
      if (queue_.empty() && closing_) return;
      if (queue_.size() <= group_limit) {
        group.swap(queue_);
      } else {
        const auto end = queue_.begin() + group_limit;
        group.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
        queue_.erase(queue_.begin(), end);
      }
    }
    if (group.empty()) {
      again = tidy_();
      continue;
    }
    Delivery delivery;
    delivery.committed = commit_(group);
    delivery.group.swap(group);
    {
      const std::lock_guard lock(delivery_mutex_);
      deliveries_.push_back(std::move(delivery));
    }
    to_deliver_.notify_one();
    again = std::chrono::milliseconds(0);
  }
}

void GroupCommit::deliver() {
  while (true) {
    Delivery delivery;
    {
      std::unique_lock lock(delivery_mutex_);
      to_deliver_.wait(lock, [this] { return !deliveries_.empty() || written_all_; });
      if (deliveries_.empty()) return;
      delivery = std::move(deliveries_.front());
      deliveries_.pop_front();
    }
    if (delivery.committed.batch) feed_.publish(delivery.committed.batch);
    for (std::size_t i = 0; i < delivery.group.size(); ++i) {
      delivery.group[i].done(std::move(delivery.committed.results[i]));
    }
  }
}

} // namespace signpost::store
