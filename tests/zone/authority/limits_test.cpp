// What does not fit, what is not ready, what is stale, and what changes.
#include <doctest/doctest.h>

#include <map>
#include <set>

#include "tests/zone/ask.hpp"
#include "tests/zone/views.hpp"

using namespace signpost;
using namespace signpost::test;

namespace {

model::ServiceView big(int count, const std::string& name = "big") {
  model::EndpointGroup group{{{"http", tcp, 80}}, {}};
  for (int i = 0; i < count; ++i) {
    group.endpoints.push_back(endpoint(
        {"10." + std::to_string(i >> 16) + "." + std::to_string((i >> 8) & 255) + "." + std::to_string(i & 255)}));
  }
  return headless("default", name, {group});
}

std::unique_ptr<zone::Zone> zone_with(std::initializer_list<model::ServiceView> services) {
  auto zone = std::make_unique<zone::Zone>(zone::ZoneSettings{});
  for (const auto& service : services) zone->put(service);
  zone->publish();
  zone->set_ready();
  return zone;
}

constexpr const char* name = "big.default.svc.cluster.local.";

} // namespace

TEST_CASE("truncation keeps whole records, as many as fit, and says TC") {
  const auto zone = zone_with({big(10000)});
  struct Size {
    How how;
    std::size_t limit;
  };
  for (const auto& [how, limit] :
       std::vector<Size>{{{}, 512},
                         {{.edns = true, .size = 0}, 512},
                         {{.edns = true, .size = 512}, 512},
                         {{.edns = true, .size = 1000}, 1000},
                         {{.edns = true, .size = 1232}, 1232},
                         {{.edns = true, .size = 65535}, 1232},
                         {{.transport = wire::Transport::tcp}, 65535},
                         {{.transport = wire::Transport::tcp, .edns = true, .size = 512}, 65535}}) {
    const bool stream = how.transport == wire::Transport::tcp;
    const std::size_t spare = stream && how.edns ? wire::extended_error_size(wire::ExtendedError::other) : 0;
    const Reply reply = ask(*zone, name, "A", how);
    CHECK(reply.sound);
    CHECK(reply.truncated() == !stream);
    CHECK(reply.extended_error == (spare > 0 ? 0 : -1));
    CHECK(reply.length <= limit);
    CHECK(reply.length + 16 > limit);
    CHECK(reply.edns == how.edns);
    CHECK(std::set<std::string>(reply.answer.begin(), reply.answer.end()).size() == reply.answer.size());
    const Reply srv = ask(*zone, "_http._tcp.big.default.svc.cluster.local.", "SRV", how);
    CHECK(srv.sound);
    CHECK(srv.truncated() == !stream);
    CHECK(srv.length <= limit);
    CHECK(srv.length + 80 > limit);
    CHECK(srv.additional.empty());
  }
}

TEST_CASE("ANY gets one record, however many there are") {
  auto ports = cluster_ip("default", "ports", {}, {{"a", tcp, 1}, {"b", tcp, 2}, {"c", udp, 3}});
  const auto zone = zone_with({big(1000), ports, cluster_ip("default", "one", {"10.96.0.1"})});
  for (const How& how : {How{}, How{.edns = true}, How{.transport = wire::Transport::tcp}}) {
    for (const char* asked : {name, "big.default.cluster.local.", "_http._tcp.big.default.svc.cluster.local.",
                              "ports.default.svc.cluster.local."}) {
      CAPTURE(asked);
      const Reply reply = ask(*zone, asked, "ANY", how);
      CHECK(reply.sound);
      CHECK(reply.rcode == "NOERROR");
      CHECK(reply.authoritative());
      CHECK(!reply.truncated());
      REQUIRE(reply.answer.size() == 1);
      CHECK(reply.answer[0] == std::string(asked) + " 8482 IN HINFO \"RFC8482\" \"\"");
      CHECK(reply.additional.empty());
    }
    CHECK(ask(*zone, "one.default.svc.cluster.local.", "ANY", how).answer ==
          std::vector<std::string>{"one.default.svc.cluster.local. 5 IN A 10.96.0.1"});
    CHECK(ask(*zone, "absent.default.svc.cluster.local.", "ANY", how).rcode == "NXDOMAIN");
  }
}

