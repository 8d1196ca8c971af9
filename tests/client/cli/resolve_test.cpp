#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/client/cli/command_line.hpp"
#include "tests/client/dns_responder.hpp"

using nlohmann::json;
using testing::Asked;
using testing::DnsResponder;
using testing::Octets;
using testing::run;

namespace {

const std::string web = "web.default.svc.cluster.local";
using Replies = std::vector<Octets>;

Replies usual(const Asked& asked) {
  testing::Reply reply(asked);
  if (asked.name == web && asked.type == 1) return {reply.address(web, "10.96.0.5", 5).bytes()};
  if (asked.name == web) return {reply.bytes()};
  if (asked.name == "_http._tcp." + web && asked.type == 33)
    return {reply.answer(asked.name, 33, 5, testing::srv_data(0, 100, 80, web))
                .additional(web, 1, 5, testing::address_data("10.96.0.5"))
                .bytes()};
  if (asked.name == "5.0.96.10.in-addr.arpa" && asked.type == 12)
    return {reply.answer(asked.name, 12, 5, testing::wire_name(web)).bytes()};
  if (asked.name == "starting.default.svc.cluster.local")
    return {testing::Reply(asked, 2).additional("", 41, 0, {0, 15, 0, 4, 0, 14, 'n', 'o'}).bytes()};
  if (asked.name == "example.com") return {testing::Reply(asked, 5).bytes()};
  return {testing::Reply(asked, 3).bytes()};
}

} // namespace

TEST_CASE("resolve prints answers with their TTLs") {
  DnsResponder server(usual);
  auto ran = run({"--dns", server.address(), "resolve", "web"});
  CHECK(ran.code == 0);
  CHECK(ran.out == "NAME                             TTL   TYPE   DATA\n"
                   "web.default.svc.cluster.local.   5     A      10.96.0.5\n\n" +
                       web + ".: NOERROR, says " + server.address() + "\n");
  CHECK(run({"--dns", server.address(), "resolve", "web.default", "-o", "short"}).out == "10.96.0.5\n");
  CHECK(run({"--dns", server.address(), "resolve", "_http._tcp.web", "-o", "short"}).out == "0 100 80 " + web + ".\n");
  CHECK(run({"--dns", server.address(), "resolve", "10.96.0.5", "-o", "short"}).out == web + ".\n");
  CHECK(run({"resolve", "-n", "other", "web", "a", "--dns", server.address()}).code == 3);
  CHECK(server.asked("web.other.svc.cluster.local", 1) == 1);
  run({"resolve", "web", "TYPE99", "--zone", "k8s.test", "--dns", server.address()});
  CHECK(server.asked("web.default.svc.k8s.test", 99) == 1);
}

TEST_CASE("resolve reads names as the library does") {
  DnsResponder server([](const Asked& asked) -> Replies {
    testing::Reply reply(asked);
    const auto& name = asked.name;
    if (name == "db.default.svc.cluster.local" || name == "default.svc.cluster.local") return {reply.bytes()};
    if (name == "db-0.db.default.svc.cluster.local" || name == "github.com" || name == "www.github.com")
      return {asked.type == 1 ? reply.address(name, "10.1.0.1").bytes() : reply.bytes()};
    return {testing::Reply(asked, name.ends_with("cluster.local") ? 3 : 5).bytes()};
  });
  const auto short_of = [&](const char* name) {
    return run({"--dns", server.address(), "resolve", name, "A", "-o", "short"}).out;
  };
  for (const auto* const name : {"db-0.db", "db-0.db.default", "db-0.db.default.svc", "github.com", "www.github.com"})
    CHECK(short_of(name) == "10.1.0.1\n");
  for (const auto* const name : {"nosuch.default", "db-9.db", "db-9.db.default"}) {
    const auto ran = run({"--dns", server.address(), "resolve", name});
    CHECK(ran.code == 3);
    CHECK(ran.err.find(std::string(name) + ".svc.cluster.local.: NXDOMAIN") != std::string::npos);
    CHECK(server.asked(name, 1) == 0);
  }
  CHECK(run({"--dns", server.address(), "resolve", "outside.example"}).code == 3);
  const int before = server.queries();
  auto ran = run({"--dns", server.address(), "resolve", "localhost"});
  CHECK(ran.code == 0);
  CHECK(ran.out ==
        "NAME         TTL   TYPE   DATA\nlocalhost.   0     A      127.0.0.1\nlocalhost.   0     AAAA   ::1\n\n"
        "localhost.: NOERROR, says this program (RFC 6761)\n");
  CHECK(run({"--dns", server.address(), "resolve", "foo.localhost", "AAAA", "-o", "short"}).out == "::1\n");
  CHECK(run({"--dns", server.address(), "resolve", "localhost", "MX"}).code == 3);
  CHECK(run({"--dns", server.address(), "resolve", "foo.invalid"}).code == 3);
  CHECK(server.queries() == before);
}

