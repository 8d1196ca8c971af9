#include "server/listen/cores.hpp"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

namespace signpost::server {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The least quota of a group and of those above it; a container may see only its own as the root.
std::optional<double> least_quota() {
  const std::string groups = read_file("/proc/self/cgroup");
  std::string folder(cgroup_folder(groups));
  std::optional<double> least;
  while (true) {
    for (const auto& text : {read_file("/sys/fs/cgroup" + folder + "/cpu.max"),
                             read_file("/sys/fs/cgroup/cpu" + folder + "/cpu.cfs_quota_us") + " " +
                                 read_file("/sys/fs/cgroup/cpu" + folder + "/cpu.cfs_period_us")})
      if (const auto quota = cpu_quota(text); quota && (!least || *quota < *least)) least = quota;
    if (folder.empty()) return least;
    folder.erase(folder.rfind('/'));
  }
}

} // namespace

std::optional<double> cpu_quota(std::string_view text) {
  const auto number = [&]() -> std::optional<std::int64_t> {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\n')) text.remove_prefix(1);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
  };
  const auto quota = number();
  const auto period = quota ? number() : std::nullopt;
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

std::string_view cgroup_folder(std::string_view text) {
  std::string_view found;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto first = line.find(':'), second = line.find(':', first == std::string_view::npos ? first : first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    std::string_view folder = line.substr(second + 1);
    if (!folder.starts_with('/') || folder.find("..") != std::string_view::npos) continue;
    if (folder == "/") folder = {};
    if (controllers.empty()) return folder;
    if (controllers == "cpu" || controllers.starts_with("cpu,") || controllers.ends_with(",cpu") ||
        controllers.find(",cpu,") != std::string_view::npos)
      found = folder;
  }
  return found;
}

unsigned usable_cores() {
  cpu_set_t set;
  const unsigned cores = ::sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<unsigned>(CPU_COUNT(&set))
                                                                       : std::thread::hardware_concurrency();
  const auto quota = least_quota();
  const double allowed = quota ? std::ceil(*quota) : static_cast<double>(cores);
  return std::max(1u, std::min(cores, static_cast<unsigned>(std::min(allowed, 65536.0))));
}

} // namespace signpost::server
