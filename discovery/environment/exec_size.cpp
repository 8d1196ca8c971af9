#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "discovery/environment/environment.hpp"

namespace signpost::environment {
namespace {

constexpr std::size_t kernel_floor = 128 * 1024;        // ARG_MAX of linux/limits.h
constexpr std::size_t kernel_ceiling = 6 * 1024 * 1024; // three quarters of the default stack, fs/exec.c
constexpr std::size_t pages_per_string = 32;            // MAX_ARG_STRLEN is so many pages
constexpr const char* remedies =
    "; use --no-service-links, leave services out (--service, --prefix, --no-docker-links), or find services through "
    "DNS instead";

std::string_view name_of(std::string_view assignment) { return assignment.substr(0, assignment.find('=')); }

} // namespace

ExecLimits system_exec_limits() {
  ExecLimits limits;
  rlimit stack{};
  if (getrlimit(RLIMIT_STACK, &stack) == 0) {
    std::size_t const quarter = stack.rlim_cur == RLIM_INFINITY ? kernel_ceiling : stack.rlim_cur / 4;
    limits.total = std::clamp(quarter, kernel_floor, kernel_ceiling);
  }
  long const page = sysconf(_SC_PAGESIZE);
  if (page > 0) limits.string = pages_per_string * static_cast<std::size_t>(page);
  return limits;
}

tl::expected<void, std::string> check_exec_size(std::span<const std::string> arguments,
                                                std::span<const std::string> environment, const ExecLimits& limits) {
  std::size_t total = PATH_MAX + sizeof(void*); // the kernel counts the program's path as well
  for (const auto& text : arguments) {
    total += text.size() + 1 + sizeof(void*);
    if (text.size() < limits.string) continue;
    return tl::unexpected("an argument of " + std::to_string(text.size()) + " bytes is longer than the kernel's " +
                          std::to_string(limits.string - 1) + "; pass it in a file");
  }
  for (const auto& text : environment) {
    total += text.size() + 1 + sizeof(void*);
    if (text.size() < limits.string) continue;
    return tl::unexpected("the variable " + std::string(name_of(text).substr(0, 64)) + " takes " +
                          std::to_string(text.size()) + " bytes, the kernel takes at most " +
                          std::to_string(limits.string - 1) + " for one; pass its value in a file");
  }
  if (total <= limits.total) return {};
  return tl::unexpected("the environment is too large to start a program: " + std::to_string(environment.size()) +
                        " variables and " + std::to_string(arguments.size()) + " arguments take " +
                        std::to_string(total) + " bytes, the kernel's limit is " + std::to_string(limits.total) +
                        remedies);
}

} // namespace signpost::environment
