// env and exec: the environment variables by which older programs find services, printed, or given to a program.
#pragma once

#include "client/cli/command.hpp"

namespace signpost::cli {

struct EnvironmentOptions {
  std::vector<std::string> files{}; // read instead of asking the API
  std::string format = "env";
  bool no_service_links = false;
  bool no_docker_links = false;
  std::string master_namespace = "default";
  std::string generation = "current";
  std::vector<std::string> own{};      // NAME=VALUE of --set
  std::vector<std::string> services{}; // globs
  std::vector<std::string> prefixes{};
  std::vector<std::string> command{}; // of exec
};

[[nodiscard]] Exit print_environment(const Session& session, const EnvironmentOptions& options);

/// Replaces this process by the command; returns only if that fails: 127 if there is no such program, 126 if it cannot
/// be run, as shells do, else one of the codes.
[[nodiscard]] int execute(const Session& session, const EnvironmentOptions& options);

} // namespace signpost::cli
