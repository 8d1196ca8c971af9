#include "client/resolver/engine.hpp"

#include <array>
#include <csignal>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace signpost::detail {

using resolver::Clock;
using resolver::Lookup;

Engine::Engine(const Options& options)
    : source_(options), error_(source_.current()->error),
      mailbox_(options.delivery == Delivery::process ? std::make_unique<Mailbox>() : nullptr) {}

Engine::~Engine() {
  if (epoll_ >= 0) ::close(epoll_);
  if (event_ >= 0) ::close(event_);
}

bool Engine::on_own_thread() const { return own_thread_.load() == std::this_thread::get_id(); }

std::uint64_t Engine::submit(const Query& query, Callback callback, Via via) {
  const auto now = Clock::now();
  const auto refuse = [&](Errc why) {
    callback(Lookup::failure(query.name, why));
    return std::uint64_t{0};
  };
  if (!error_.empty()) return refuse(Errc::bad_options);
  if (const int pid = owner_pid_.load(); pid != 0 && pid != getpid()) return refuse(Errc::forked);

  Running running;
  running.callback = std::move(callback);
  running.via = via;
  running.name = query.name;
  const auto settings = current_settings();
  auto plan = resolver::plan(query, settings->home);
  if (!plan) {
    running.result = Lookup::failure(query.name, Errc::bad_name);
  } else if (plan->readings.empty()) {
    running.result = Lookup::known(*plan);
  } else {
    running.name = plan->name;
    const auto timeout = query.timeout.count() > 0 ? query.timeout : settings->timeout;
    // A day bounds the sum; no caller waits longer for a name.
    const auto deadline = now + std::min<std::chrono::milliseconds>(timeout, std::chrono::hours(24));
    running.lookup = std::make_unique<Lookup>(settings, *this, std::move(*plan), deadline);
  }

  std::unique_lock lock(mutex_);
  const Errc trouble = closing_ ? Errc::cancelled : start();
  if (trouble != Errc{}) {
    lock.unlock();
    running.callback(Lookup::failure(running.name, trouble));
    return 0;
  }
  const auto id = ++last_id_;
  pending_.insert(id);
  inbox_.emplace_back(id, std::move(running));
  lock.unlock();
  wake();
  return id;
}

bool Engine::cancel(std::uint64_t id) {
  if (id == 0 || owner_pid_.load() != getpid()) return false;
  {
    const std::scoped_lock lock(mutex_);
    if (pending_.erase(id) == 0) return false;
    cancelled_.push_back(id);
  }
  wake();
  return true;
}

Errc Engine::start() {
  if (thread_.joinable()) return {};
  if (!resolver::start_transport()) return Errc::no_resources;
  if (epoll_ < 0) epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (event_ < 0) event_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{.events = EPOLLIN, .data = {.fd = event_}};
  if (epoll_ < 0 || event_ < 0 || (mailbox_ && mailbox_->fd() < 0)) return Errc::no_resources;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, event_, &event) < 0 && errno != EEXIST) return Errc::no_resources;

  // Signals are the program's; the new thread inherits a mask that blocks them all.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  Errc trouble{};
  owner_pid_ = getpid();
  try {
    thread_ = std::thread([self = shared_from_this()] { self->run(); });
    own_thread_ = thread_.get_id();
  } catch (const std::system_error&) {
    trouble = Errc::no_resources;
    owner_pid_ = 0;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return trouble;
}

void Engine::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(event_, &one, sizeof one);
}

void Engine::close() {
  if (const int pid = owner_pid_.load(); pid != 0 && pid != getpid()) return; // the thread is in the other process
  std::unique_lock lock(mutex_);
  closing_ = true;
  auto thread = std::move(thread_);
  lock.unlock();
  if (thread.joinable()) {
    wake();
    if (on_own_thread())
      thread.detach();
    else
      thread.join();
  }
  if (mailbox_) mailbox_->close();
}

std::size_t Engine::process() {
  if (const int pid = owner_pid_.load(); !mailbox_ || (pid != 0 && pid != getpid())) return 0;
  return mailbox_->deliver();
}