TEST_CASE("what no TCP message holds goes out as a part, the same for every client") {
  auto hostnames = big(1000, "named");
  for (std::size_t i = 0; i < 1000; ++i) hostnames.groups[0].endpoints[i].hostname = "pod-" + std::to_string(i);
  const auto zone = zone_with({big(5000), hostnames});
  const How tcp{.transport = wire::Transport::tcp};
  for (const auto& [asked, type] : {std::pair{name, "A"}, {name, "SRV"}, {"named.default.svc.cluster.local.", "SRV"}}) {
    const Reply first = ask(*zone, asked, type, tcp), second = ask(*zone, asked, type, tcp);
    CHECK(first.sound);
    CHECK(!first.truncated());
    CHECK(first.answer.size() > 800);
    CHECK(sorted(first.answer) == sorted(second.answer));
  }
  // What fits is whole and turns.
  CHECK(ask(*zone, "named.default.svc.cluster.local.", "A", tcp).answer.size() == 1000);
  CHECK(ask(*zone, name, "A", tcp).answer[0] != ask(*zone, name, "A", tcp).answer[0]);
}

TEST_CASE("truncated answers over UDP show every record in turn") {
  const auto zone = zone_with({big(100)});
  for (const char* type : {"A", "SRV"}) {
    std::set<std::string> seen;
    for (int i = 0; i < 400; ++i) {
      const Reply reply = ask(*zone, name, type);
      CHECK(reply.truncated());
      seen.insert(reply.answer.begin(), reply.answer.end());
    }
    CHECK(seen.size() == 100);
  }
}

TEST_CASE("80 addresses fit a TCP reply, and additional records that do not fit are only left out") {
  const auto zone = zone_with({big(80), big(15, "fifteen")});
  const Reply whole = ask(*zone, name, "A", {.transport = wire::Transport::tcp});
  CHECK(!whole.truncated());
  CHECK(whole.answer.size() == 80);
  const Reply srv = ask(*zone, "fifteen.default.svc.cluster.local.", "SRV", {.edns = true});
  CHECK(srv.sound);
  CHECK(!srv.truncated());
  CHECK(srv.answer.size() == 15);
  CHECK(srv.additional.size() < 15);
  CHECK(srv.additional.size() > 0);
  CHECK(ask(*zone, name, "SRV", {.transport = wire::Transport::tcp}).additional.size() == 80);
}

TEST_CASE("ten thousand endpoints: each name, each reverse name") {
  const auto zone = zone_with({big(10000)});
  for (const int i : {0, 1, 255, 256, 9999}) {
    const std::string high = std::to_string(i >> 8), low = std::to_string(i & 255);
    const Reply forward = ask(*zone, "10-0-" + high + "-" + low + "." + name, "A");
    CHECK(forward.answer ==
          std::vector<std::string>{"10-0-" + high + "-" + low + "." + name + " 5 IN A 10.0." + high + "." + low});
    const Reply back = ask(*zone, low + "." + high + ".0.10.in-addr.arpa.", "PTR");
    REQUIRE(back.answer.size() == 1);
    CHECK(back.answer[0].ends_with("PTR 10-0-" + high + "-" + low + "." + name));
  }
  const Reply srv = ask(*zone, name, "SRV");
  REQUIRE(!srv.answer.empty());
  CHECK(srv.answer[0].find(" SRV 0 1 80 ") != std::string::npos);
}

TEST_CASE("every address comes first about equally often, A and AAAA asked in turn or not") {
  const auto zone = zone_with({headless("default", "two",
                                        {{{}, {endpoint({"10.0.0.1"}), endpoint({"10.0.0.2"}), endpoint({"10.0.0.3"})}},
                                         {{}, {endpoint({"fd00::1"}), endpoint({"fd00::2"})}}})});
  for (const bool both : {false, true}) {
    std::map<std::string, int> first;
    for (int i = 0; i < 300; ++i) {
      const Reply reply = ask(*zone, "two.default.svc.cluster.local.", "A");
      REQUIRE(reply.answer.size() == 3);
      ++first[reply.answer[0]];
      if (both) ++first[ask(*zone, "two.default.svc.cluster.local.", "AAAA").answer.at(0)];
    }
    CHECK(first.size() == (both ? 5 : 3));
    for (const auto& [line, count] : first) {
      CAPTURE(line);
      CHECK(count > 80);
    }
  }
}

