// signpostd: reads the command line, starts the daemon, waits for a signal.
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>

#include "discovery/store/snapshot.hpp"
#include "server/config/command_line.hpp"
#include "server/daemon/check.hpp"
#include "server/daemon/daemon.hpp"
#include "server/daemon/last_words.hpp"
#include "server/daemon/reloader.hpp"
#include "server/daemon/service_manager.hpp"
#include "server/daemon/signals.hpp"
#include "server/daemon/zone_export.hpp"
#include "server/log/log.hpp"

namespace {

using namespace signpost;
using namespace signpost::server;

int fail(const std::string& sentence) {
  std::fprintf(stderr, "signpostd: %s\n", sentence.c_str());
  return 1;
}

/// A start says the first of its problems; a check all.
int fail_first(const std::string& problems) {
  const auto first = problems.substr(0, problems.find('\n'));
  const auto more = std::count(problems.begin(), problems.end(), '\n');
  return fail(more == 0 ? first : first + " (and " + std::to_string(more) + " more: --check says them)");
}

/// The same, once the log is open: not even the last words wait for a reader.
int fail_logged(const std::string& sentence) {
  log::plain("signpostd: " + sentence);
  log::close();
  return 1;
}

/// Each TCP connection, watch and forwarded question is a descriptor: take what the system gives.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::optional<std::chrono::nanoseconds> sooner(std::optional<std::chrono::nanoseconds> a,
                                               std::optional<std::chrono::nanoseconds> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

/// Until a signal says to stop, or the time is up; the service manager hears meanwhile that we go on.
signals::Taken run(Reloader& reloader, std::optional<std::chrono::steady_clock::time_point> until = {}) {
  using Clock = std::chrono::steady_clock;
  const auto watchdog = service_manager::watchdog_interval();
  for (;;) {
    std::optional<std::chrono::nanoseconds> longest = reloader.next();
    if (watchdog) longest = sooner(longest, *watchdog);
    if (until) longest = sooner(longest, std::max<std::chrono::nanoseconds>(*until - Clock::now(), Clock::duration(0)));
    const signals::Taken taken = signals::wait(longest);
    if (watchdog) service_manager::alive();
    switch (taken.wish) {
    case signals::Wish::stop:
    case signals::Wish::stop_now: return taken;
    case signals::Wish::reload:
      service_manager::reloading();
      reloader.reload(taken.name());
      service_manager::ready("serving");
      break;
    case signals::Wish::nothing:
      log::info("signpostd", "a signal without a meaning", {{"signal", taken.name()}});
      break;
    case signals::Wish::none:
      if (until && Clock::now() >= *until) return taken;
      reloader.look();
      break;
    }
  }
}

/// Each arena of the allocator keeps what its threads once needed, and takes 64 MiB of addresses; the threads that
/// allocate much are fewer than the cores may be.
void bound_arenas() { mallopt(M_ARENA_MAX, 4); }

int serve(const CommandLine& line, int argc, char** argv) {
  signals::prepare();
  raise_descriptor_limit();
  bound_arenas();
  log::open(log_settings(line.settings.log));

  Daemon daemon(line.settings);
  if (const auto started = daemon.start(); !started) return fail_logged(started.error());
  for (const std::string& warning : line.warnings) log::warning("config", warning);
  for (const std::string& unset : line.unset) log::warning("config", unset);
  daemon.announce();
  log::info("signpostd", "ready", {{"version", SIGNPOST_VERSION}});

  service_manager::ready("serving");

  Reloader reloader(
      daemon, [argc, argv] { return parse_command_line(argc, argv); }, line);
  const signals::Taken taken = run(reloader);
  service_manager::stopping();
  log::info("signpostd", "stopping", {{"signal", taken.name()}});
  if (const auto lameduck = daemon.leave(); lameduck.count() > 0 && taken.wish == signals::Wish::stop)
    (void)run(reloader, std::chrono::steady_clock::now() + lameduck);
  daemon.stop();
  log::info("signpostd", "stopped");
  log::close();
  return 0;
}

int check(const CommandLine& line) {
  std::vector<std::string> problems = line.unset;
  for (std::string& problem : check_files(line.settings)) problems.push_back(std::move(problem));
  for (const std::string& warning : line.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  for (const std::string& problem : problems) std::fprintf(stderr, "%s\n", problem.c_str());
  if (!problems.empty()) return 1;
  std::printf("%s is sound\n", line.config.empty() ? "the command line" : line.config.c_str());
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
  prepare_last_words();
  const auto line = parse_command_line(argc, argv);
  if (!line) {
    const bool all = std::any_of(argv, argv + argc, [](const char* word) { return std::strcmp(word, "--check") == 0; });
    if (!all) return fail_first(line.error());
    std::fprintf(stderr, "%s\n", line.error().c_str());
    return 1;
  }
  switch (line->action) {
  case CommandLine::Action::print: std::fputs(line->text.c_str(), stdout); return 0;
  case CommandLine::Action::check: return check(*line);
  case CommandLine::Action::snapshot: return snapshot(line->snapshot);
  case CommandLine::Action::export_zone: return export_zone(*line);
  case CommandLine::Action::serve: return serve(*line, argc, argv);
  }
  return 1;
}