void Engine::run() {
  for (;;) {
    take_inbox();
    {
      const std::scoped_lock lock(mutex_);
      if (closing_ && inbox_.empty()) break;
      if (!inbox_.empty() || !cancelled_.empty()) continue;
    }
    int timeout = -1;
    if (!timers_.empty()) {
      const auto wait = std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - Clock::now()).count();
      timeout = static_cast<int>(std::clamp<decltype(wait)>(wait, 0, 60'000));
    }
    take_events(timeout);
    take_timers();
  }
  while (!running_.empty()) {
    const auto id = running_.begin()->first;
    finish(id, Lookup::failure(running_.begin()->second.name, Errc::cancelled));
  }
}

void Engine::take_inbox() {
  std::vector<std::pair<std::uint64_t, Running>> inbox;
  std::vector<std::uint64_t> cancelled;
  {
    const std::scoped_lock lock(mutex_);
    inbox.swap(inbox_);
    cancelled.swap(cancelled_);
  }
  for (auto& [id, arrived] : inbox) {
    auto& running = running_.emplace(id, std::move(arrived)).first->second;
    if (!running.lookup) {
      finish(id, std::move(running.result));
      continue;
    }
    set_timer(id, running, running.lookup->deadline());
    waiting_.push_back(id);
  }
  for (const auto id : cancelled)
    if (const auto found = running_.find(id); found != running_.end())
      finish(id, Lookup::failure(found->second.name, Errc::cancelled));
  start_waiting();
}

void Engine::start_waiting() {
  while (!waiting_.empty() && started_ < most_running) {
    const auto id = waiting_.front();
    waiting_.pop_front();
    const auto found = running_.find(id);
    if (found == running_.end()) continue;
    found->second.started = true;
    ++started_;
    step(id);
  }
}

void Engine::take_events(int timeout_ms) {
  std::array<epoll_event, 64> events;
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_ms);
  for (int i = 0; i < count; ++i) {
    const int fd = events[i].data.fd;
    if (fd == event_) {
      std::uint64_t value = 0;
      [[maybe_unused]] const auto got = read(event_, &value, sizeof value);
      continue;
    }
    const auto owner = owner_of_.find(fd);
    if (owner == owner_of_.end()) continue;
    const auto id = owner->second;
    stepping_ = id;
    const auto bits = events[i].events;
    running_.at(id).lookup->ready(fd, (bits & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0, (bits & EPOLLOUT) != 0);
    step(id);
  }
  start_waiting();
}

void Engine::take_timers() {
  const auto now = Clock::now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const auto id = timers_.begin()->second;
    auto& running = running_.at(id);
    if (running.started)
      step(id);
    else
      finish(id, Lookup::failure(running.name, Errc::timed_out));
  }
  start_waiting();
}

void Engine::step(std::uint64_t id) {
  auto& running = running_.at(id);
  stepping_ = id;
  running.lookup->advance(Clock::now());
  if (running.lookup->done())
    finish(id, running.lookup->take());
  else
    set_timer(id, running, running.lookup->next());
}

void Engine::set_timer(std::uint64_t id, Running& running, Clock::time_point when) {
  if (running.timer == when) return;
  timers_.erase({running.timer, id});
  timers_.emplace(when, id);
  running.timer = when;
}

void Engine::finish(std::uint64_t id, Result result) {
  auto node = running_.extract(id);
  auto& running = node.mapped();
  timers_.erase({running.timer, id});
  if (running.started) --started_;
  running.lookup.reset();
  if (mailbox_ && running.via == Via::options)
    return mailbox_->post([this, id, name = std::move(running.name), callback = std::move(running.callback),
                           held = std::make_shared<Result>(std::move(result))] {
      claim(id, name, *held);
      callback(std::move(*held));
    });
  claim(id, running.name, result);
  running.callback(std::move(result));
}

void Engine::claim(std::uint64_t id, const std::string& name, Result& result) {
  const std::scoped_lock lock(mutex_);
  if (pending_.erase(id) == 0 && result.error != Errc::cancelled) result = Lookup::failure(name, Errc::cancelled);
}

void Engine::watch(int fd, bool readable, bool writable) {
  if (!readable && !writable) {
    epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
    owner_of_.erase(fd);
    return;
  }
  epoll_event event{.events = 0, .data = {.fd = fd}};
  event.events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u);
  const bool known = !owner_of_.emplace(fd, stepping_).second;
  epoll_ctl(epoll_, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
}

} // namespace signpost::detail
