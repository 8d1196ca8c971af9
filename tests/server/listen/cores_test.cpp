// The texts in which the kernel tells of CPU quotas.
#include <doctest/doctest.h>

#include <sched.h>

#include "server/listen/cores.hpp"

using namespace signpost::server;

TEST_CASE("quotas of both versions of control groups") {
  CHECK(cpu_quota("200000 100000\n") == 2.0);
  CHECK(cpu_quota("150000 100000\n") == 1.5);
  CHECK(cpu_quota("10000 100000") == 0.1);
  CHECK(cpu_quota("200000\n 100000\n") == 2.0);
  for (const char* none :
       {"max 100000\n", "-1\n 100000\n", "", " ", "100000", "100000 0", "0 100000", "x y", "99999999999999999999 1"})
    CHECK(!cpu_quota(none));
}

TEST_CASE("the group of a process") {
  CHECK(cgroup_folder("0::/system.slice/signpostd.service\n") == "/system.slice/signpostd.service");
  CHECK(cgroup_folder("0::/\n").empty());
  CHECK(cgroup_folder("12:memory:/m\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/x\n") == "/docker/abc");
  CHECK(cgroup_folder("3:cpuset:/s\n2:cpuacct,cpu:/c\n") == "/c");
  CHECK(cgroup_folder("4:cpu:/old\n0::/new\n") == "/new");
  for (const char* none : {"", "\n", "0\n", "0::\n", "0::relative\n", "0::/../../outside\n", "5:cpuset:/s\n"})
    CHECK(cgroup_folder(none).empty());
}

TEST_CASE("no more cores than the affinity mask has, and at least one") {
  cpu_set_t before, one;
  REQUIRE(::sched_getaffinity(0, sizeof before, &before) == 0);
  CHECK(usable_cores() >= 1);
  CHECK(usable_cores() <= static_cast<unsigned>(CPU_COUNT(&before)));
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &before)) {
      CPU_SET(cpu, &one);
      break;
    }
  REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);
  CHECK(usable_cores() == 1);
  REQUIRE(::sched_setaffinity(0, sizeof before, &before) == 0);
}
