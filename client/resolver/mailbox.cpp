#include "client/resolver/mailbox.hpp"

#include <cstdint>
#include <sys/eventfd.h>
#include <unistd.h>

namespace signpost::detail {

Mailbox::Mailbox() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Mailbox::~Mailbox() {
  if (event_ >= 0) ::close(event_);
}

void Mailbox::post(std::function<void()> call) {
  const std::scoped_lock lock(mutex_);
  waiting_.push_back(std::move(call));
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(event_, &one, sizeof one);
}

std::size_t Mailbox::deliver() {
  std::unique_lock lock(mutex_);
  return running_ ? 0 : run(lock, waiting_.size());
}

void Mailbox::close() {
  std::unique_lock lock(mutex_);
  closing_ = true;
  if (running_ && runner_ == std::this_thread::get_id()) return;
  idle_.wait(lock, [this] { return !running_; });
  run(lock, waiting_.size());
}

std::size_t Mailbox::run(std::unique_lock<std::mutex>& lock, std::size_t most) {
  running_ = true;
  runner_ = std::this_thread::get_id();
  std::size_t count = 0;
  while (!waiting_.empty() && (count < most || closing_)) {
    {
      const auto call = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      call();
    } // what it held is let go without the lock, too
    ++count;
    lock.lock();
  }
  if (waiting_.empty()) {
    std::uint64_t value = 0;
    [[maybe_unused]] const auto got = read(event_, &value, sizeof value);
  }
  running_ = false;
  idle_.notify_all();
  return count;
}

} // namespace signpost::detail
