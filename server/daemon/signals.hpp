// Which signals mean something, and that no other ends the process.
//
// They are blocked in every thread and taken by one, with wait(). What would end a process by default and means nothing
// here (SIGPIPE, SIGXFSZ, timers, …) is ignored: writing fails instead, and says so where it is done.
#pragma once

#include <chrono>
#include <optional>

namespace signpost::server::signals {

enum class Wish { none, stop, stop_now, reload, nothing };

/// Before the first thread is made.
void prepare();

struct Taken {
  int signal = 0; // 0: the time was up
  Wish wish = Wish::none;
  [[nodiscard]] const char* name() const;
};

/// SIGTERM and SIGINT: stop; SIGQUIT: stop, without lameduck; SIGHUP and SIGUSR1: reload; SIGUSR2: nothing.
[[nodiscard]] Taken wait(std::optional<std::chrono::nanoseconds> longest);

} // namespace signpost::server::signals
