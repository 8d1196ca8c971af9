#include "server/daemon/signals.hpp"

#include <csignal>

namespace signpost::server::signals {
namespace {

constexpr int meant[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};
constexpr int ignored[] = {SIGPIPE, SIGXFSZ, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT};

sigset_t meant_set() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : meant) sigaddset(&set, signal);
  return set;
}

Wish wish_of(int signal) {
  switch (signal) {
  case SIGTERM:
  case SIGINT: return Wish::stop;
  case SIGQUIT: return Wish::stop_now;
  case SIGHUP:
  case SIGUSR1: return Wish::reload;
  default: return Wish::nothing;
  }
}

} // namespace

const char* Taken::name() const {
  switch (signal) {
  case SIGTERM: return "SIGTERM";
  case SIGINT: return "SIGINT";
  case SIGQUIT: return "SIGQUIT";
  case SIGHUP: return "SIGHUP";
  case SIGUSR1: return "SIGUSR1";
  case SIGUSR2: return "SIGUSR2";
  default: return "none";
  }
}

void prepare() {
  const sigset_t set = meant_set();
  sigprocmask(SIG_BLOCK, &set, nullptr); // inherited by every thread
  for (const int signal : ignored) std::signal(signal, SIG_IGN);
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) std::signal(signal, SIG_IGN);
}

Taken wait(std::optional<std::chrono::nanoseconds> longest) {
  const sigset_t set = meant_set();
  int signal = -1;
  if (longest) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(*longest);
    const timespec time{.tv_sec = seconds.count(), .tv_nsec = (*longest - seconds).count()};
    signal = sigtimedwait(&set, nullptr, &time);
  } else {
    signal = sigwaitinfo(&set, nullptr);
  }
  if (signal < 0) return {};
  return {signal, wish_of(signal)};
}

} // namespace signpost::server::signals
