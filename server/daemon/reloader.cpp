#include "server/daemon/reloader.hpp"

#include <glob.h>

#include <algorithm>
#include <random>
#include <sstream>

#include "server/config/syntax.hpp"
#include "server/log/log.hpp"

namespace signpost::server {
namespace {

using Clock = std::chrono::steady_clock;

void add(std::size_t& digest, const std::string& text) {
  digest = digest * 1099511628211u + std::hash<std::string>()(text); // FNV's prime: the order of files counts
}

std::size_t digest_of(const std::vector<std::string>& files) {
  std::size_t digest = 0;
  for (const std::string& file : files) {
    glob_t found{};
    if (::glob(file.c_str(), GLOB_NOCHECK, nullptr, &found) == 0)
      for (std::size_t i = 0; i < found.gl_pathc; ++i) {
        add(digest, found.gl_pathv[i]);
        add(digest, corefile::read_text(found.gl_pathv[i]).value_or(""));
      }
    ::globfree(&found);
  }
  return digest;
}

std::chrono::milliseconds drawn(const ReloadSettings& settings) {
  std::random_device device;
  const auto half = settings.jitter.count() / 2;
  return settings.interval + std::chrono::milliseconds(std::uniform_int_distribution<long>(-half, half)(device));
}

} // namespace

Reloader::Reloader(Daemon& daemon, std::function<tl::expected<CommandLine, std::string>()> read,
                   const CommandLine& line)
    : daemon_(daemon), read_(std::move(read)) {
  follow(line);
}

void Reloader::follow(const CommandLine& line) {
  files_ = line.files;
  digest_ = digest_of(files_);
  if (line.settings.reload && settings_ != line.settings.reload) interval_ = drawn(*line.settings.reload);
  settings_ = line.settings.reload;
  next_ = Clock::now() + interval_;
}

void Reloader::reload(const std::string& why) {
  log::info("config", "reading the configuration again", {{"why", why}});
  digest_ = digest_of(files_); // of a file that is wrong, too: it is looked at again when it changes
  const auto line = read_();
  std::string problems;
  if (!line) {
    problems = line.error();
    daemon_.reload_refused();
  } else if (auto done = daemon_.reload(line->settings); !done) {
    problems = done.error();
  }
  if (problems.empty()) {
    for (const auto* list : {&line->warnings, &line->unset})
      for (const std::string& warning : *list) log::warning("config", warning);
    return follow(*line);
  }
  std::istringstream all(problems);
  for (std::string problem; std::getline(all, problem);)
    log::error("config", "not reloaded, the old configuration stays", {{"why", problem}});
}

std::optional<std::chrono::nanoseconds> Reloader::next() const {
  if (!settings_) return std::nullopt;
  return std::max<std::chrono::nanoseconds>(next_ - Clock::now(), std::chrono::nanoseconds(0));
}

void Reloader::look() {
  if (!settings_ || Clock::now() < next_) return;
  next_ = Clock::now() + interval_;
  if (digest_of(files_) != digest_) reload("the files have changed");
}

} // namespace signpost::server
