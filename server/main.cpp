// signpostd: reads the command line, starts the daemon, waits for a signal.
#include <sys/resource.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "discovery/store/snapshot.hpp"
#include "server/config/command_line.hpp"
#include "server/daemon/daemon.hpp"
#include "server/daemon/service_manager.hpp"
#include "server/daemon/zone_export.hpp"
#include "server/log/log.hpp"

namespace {

using namespace signpost;
using namespace signpost::server;

int fail(const std::string& sentence) {
  std::fprintf(stderr, "signpostd: %s\n", sentence.c_str());
  return 1;
}

/// The same, once the log is open: not even the last words wait for a reader.
int fail_logged(const std::string& sentence) {
  log::plain("signpostd: " + sentence);
  log::close();
  return 1;
}

sigset_t end_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

/// Each TCP connection, watch and forwarded question is a descriptor: take what the system gives.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

/// Until one of `signals` comes; the service manager hears meanwhile that we go on.
int wait_for(const sigset_t& signals) {
  const auto interval = service_manager::watchdog_interval();
  int signal = 0;
  if (!interval) {
    sigwait(&signals, &signal);
    return signal;
  }
  const auto seconds = std::chrono::floor<std::chrono::seconds>(*interval);
  const timespec patience{.tv_sec = seconds.count(),
                          .tv_nsec = std::chrono::nanoseconds(*interval - seconds).count()};
  while ((signal = sigtimedwait(&signals, nullptr, &patience)) < 0) service_manager::alive();
  return signal;
}

int serve(const CommandLine& line) {
  const sigset_t signals = end_signals();
  sigprocmask(SIG_BLOCK, &signals, nullptr); // inherited by every thread; sigwait() below takes them
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN); // a limit of file sizes is an error of the write
  raise_descriptor_limit();
  log::open();

  Daemon daemon(line.settings);
  if (const auto started = daemon.start(); !started) return fail_logged(started.error());
  for (const std::string& warning : line.warnings) log::warning("config", warning);
  daemon.announce();
  log::info("signpostd", "ready", {{"version", SIGNPOST_VERSION}});

  service_manager::ready("serving");

  const int signal = wait_for(signals);
  service_manager::stopping();
  log::info("signpostd", "stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
  daemon.stop();
  log::info("signpostd", "stopped");
  log::close();
  return 0;
}

int snapshot(const SnapshotCommand& command) {
  using Verb = SnapshotCommand::Verb;
  const auto done = command.verb == Verb::save      ? store::save_snapshot(command.data, command.file)
                    : command.verb == Verb::restore ? store::restore_snapshot(command.data, command.file)
                                                    : store::verify_snapshot(command.file);
  if (!done) return fail(done.error());
  std::printf("%s\n", done->c_str());
  return 0;
}

int export_zone(const CommandLine& line) {
  log::open();
  const auto done = server::export_zone(
      line.settings, line.origin, [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); });
  if (!done) return fail_logged(done.error());
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    return fail_logged(std::string("the zone could not be written: ") + std::strerror(errno));
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  const auto line = parse_command_line(argc, argv);
  if (!line) return fail(line.error());
  switch (line->action) {
  case CommandLine::Action::print: std::fputs(line->text.c_str(), stdout); return 0;
  case CommandLine::Action::check:
    for (const std::string& warning : line->warnings) std::fprintf(stderr, "signpostd: warning: %s\n", warning.c_str());
    std::printf("%s is sound\n", line->config.empty() ? "the command line" : line->config.c_str());
    return 0;
  case CommandLine::Action::snapshot: return snapshot(line->snapshot);
  case CommandLine::Action::export_zone: return export_zone(*line);
  case CommandLine::Action::serve: return serve(*line);
  }
  return 1;
}