TEST_CASE("resolve's JSON has all sections") {
  DnsResponder server(usual);
  const auto ran = run({"--dns", server.address(), "resolve", "_http._tcp.web", "-o", "json"});
  const auto reply = json::parse(ran.out);
  CHECK(reply["rcode"] == "NOERROR");
  CHECK(reply["answer"][0] ==
        json{{"name", "_http._tcp." + web + "."}, {"ttl", 5}, {"type", "SRV"}, {"data", "0 100 80 " + web + "."}});
  CHECK(reply["additional"][0]["data"] == "10.96.0.5");
  CHECK(reply["transport"] == "udp");
}

TEST_CASE("resolve's exit codes") {
  DnsResponder server(usual);
  struct Case {
    std::vector<std::string> words;
    int code;
    const char* text;
  };
  for (const auto& c : {
           Case{{"nosuch"}, 3, "NXDOMAIN"},
           Case{{"web", "AAAA"}, 3, "no such records"},
           Case{{"starting"}, 4, "SERVFAIL (no, EDE 14)"},
           Case{{"example.com."}, 1, "REFUSED"},
           Case{{"web", "NOSUCH"}, 2, "record type"},
           Case{{"a..b"}, 2, "cannot be a DNS name"},
           Case{{"web", "--zone", "a b"}, 2, "--zone"},
       }) {
    auto words = c.words;
    words.insert(words.begin(), {"--dns", server.address(), "resolve"});
    const auto ran = run(words);
    CHECK(ran.code == c.code);
    CHECK_MESSAGE(ran.err.find(c.text) != std::string::npos, ran.err);
  }
  CHECK(run({"--dns", "nonsense", "resolve", "web"}).code == 2);
  std::string closed;
  {
    DnsResponder gone(usual);
    closed = gone.address();
  }
  const auto ran = run({"--dns", closed, "resolve", "web"});
  CHECK(ran.code == 4);
  CHECK(ran.err.find(closed) != std::string::npos);
}

TEST_CASE("resolve sends a lost packet again, and follows truncation to TCP") {
  DnsResponder server([](const Asked& asked) -> Replies {
    if (asked.times == 1) return {};
    if (!asked.tcp) return {testing::Reply(asked).truncated().bytes()};
    return {testing::Reply(asked).address(web, "10.96.0.7").bytes()};
  });
  auto ran = run({"--dns", server.address(), "resolve", "web", "A"});
  CHECK(ran.code == 0);
  CHECK(ran.out.find("over TCP") != std::string::npos);
  ran = run({"--dns", server.address(), "resolve", "web", "A", "--tcp", "-o", "short"});
  CHECK(ran.out == "10.96.0.7\n");
}

TEST_CASE("what a name carries cannot steer the terminal") {
  DnsResponder server([](const Asked& asked) -> Replies {
    return {testing::Reply(asked).answer(asked.name, 16, 5, {5, 0x1b, '[', '3', '1', 'm'}).bytes()};
  });
  CHECK(run({"--dns", server.address(), "resolve", "web", "TXT", "-o", "short"}).out == "\"\\027[31m\"\n");
}