TEST_CASE("before the first list every question of the zone is SERVFAIL, with EDE 14 where the client can read it") {
  zone::Zone zone{{}};
  for (const char* asked :
       {"cluster.local.", "web.default.svc.cluster.local.", "1.0.0.10.in-addr.arpa.", "dns-version.cluster.local."}) {
    const Reply plain = ask(zone, asked, "SOA"), edns = ask(zone, asked, "SOA", {.edns = true});
    CHECK(plain.sound);
    CHECK(plain.rcode == "SERVFAIL");
    CHECK(plain.authority.empty());
    CHECK(edns.sound);
    CHECK(edns.rcode == "SERVFAIL");
    CHECK(edns.extended_error == 14);
  }
  CHECK(ask(zone, "example.com.", "A").verdict == zone::Verdict::outside);
  CHECK(ask(zone, "cluster.local.", "AXFR").rcode == "REFUSED");
  zone.set_ready();
  CHECK(ask(zone, "cluster.local.", "SOA").rcode == "NOERROR");
}

TEST_CASE("a stale zone answers with EDE 3") {
  const auto zone = zone_with({big(100)});
  const std::vector<std::string> names{name, "no.default.svc.cluster.local.", "cluster.local."};
  zone->set_stale(true);
  for (const auto& asked : names) {
    const Reply reply = ask(*zone, asked, "A", {.edns = true, .dnssec_ok = true});
    CHECK(reply.sound);
    CHECK(reply.extended_error == 3);
    CHECK(reply.length <= 1232);
    CHECK(!ask(*zone, asked, "A").edns);
  }
  zone->set_stale(false);
  CHECK(ask(*zone, name, "A", {.edns = true}).extended_error == -1);
}

TEST_CASE("a service that changes form changes its answers, whole") {
  const auto zone = zone_with({external("default", "x", "foo.example.com")});
  const std::string x = "x.default.svc.cluster.local.";
  CHECK(ask(*zone, x, "A").target == "foo.example.com.");
  zone->put(external("default", "x", "bar.example.com"));
  CHECK(ask(*zone, x, "A").target == "bar.example.com.");
  zone->put(cluster_ip("default", "x", {"10.96.0.1"}, {{"http", tcp, 80}}));
  CHECK(ask(*zone, x, "A").answer == std::vector<std::string>{x + " 5 IN A 10.96.0.1"});
  CHECK(ask(*zone, "1.0.96.10.in-addr.arpa.", "PTR").answer.size() == 1);
  zone->put(headless("default", "x", {{{}, {endpoint({"10.244.0.1"})}}}));
  CHECK(ask(*zone, "1.0.96.10.in-addr.arpa.", "PTR").rcode == "NXDOMAIN");
  CHECK(ask(*zone, "96.10.in-addr.arpa.", "PTR").rcode == "NXDOMAIN");
  CHECK(ask(*zone, "1.0.244.10.in-addr.arpa.", "PTR").answer.size() == 1);
  zone->put(headless("default", "x", {}));
  CHECK(ask(*zone, x, "A").rcode == "NXDOMAIN");
  CHECK(ask(*zone, "default.svc.cluster.local.", "A").rcode == "NOERROR");
  zone->erase({"default", "x"});
  zone->erase({"default", "x"});
  CHECK(ask(*zone, "default.svc.cluster.local.", "A").rcode == "NXDOMAIN");
  CHECK(ask(*zone, "10.in-addr.arpa.", "A").rcode == "NXDOMAIN");
}

TEST_CASE("a namespace exists while it is held or has a service") {
  const auto zone = zone_with({cluster_ip("a", "x", {"10.96.0.1"})});
  const auto exists = [&] { return ask(*zone, "a.svc.cluster.local.", "A").rcode == "NOERROR"; };
  CHECK(exists());
  zone->put_namespace("a");
  zone->put_namespace("a");
  zone->erase({"a", "x"});
  CHECK(exists());
  zone->put(cluster_ip("a", "x", {"10.96.0.1"}));
  zone->erase_namespace("a");
  CHECK(exists());
  zone->erase({"a", "x"});
  CHECK(!exists());
  zone->erase_namespace("a");
  CHECK(!exists());
}

