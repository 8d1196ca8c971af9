// A running daemon and the configuration it was started with: reads it again when a signal asks, or when its files have
// changed and `reload` says to look.
//
// Threads: one, that of the daemon's start().
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/config/command_line.hpp"
#include "server/daemon/daemon.hpp"

namespace signpost::server {

class Reloader {
public:
  /// `read` reads the command line and its Corefile anew; `line` is what it gave at the start.
  Reloader(Daemon& daemon, std::function<tl::expected<CommandLine, std::string>()> read, const CommandLine& line);

  /// Reads and takes the configuration, or says in the log why not and leaves all as it is.
  void reload(const std::string& why);

  /// How long until look(); nullopt: never.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> next() const;
  /// Reloads if it is time and the files hold something else than when they were read last.
  void look();

private:
  void follow(const CommandLine& line);

  Daemon& daemon_;
  std::function<tl::expected<CommandLine, std::string>()> read_;
  std::vector<std::string> files_; // paths, and patterns
  std::size_t digest_ = 0;         // of what they held
  std::optional<ReloadSettings> settings_;
  std::chrono::milliseconds interval_{0};
  std::chrono::steady_clock::time_point next_{};
};

} // namespace signpost::server
