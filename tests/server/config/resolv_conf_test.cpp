#include "server/config/resolv_conf.hpp"

#include <doctest/doctest.h>

#include "tests/server/config/fixture.hpp"

using namespace signpost::server;

namespace {

std::string servers(const ResolvConf& found) {
  std::string all;
  for (const auto& server : found.servers)
    all += (all.empty() ? "" : " ") + server.endpoint.to_string() + "/" + std::to_string(server.line);
  return all;
}

} // namespace

TEST_CASE("the servers of a resolv.conf, in their order, each once") {
  const ResolvConf found =
      parse_resolv_conf("# c\n\nsearch a b\nnameserver 192.0.2.1\n nameserver\t2001:db8::1  # x\r\n"
                        "options ndots:5\n;nameserver 9.9.9.9\nnameserver 192.0.2.1\n"
                        "nameserver [::1]:5353\nnameserver fe80::1%eth0\nnameserver 192.0.2.2",
                        "r");
  CHECK(servers(found) == "192.0.2.1:53/4 [2001:db8::1]:53/5 [::1]:5353/9 [fe80::1%eth0]:53/10 192.0.2.2:53/11");
  CHECK(found.problems.empty());
  CHECK(parse_resolv_conf("", "r").servers.empty());
}

TEST_CASE("what is not understood is told with file and line, and the rest is read") {
  struct Row {
    const char* line;
    const char* problem;
  };
  for (const Row& row : {
           Row{"namserver 192.0.2.9", "r:2: \"namserver\" is not understood; instead: nameserver ADDRESS"},
           Row{"nameserver", "r:2: nameserver names no address; instead: nameserver ADDRESS"},
           Row{"nameserver # none", "r:2: nameserver names no address; instead: nameserver ADDRESS"},
           Row{"nameserver dns.example", "r:2: \"dns.example\" is not an address; instead: nameserver ADDRESS"},
           Row{"nameserver 192.0.2.300", "r:2: \"192.0.2.300\" is not an address; instead: nameserver ADDRESS"},
           Row{"nameserver 192.0.2.9 192.0.2.8",
               "r:2: \"192.0.2.8\" behind the address is passed over; instead: one address a line"},
           Row{"nameserver fe80::1",
               "r:2: \"fe80::1\" is link-local and names no interface; instead: fe80::1%INTERFACE"},
           Row{"nameserver 192.0.2.9%eth0", "r:2: \"192.0.2.9%eth0\" is not an address; instead: nameserver ADDRESS"},
           Row{"\x01\xff garbage", "r:2: \"??\" is not understood; instead: nameserver ADDRESS"},
       }) {
    CAPTURE(row.line);
    const ResolvConf found =
        parse_resolv_conf("nameserver 192.0.2.1\n" + std::string(row.line) + "\nnameserver 192.0.2.2\n", "r");
    REQUIRE(found.problems.size() == 1);
    CHECK(found.problems[0] == row.problem);
    CHECK(found.servers.front().endpoint.to_string() == "192.0.2.1:53");
    CHECK(found.servers.back().endpoint.to_string() == "192.0.2.2:53");
  }
}

TEST_CASE("a file that is missing, empty or none has a problem and no server") {
  const Directory directory;
  for (const std::string& path : {directory.write("empty", ""), directory.write("other", "search a\n"),
                                  std::string("/nowhere/resolv.conf"), std::string("/tmp"), std::string("/dev/null")}) {
    CAPTURE(path);
    const ResolvConf found = read_resolv_conf(path);
    CHECK(found.servers.empty());
    REQUIRE(found.problems.size() == 1);
    CHECK(found.problems[0].starts_with(path + " "));
  }
}
