#include "server/daemon/last_words.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <system_error>

namespace signpost::server {
namespace {

/// Takes no memory.
void say(const char* what, const char* instead) {
  char line[512];
  const int length = std::snprintf(line, sizeof line, "signpostd: %s%s\n", what, instead);
  if (length > 0) (void)!::write(STDERR_FILENO, line, std::min<std::size_t>(sizeof line - 1, length));
}

[[noreturn]] void last_words() noexcept {
  try {
    if (const auto why = std::current_exception()) std::rethrow_exception(why);
  } catch (const std::bad_alloc&) {
    say("out of memory", ": give it more (ulimit -v, MemoryMax=)");
    ::_exit(1);
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::resource_unavailable_try_again) {
      say("no thread can be started", ": allow more of them (ulimit -u, TasksMax=)");
      ::_exit(1);
    }
    say(error.what(), "");
  } catch (const std::exception& error) {
    say(error.what(), "");
  } catch (...) {
  }
  std::abort(); // a fault of ours
}

} // namespace

void prepare_last_words() { std::set_terminate(last_words); }

} // namespace signpost::server
