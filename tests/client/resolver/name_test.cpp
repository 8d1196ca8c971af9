#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include "client/resolver/name.hpp"
#include "client/resolver/settings.hpp"

using namespace signpost::resolver;

TEST_CASE("names are completed from the namespace and the cluster domain") {
  const Home home{"shop", "cluster.local"};
  struct Case {
    const char *given, *asked;
  };
  for (const Case& c : {
           Case{"web", "web.shop.svc.cluster.local"},
           Case{"WEB", "web.shop.svc.cluster.local"},
           Case{"web.default", "web.default.svc.cluster.local"},
           Case{"web.default.svc", "web.default.svc.cluster.local"},
           Case{"web.default.svc.cluster.local", "web.default.svc.cluster.local"},
           Case{"web.default.svc.cluster.local.", "web.default.svc.cluster.local"},
           Case{"web.default.cluster.local", "web.default.cluster.local"},
           Case{"db-0.db.default.svc", "db-0.db.default.svc.cluster.local"},
           Case{"web.default.svc.other.zone", "web.default.svc.other.zone"},
           Case{"www.example.com", "www.example.com"},
           Case{"example.com.", "example.com"},
           Case{"web.", "web"},
           Case{"cluster.local", "cluster.local"},
           Case{"_http._tcp.web", "_http._tcp.web.shop.svc.cluster.local"},
           Case{"_http._tcp.web.default", "_http._tcp.web.default.svc.cluster.local"},
           Case{"_sip._udp.example.com.", "_sip._udp.example.com"},
       }) {
    CAPTURE(c.given);
    const auto made = plan({.name = c.given}, home);
    REQUIRE(made);
    CHECK(made->name == c.asked);
    CHECK(made->srv == (c.given[0] == '_'));
  }
  CHECK(plan({.name = "web", .port = "http", .protocol = "UDP"}, home)->name ==
        "_http._udp.web.shop.svc.cluster.local");
  CHECK(plan({.name = "web", .port = "53"}, home)->port == 53);
  CHECK(plan({.name = "::1"}, home)->literal.has_value());
}

TEST_CASE("what cannot be a name is refused") {
  const std::string long_label(64, 'a');
  const std::string long_name = [] {
    std::string out = "a";
    while (out.size() < 250) out += ".a";
    return out;
  }();
  for (const auto& name :
       {std::string(), std::string("."), std::string("a..b"), std::string(".a"), long_label, long_name + ".abcdef",
        std::string("a b"), std::string("a\0b", 3), std::string("_http.web"), std::string("_http._tcp")})
    CHECK_FALSE(plan({.name = name}, {}).has_value());
  CHECK_FALSE(plan({.name = "web", .port = "0"}, {}).has_value());
  CHECK_FALSE(plan({.name = "web", .port = "65536"}, {}).has_value());
  CHECK_FALSE(plan({.name = "10.0.0.1", .port = "http"}, {}).has_value());
  CHECK_FALSE(plan({.name = "10.0.0.1", .family = signpost::Family::ipv6}, {}).has_value());
  CHECK_FALSE(plan({.name = "_http._tcp.web", .port = "http"}, {}).has_value());
}

TEST_CASE("servers are read with and without port") {
  struct Case {
    const char *given, *meant; // meant empty: an error
  };
  for (const Case& c :
       {Case{"127.0.0.1", "127.0.0.1:53"}, Case{"127.0.0.1:5300", "127.0.0.1:5300"}, Case{"::1", "[::1]:53"},
        Case{"[::1]", "[::1]:53"}, Case{"[::1]:5300", "[::1]:5300"}, Case{" 10.0.0.1 ", "10.0.0.1:53"}, Case{"", ""},
        Case{"localhost", ""}, Case{"127.0.0.1:", ""}, Case{"127.0.0.1:0", ""}, Case{"127.0.0.1:65536", ""},
        Case{"127.0.0.1:53x", ""}, Case{"[::1", ""}, Case{"[::1]x", ""}}) {
    CAPTURE(c.given);
    const auto server = read_server(c.given);
    CHECK((server ? server->to_string() : "") == c.meant);
  }
}

TEST_CASE("resolv.conf gives servers, and the home of a pod") {
  const auto conf = read_resolv_conf("# comment\nnameserver 10.96.0.10\nnameserver fd00::a\nnameserver nonsense\n"
                                     "search shop.svc.k8s.test svc.k8s.test k8s.test example.com\noptions ndots:5\n");
  REQUIRE(conf.servers.size() == 2);
  CHECK(conf.servers[1].to_string() == "[fd00::a]:53");
  CHECK(conf.search.size() == 4);
}

TEST_CASE("options win over the environment, and that over resolv.conf") {
  const auto path = std::filesystem::temp_directory_path() / ("signpost-resolv-" + std::to_string(getpid()));
  std::ofstream(path) << "nameserver 10.96.0.10\nsearch shop.svc.k8s.test svc.k8s.test k8s.test\n";
  for (const auto* const name : {"SIGNPOST_DNS", "SIGNPOST_NAMESPACE", "SIGNPOST_CLUSTER_DOMAIN"}) unsetenv(name);
  auto settings = settle({.resolv_conf = path});
  CHECK(settings.error.empty());
  CHECK(settings.servers.at(0).to_string() == "10.96.0.10:53");
  CHECK(settings.home.name_space == "shop");
  CHECK(settings.home.cluster_domain == "k8s.test");

  setenv("SIGNPOST_DNS", "127.0.0.1:5300,[::1]:5300", 1);
  setenv("SIGNPOST_NAMESPACE", "from-env", 1);
  settings = settle({.cluster_domain = "Other.Zone.", .resolv_conf = path});
  CHECK(settings.servers.size() == 2);
  CHECK(settings.home.name_space == "from-env");
  CHECK(settings.home.cluster_domain == "other.zone");

  settings = settle({.servers = {"10.0.0.1"}, .name_space = "mine", .resolv_conf = path});
  CHECK(settings.servers.at(0).to_string() == "10.0.0.1:53");
  CHECK(settings.home.name_space == "mine");

  setenv("SIGNPOST_DNS", "nonsense", 1);
  CHECK(settle({.resolv_conf = path}).error.find("SIGNPOST_DNS") != std::string::npos);
  unsetenv("SIGNPOST_DNS");
  unsetenv("SIGNPOST_NAMESPACE");
  CHECK_FALSE(settle({.tries = 0}).error.empty());
  CHECK_FALSE(settle({.tries = 9}).error.empty());
  CHECK_FALSE(settle({.timeout = std::chrono::milliseconds(-1)}).error.empty());
  CHECK_FALSE(settle({.name_space = "two words"}).error.empty());
  CHECK(settle({.resolv_conf = "/nonexistent"}).servers.at(0).to_string() == "127.0.0.1:53");
  std::filesystem::remove(path);
}
