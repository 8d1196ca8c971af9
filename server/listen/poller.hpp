// Readiness of many descriptors for one thread: epoll, edge-triggered, with a way in for other threads.
//
// The loop of the TCP listener (connection.hpp). A connection is watched once and costs no call into the kernel per
// event but those that read and write; Boost.Asio's reactor calls once more to re-arm each wait. A target is told when
// something changes: it reads until nothing is left, or asks again by change(), which tells of what is ready already.
// Everything is for the loop's thread but post().
#pragma once

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "server/listen/socket.hpp"

namespace signpost::server {

class Poller {
public:
  /// What is told of a descriptor's readiness. May remove and destroy itself and others when called.
  class Target {
  public:
    virtual void on_ready(std::uint32_t events) = 0; // EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR

  protected:
    ~Target() = default;
  };

  /// Throws std::system_error: out of descriptors.
  Poller();

  /// Watches `fd` for `events` (EPOLLIN, EPOLLOUT; ends and errors always). False: the kernel has no room for it.
  [[nodiscard]] bool add(int fd, std::uint32_t events, Target& target);
  /// Watches it for these from now on; what is ready now counts as new.
  void change(int fd, std::uint32_t events, Target& target);
  /// Before `fd` is closed; the target hears nothing more, not even of what is ready now.
  void remove(int fd, const Target& target);

  /// Runs `call` on the loop's thread, soon. Any thread.
  void post(std::function<void()> call);

  /// Waits until something is ready or posted, at most until `until`; notes the time.
  void wait(std::chrono::steady_clock::time_point until);
  /// Tells the targets, runs what was posted.
  void dispatch();

  /// When the last wait ended: the time of all that its events bring about.
  [[nodiscard]] std::chrono::steady_clock::time_point now() const { return now_; }

private:
  void run_posted();

  Socket epoll_, wake_; // descriptors; wake_ is an eventfd
  std::array<epoll_event, 64> ready_;
  int ready_count_ = 0, ready_at_ = 0; // of those that dispatch() is telling
  std::chrono::steady_clock::time_point now_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_; // guarded by mutex_
};

} // namespace signpost::server
