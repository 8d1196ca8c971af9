// Results that wait for the program to fetch them: the other way to get callbacks, for programs with a loop of their
// own.
//
// A descriptor is readable as long as something waits. Callbacks run on the thread that calls deliver(), one at a time,
// with no lock held, each exactly once, also when the box is closed from within one of them.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace signpost::detail {

class Mailbox {
public:
  Mailbox();
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// -1: out of descriptors; then nothing may be posted.
  [[nodiscard]] int fd() const { return event_; }
  /// Any thread.
  void post(std::function<void()> call);
  /// Any thread. Runs what waits now; 0 at once, where another thread or a caller of this one is at it. Returns how
  /// many it ran.
  std::size_t deliver();
  /// Runs what waits, and returns when nothing runs; within a callback it leaves that to deliver(). Nothing may be
  /// posted any more.
  void close();

private:
  std::size_t run(std::unique_lock<std::mutex>& lock, std::size_t most);

  int event_ = -1;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::deque<std::function<void()>> waiting_;
  bool running_ = false, closing_ = false;
  std::thread::id runner_;
};

} // namespace signpost::detail
