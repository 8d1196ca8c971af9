#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
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
           Case{"www.example.com", "www.example.com.svc.cluster.local"}, // first
           Case{"a.b.example.com", "a.b.example.com"},
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
    CHECK(made->service.empty() == (c.given[0] != '_'));
  }
  CHECK(plan({.name = "web", .port = "http", .protocol = "UDP"}, home)->name ==
        "_http._udp.web.shop.svc.cluster.local");
  CHECK(plan({.name = "web", .port = "53"}, home)->port == 53);
  CHECK(plan({.name = "::1"}, home)->literal.has_value());
}

TEST_CASE("a short name has several readings, the likelier first") {
  const auto readings = [](const char* name, Home home = {"shop", "cluster.local"}) {
    std::string out;
    const auto made = plan({.name = name}, home);
    for (const auto& reading : made->readings) {
      out += out.empty() ? "" : ", ";
      out += reading.name;
      if (!reading.only_if.empty()) out += " if " + reading.only_if;
      if (!reading.unless.empty()) out += " unless " + reading.unless;
    }
    return out;
  };
  CHECK(readings("web") == "web.shop.svc.cluster.local");
  CHECK(readings("db-0.db") == "db-0.db.svc.cluster.local, "
                               "db-0.db.shop.svc.cluster.local if db.shop.svc.cluster.local, "
                               "db-0.db unless db.svc.cluster.local");
  CHECK(readings("db-0.db.shop") == "db-0.db.shop.svc.cluster.local, db-0.db.shop unless db.shop.svc.cluster.local");
  CHECK(readings("web.shop.svc") == "web.shop.svc.cluster.local");
  CHECK(readings("web.shop.svc.cluster.local") == "web.shop.svc.cluster.local");
  CHECK(readings("nosuch.cluster.local") == "nosuch.cluster.local");
  CHECK(readings("github.com.") == "github.com");
  CHECK(readings("a.b.github.com") == "a.b.github.com");

  // The host's own search domains, as resolv.conf(5) has them.
  Home host{"default", "cluster.local", {"corp.example", "example"}, 1};
  CHECK(readings("printer", host) == "printer.default.svc.cluster.local, printer.corp.example, printer.example");
  CHECK(readings("a.b.c.d", host) == "a.b.c.d, a.b.c.d.corp.example, a.b.c.d.example");
  host.ndots = 5;
  CHECK(readings("a.b.c.d", host) == "a.b.c.d.corp.example, a.b.c.d.example, a.b.c.d");
  CHECK(readings("db.lab", host) == "db.lab.svc.cluster.local, db.lab.default.svc.cluster.local if "
                                    "lab.default.svc.cluster.local, db.lab.corp.example unless lab.svc.cluster.local, "
                                    "db.lab.example, db.lab");
  CHECK(readings("printer.corp.example", host) == "printer.corp.example");
  const std::string label(62, 'a');
  CHECK(readings((label + '.' + label + '.' + label + '.' + label).c_str(), host).find("corp") == std::string::npos);
}

TEST_CASE("special names are known here") {
  const Home home{"shop", "cluster.local", {"lab.test"}};
  const auto special = [&](const char* name, Home in) { return plan({.name = name}, in)->special; };
  for (const auto* const name : {"localhost", "LOCALHOST", "localhost.", "foo.localhost", "a.b.c.d.localhost."})
    CHECK(special(name, home) == Special::loopback);
  for (const auto* const name : {"invalid", "foo.invalid", "foo.onion.", "a.b.c.d.onion", "foo.test.", "a.b.c.d.test"})
    CHECK(special(name, {}) == Special::nonexistent);
  // A namespace may be named so, and a cluster or a search domain may be below one.
  CHECK(plan({.name = "web.test"}, home)->readings.front().name == "web.test.svc.cluster.local");
  const auto web = plan({.name = "web.test"}, home);
  for (const auto& reading : web->readings) CHECK(reading.name != "web.test");
  CHECK_FALSE(special("printer.lab.test.", home));
  CHECK_FALSE(special("web.shop.svc.k8s.test.", {"shop", "k8s.test"}));
  CHECK_FALSE(special("mylocalhost.", home));
}

TEST_CASE("link-local addresses may have a zone id") {
  const auto address = read_address("fe80::1%lo");
  REQUIRE(address);
  CHECK(address->zone == 1);
  CHECK(address->to_string() == "fe80::1%lo");
  CHECK(read_address("fe80::1%1") == address);
  CHECK(read_server("[fe80::1%lo]:5300")->to_string() == "[fe80::1%lo]:5300");
  CHECK(read_server("fe80::1%lo")->to_string() == "[fe80::1%lo]:53");
  for (const auto* const text : {"fe80::1%", "fe80::1%nosuch0", "fe80::1%0", "2001:db8::1%lo", "10.0.0.1%lo", "%lo"})
    CHECK_FALSE(read_address(text));
  sockaddr_storage out;
  signpost::Endpoint{.address = *address}.to_sockaddr(out);
  CHECK(reinterpret_cast<const sockaddr_in6&>(out).sin6_scope_id == 1);
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
  CHECK(conf.ndots == 5);
  CHECK(conf.notes == std::vector<std::string>{
                          "resolv.conf:4: \"nonsense\" is no address of a server; an IPv4 or IPv6 address without "
                          "a port is wanted"});
}

