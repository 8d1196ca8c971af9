// How many cores this process may use: the affinity mask, and the CPU quota of its control groups.
//
// More workers than that share the same time among more threads: under a quota of two cores on a machine of 64, 64
// workers spend it in bursts and then all wait for the next period.
#pragma once

#include <optional>
#include <string_view>

namespace signpost::server {

/// At least 1.
[[nodiscard]] unsigned usable_cores();

/// Cores that a control group's cpu.max allows ("200000 100000" is two, "max 100000" none in particular), or version
/// 1's cpu.cfs_quota_us and cpu.cfs_period_us in that order. nullopt: no limit, or nothing of the kind.
[[nodiscard]] std::optional<double> cpu_quota(std::string_view text);

/// The folder of this process's group, below the mount of the hierarchy, in the text of /proc/self/cgroup: that of
/// version 2 ("0::/a/b"), else the one with the controller `cpu`. Empty: none.
[[nodiscard]] std::string_view cgroup_folder(std::string_view text);

} // namespace signpost::server
