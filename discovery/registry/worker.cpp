#include "discovery/registry/state.hpp"

namespace signpost::registry {

Worker::Worker() : thread_([this] { run(); }) {}

Worker::~Worker() { stop(); }

bool Worker::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
  return true;
}

void Worker::every(std::chrono::milliseconds interval, std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    interval_ = interval;
    regular_ = std::move(task);
  }
  wake_.notify_one();
}

void Worker::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  // The last owner may be the worker's own last task.
  if (thread_.joinable()) {
    if (thread_.get_id() == std::this_thread::get_id()) {
      thread_.detach();
    } else {
      thread_.join();
    }
  }
}

void Worker::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto wanted = [this] { return stopping_ || !tasks_.empty(); };
    std::function<void()> task;
    if (interval_.count() == 0) {
      wake_.wait(lock, wanted);
    } else if (!wake_.wait_for(lock, interval_, wanted)) {
      task = regular_;
    }
    if (!task) {
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    lock.unlock();
    task();
    task = nullptr; // before the lock: what it holds may be the last of its kind
    lock.lock();
  }
}

std::optional<Namespaces::Known> Namespaces::find(std::string_view name) const {
  const std::shared_lock lock(mutex_);
  const auto found = known_.find(name);
  if (found == known_.end()) return std::nullopt;
  return found->second;
}

void Namespaces::set(std::string_view name, Known known) {
  const std::lock_guard lock(mutex_);
  const auto [entry, fresh] = known_.try_emplace(std::string(name), known);
  // The store's feed may come late; what is known is never replaced by something older.
  if (!fresh && entry->second.modified < known.modified) entry->second = known;
}

void Namespaces::erase(std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (const auto found = known_.find(name); found != known_.end()) known_.erase(found);
}

} // namespace signpost::registry
