#include "server/listen/poller.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace signpost::server {

using std::chrono::steady_clock;

namespace {

constexpr std::uint32_t always = EPOLLRDHUP | EPOLLET;

} // namespace

Poller::Poller()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      now_(steady_clock::now()) {
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  if (!epoll_ || !wake_ || ::epoll_ctl(epoll_.fd(), EPOLL_CTL_ADD, wake_.fd(), &event) != 0)
    throw std::system_error(errno, std::generic_category(), "epoll");
}

bool Poller::add(int fd, std::uint32_t events, Target& target) {
  epoll_event event{.events = events | always, .data = {.ptr = &target}};
  return ::epoll_ctl(epoll_.fd(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void Poller::change(int fd, std::uint32_t events, Target& target) {
  epoll_event event{.events = events | always, .data = {.ptr = &target}};
  ::epoll_ctl(epoll_.fd(), EPOLL_CTL_MOD, fd, &event);
}

void Poller::remove(int fd, const Target& target) {
  ::epoll_ctl(epoll_.fd(), EPOLL_CTL_DEL, fd, nullptr);
  for (int i = ready_at_; i < ready_count_; ++i)
    if (ready_[static_cast<std::size_t>(i)].data.ptr == &target) ready_[static_cast<std::size_t>(i)].events = 0;
}

void Poller::post(std::function<void()> call) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(call));
  }
  const std::uint64_t one = 1;
  if (first) (void)!::write(wake_.fd(), &one, sizeof one);
}

void Poller::wait(steady_clock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()).count();
  const int timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  ready_at_ = 0;
  ready_count_ = std::max(0, ::epoll_wait(epoll_.fd(), ready_.data(), static_cast<int>(ready_.size()), timeout));
  now_ = steady_clock::now();
}

void Poller::dispatch() {
  bool woken = false;
  while (ready_at_ < ready_count_) {
    const epoll_event event = ready_[static_cast<std::size_t>(ready_at_++)];
    if (event.data.ptr == nullptr)
      woken = true;
    else if (event.events != 0)
      static_cast<Target*>(event.data.ptr)->on_ready(event.events);
  }
  ready_count_ = ready_at_ = 0;
  if (woken) run_posted();
}

void Poller::run_posted() {
  std::uint64_t count = 0;
  (void)!::read(wake_.fd(), &count, sizeof count);
  std::vector<std::function<void()>> calls;
  {
    const std::lock_guard lock(mutex_);
    calls.swap(posted_);
  }
  for (const auto& call : calls) call();
}

} // namespace signpost::server