TEST_CASE("the serial grows with changes and only with changes") {
  const auto zone = zone_with({cluster_ip("a", "x", {"10.96.0.1"})});
  const auto serial = [&] { return ask(*zone, "cluster.local.", "SOA").answer.at(0); };
  const std::string first = serial();
  zone->publish();
  zone->put(cluster_ip("a", "x", {"10.96.0.1"}));
  zone->publish();
  CHECK(serial() == first);
  zone->put(cluster_ip("a", "x", {"10.96.0.2"}));
  zone->publish();
  const std::string second = serial();
  CHECK(second > first);
  zone->put_namespace("b");
  zone->publish();
  CHECK(serial() > second);
}

TEST_CASE("ports that only some endpoints have") {
  const auto zone = zone_with(
      {headless("default", "mixed",
                {{{{"http", tcp, 80}, {"admin", tcp, 9000}}, {endpoint({"10.0.0.1"}, "a"), endpoint({"10.0.0.2"})}},
                 {{{"http", tcp, 80}, {"alt", tcp, 9000}}, {endpoint({"10.0.0.3"}, "c")}},
                 {{{"http", tcp, 8080}}, {endpoint({"10.0.0.4"}, "d", false)}}})});
  const auto targets = [&](const std::string& asked) {
    const Reply reply = ask(*zone, asked, "SRV");
    CHECK(reply.sound);
    std::set<std::string> result;
    for (const auto& line : reply.answer) {
      const auto cut = line.find(".mixed.default.svc");
      result.insert(line.substr(line.find(" SRV ") + 5, line.find(".mixed", cut + 1) - line.find(" SRV ") - 5));
    }
    CHECK(result.size() == reply.answer.size());
    return result;
  };
  const std::string mixed = "mixed.default.svc.cluster.local.";
  CHECK(ask(*zone, "_http._tcp." + mixed, "SRV").answer.size() == 3);
  CHECK(ask(*zone, "_admin._tcp." + mixed, "SRV").answer.size() == 2);
  CHECK(ask(*zone, "_alt._tcp." + mixed, "SRV").answer.size() == 1);
  CHECK(targets(mixed).size() == 6);
  CHECK(ask(*zone, mixed, "SRV").answer.at(0).find(" 0 16 ") != std::string::npos);
}

TEST_CASE("names that one label cannot carry are not served, and do no harm") {
  const auto zone = zone_with({cluster_ip("default", "ok", {"10.96.0.1"})});
  for (const auto& bad : {std::string(), std::string(64, 'a'), std::string("a.b"), std::string("Upper"),
                          std::string("sp ace"), std::string("\x80")}) {
    zone->put(cluster_ip("default", bad, {"10.96.0.2"}));
    zone->put(cluster_ip(bad, "x", {"10.96.0.2"}));
    zone->put_namespace(bad);
    zone->erase({"default", bad});
    zone->erase_namespace(bad);
  }
  CHECK(zone->counts().services == 1);
  auto odd = headless("default", "odd",
                      {{{{std::string(63, 'p'), tcp, 1}, {"a.b", tcp, 2}},
                        {endpoint({"10.0.0.1"}, "a.b"), endpoint({"10.0.0.2"}, std::string(64, 'h'))}}});
  zone->put(odd);
  CHECK(ask(*zone, "10-0-0-1.odd.default.svc.cluster.local.", "A").answer.size() == 1);
  CHECK(ask(*zone, "10-0-0-2.odd.default.svc.cluster.local.", "A").answer.size() == 1);
  CHECK(ask(*zone, "odd.default.svc.cluster.local.", "SRV").answer.size() == 4);
}

TEST_CASE("the longest names answer within limits") {
  const std::string label(63, 'x');
  const auto zone = zone_with({cluster_ip(label, label, {"10.96.0.1"}, {{std::string(62, 'p'), tcp, 80}})});
  const std::string service = label + "." + label + ".svc.cluster.local.";
  CHECK(ask(*zone, service, "A").answer.size() == 1);
  CHECK(ask(*zone, "_" + std::string(62, 'p') + "._tcp." + service, "SRV").answer.size() == 1);
  const Reply reply = ask(*zone, std::string(43, 'y') + "." + label + "." + service, "A", {.edns = true});
  CHECK(reply.sound);
  CHECK(reply.rcode == "NXDOMAIN");
}
