// How a command ends: exit codes, which are stable and documented, and the one sentence for the user.
#pragma once

#include <string>
#include <tl/expected.hpp>

namespace signpost::cli {

/// Documented in client/README.md and in --help; the numbers never change.
enum class Exit : int {
  ok = 0,
  error = 1,       // anything else: the server refuses the object, a file cannot be read, …
  usage = 2,       // the command line makes no sense
  not_found = 3,   // no such object, no such name, no such file
  unavailable = 4, // the server cannot be reached, does not answer in time, or is not ready
  conflict = 5,    // it exists already, or somebody changed it at the same time
};

struct Failure {
  Exit code = Exit::error;
  std::string message; // one sentence: what is wrong, and what to do
};

template <class T>
using Expected = tl::expected<T, Failure>;

[[nodiscard]] inline tl::unexpected<Failure> fail(Exit code, std::string message) {
  return tl::make_unexpected(Failure{code, std::move(message)});
}

} // namespace signpost::cli