TEST_CASE("whatever resolv.conf holds, it is read, and what is left out is said") {
  struct Case {
    const char *text, *note;
  };
  for (const Case& c : {Case{"nameserver\nnameserver 10.0.0.1", "resolv.conf:1: \"\" is no address"},
                        Case{"nameserver 10.0.0.1:53\nnameserver 10.0.0.1", "resolv.conf:1: \"10.0.0.1:53\""},
                        Case{"nameserver fe80::1%nosuch0\nnameserver 10.0.0.1", "fe80::1%nosuch0"},
                        Case{"\nnamesever 10.0.0.2\nnameserver 10.0.0.1", "resolv.conf:2: \"namesever\""},
                        Case{"nameserver 10.0.0.1\nsearch a..b c", "\"a..b\" is no domain"},
                        Case{"nameserver 10.0.0.1\noptions ndots:x", "\"ndots:x\""},
                        Case{"nameserver 10.0.0.1\n\x1b[2J", "\"?[2J\""}}) {
    const auto conf = read_resolv_conf(c.text);
    REQUIRE(conf.servers.size() == 1);
    CHECK(conf.servers[0].to_string() == "10.0.0.1:53");
    REQUIRE(conf.notes.size() == 1);
    CHECK_MESSAGE(conf.notes[0].find(c.note) != std::string::npos, conf.notes[0]);
  }
  std::string many, search = "search";
  for (int i = 1; i <= 12; ++i) many += "nameserver 10.0.0." + std::to_string(i) + '\n';
  for (int i = 1; i <= 40; ++i) search += " d" + std::to_string(i);
  auto conf = read_resolv_conf(many + search);
  CHECK(conf.servers.size() == most_servers);
  CHECK(conf.search.size() == most_search_domains);
  CHECK(conf.notes.size() == 5);
  CHECK(conf.notes[4].find("the last 8 are left out") != std::string::npos);
  CHECK(read_resolv_conf(std::string(100'000, 'x') + "\nnameserver 10.0.0.1").servers.size() == 1);
  CHECK(read_resolv_conf("options ndots:99\nsortlist 1.2.3.4\n; c\n# c\n  \n").notes.empty());
}

TEST_CASE("resolv.conf is followed, and never fatal") {
  for (const auto* const name : {"SIGNPOST_DNS", "SIGNPOST_NAMESPACE", "SIGNPOST_CLUSTER_DOMAIN"}) unsetenv(name);
  const auto path = std::filesystem::temp_directory_path() / ("signpost-follow-" + std::to_string(getpid()));
  const auto put = [&](const std::string& text) { std::ofstream(path) << text; };
  std::filesystem::remove(path);
  SettingsSource source({.resolv_conf = path});
  const auto server = [&] { return source.current()->servers.at(0).to_string(); };
  CHECK(server() == "127.0.0.1:53"); // missing
  CHECK(source.current()->error.empty());
  put("");
  CHECK(server() == "127.0.0.1:53");
  put("nameserver 10.0.0.1\nsearch shop.svc.k8s.test corp.example\n");
  CHECK(server() == "10.0.0.1:53");
  CHECK(source.current()->home.name_space == "shop");
  CHECK(source.current()->home.search == std::vector<std::string>{"corp.example"});
  put("nameserver 10.0.0.2\nsearch shop.svc.k8s.test corp.example\n"); // of the same size, in the same moment
  CHECK(server() == "10.0.0.2:53");
  const auto same = source.current();
  put(""); // as a writer leaves it for a moment
  CHECK(server() == "10.0.0.2:53");
  CHECK(source.current()->home.name_space == "shop");
  CHECK(source.current()->home.search == std::vector<std::string>{"corp.example"});
  std::filesystem::remove(path);
  CHECK(server() == "10.0.0.2:53");
  put("; only a comment\n");
  CHECK(server() == "10.0.0.2:53");
  const auto other = path.string() + ".new"; // replaced, as most tools do
  std::ofstream(other) << "nameserver fd00::a\n";
  std::filesystem::rename(other, path);
  CHECK(server() == "[fd00::a]:53");
  CHECK(source.current()->home.name_space == "default");
  CHECK(same->servers.at(0).to_string() == "10.0.0.2:53"); // what a lookup began with stays
  put("nameserver 10.0.0.3\n" + std::string(2 << 20, '#'));
  CHECK(server() == "10.0.0.3:53");
  CHECK(source.current()->notes.size() == 1);
  std::filesystem::remove(path);
  std::filesystem::create_directory(path); // not even a file
  CHECK(server() == "10.0.0.3:53");
  std::filesystem::remove(path);

  std::vector<std::string> nine(9, "10.0.0.1");
  CHECK(settle({.servers = nine}).error.find("at most 8") != std::string::npos);
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
