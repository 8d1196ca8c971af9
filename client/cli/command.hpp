// What all commands share: the streams they talk to, where the server is, and the table of commands.
//
// One invocation is one Session: it may be run in a test with string streams instead of the terminal. Not thread-safe.
#pragma once

#include <chrono>
#include <iosfwd>
#include <string>
#include <vector>

#include "client/cli/api.hpp"
#include "client/cli/failure.hpp"

namespace signpost::cli {

struct Session {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  std::string server{};                         // --server; empty: SIGNPOST_SERVER, else the default
  std::string dns{};                            // --dns; empty: SIGNPOST_DNS, else the default
  std::string name_space = "default";           // -n, or SIGNPOST_NAMESPACE
  bool name_space_given = false;                // by -n
  std::chrono::milliseconds request_timeout{0}; // --request-timeout, of a whole reply; 0: as HttpLimits has it
  bool verbose = false;                         // -v: each request on err

  /// An API client for the server that was named. Fails only where its URL makes no sense.
  [[nodiscard]] Expected<Api> api() const;
  /// Prints "signpost: …" to err.
  void complain(const Failure& failure) const;
};

/// The whole program: parses, runs, prints, returns the exit code. `arguments` without the program's name.
[[nodiscard]] int run(std::vector<std::string> arguments, std::istream& in, std::ostream& out, std::ostream& err);

/// The value of an environment variable; "" if unset.
[[nodiscard]] std::string environment_variable(const char* name);

} // namespace signpost::cli
