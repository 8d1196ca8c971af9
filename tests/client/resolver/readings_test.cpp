// Names with several readings, special names, aliases: what is asked, in which order, and what never is.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include <signpost/signpost.hpp>

#include "tests/client/dns_responder.hpp"

using namespace std::chrono_literals;
using signpost::Errc;
using testing::Asked;
using testing::DnsResponder;
using testing::Octets;
using testing::Reply;

namespace {

using Replies = std::vector<Octets>;
constexpr unsigned a = 1, cname = 5;

// The headless service db in default and lab, with an endpoint db-0; outside everything has the address 192.0.2.200.
class Cluster {
  std::mutex mutex_; // before the server, whose thread uses it
  std::set<std::string> outside_;

public:
  DnsResponder server{[this](const Asked& asked) { return answer(asked); }};
  signpost::Client client{
      {.servers = {server.address()}, .name_space = "default", .cluster_domain = "cluster.local", .resolv_conf = ""}};

  std::string address(const std::string& name) {
    const auto found = client.resolve({.name = name});
    return found ? found.endpoints[0].address.to_string() + ' ' + found.name : found.error.message();
  }
  // Names that were asked and are not the cluster's.
  std::set<std::string> outside() {
    const std::scoped_lock lock(mutex_);
    return outside_;
  }

private:
  Replies answer(const Asked& asked) {
    const auto& name = asked.name;
    if (!name.ends_with("cluster.local")) {
      const std::scoped_lock lock(mutex_);
      outside_.insert(name);
      Reply reply(asked);
      return {asked.type == a ? reply.address(name, "192.0.2.200").bytes() : reply.bytes()};
    }
    for (const std::string service : {"db.default.svc.cluster.local", "db.lab.svc.cluster.local"}) {
      if (name == "db-0." + service || name == service) {
        Reply reply(asked);
        return {asked.type == a ? reply.address(name, "10.1.0.1").bytes() : reply.bytes()};
      }
      if (service.ends_with('.' + name)) return {Reply(asked).bytes()}; // a namespace
    }
    return {Reply(asked, 3).bytes()};
  }
};

const std::string none = make_error_code(Errc::not_found).message();

} // namespace

TEST_CASE("short names mean what getaddrinfo finds with the resolv.conf of a pod") {
  Cluster cluster;
  CHECK(cluster.address("db") == "10.1.0.1 db.default.svc.cluster.local");
  CHECK(cluster.address("db.lab") == "10.1.0.1 db.lab.svc.cluster.local");
  CHECK(cluster.address("db-0.db") == "10.1.0.1 db-0.db.default.svc.cluster.local");
  CHECK(cluster.address("db-0.db.lab") == "10.1.0.1 db-0.db.lab.svc.cluster.local");
  CHECK(cluster.address("db-0.db.default.svc") == "10.1.0.1 db-0.db.default.svc.cluster.local");
  CHECK(cluster.outside().empty());
  CHECK(cluster.address("github.com") == "192.0.2.200 github.com");
  CHECK(cluster.address("www.github.com") == "192.0.2.200 www.github.com");
  CHECK(cluster.address("a.b.github.com") == "192.0.2.200 a.b.github.com");
  CHECK(cluster.address("example.com.") == "192.0.2.200 example.com");
}

TEST_CASE("the likely readings cost as many packets as they must") {
  struct Case {
    const char* name;
    int packets;
  };
  for (const Case& c : {Case{"db", 2}, Case{"db.lab", 2}, Case{"db-0.db.lab", 2}, Case{"db-0.db", 5},
                        Case{"github.com", 6}, Case{"www.github.com", 5}, Case{"a.b.github.com", 2}}) {
    CAPTURE(c.name);
    Cluster cluster;
    cluster.address(c.name);
    CHECK(cluster.server.queries() <= c.packets);
  }
}

TEST_CASE("a name of the cluster never leaves it") {
  Cluster cluster;
  for (const auto* const name :
       {"nosuch", "nosuch.default", "nosuch.lab", "db-9.db", "db-9.db.lab", "nosuch.default.svc",
        "nosuch.default.svc.cluster.local", "nosuch.cluster.local", "cluster.local"}) {
    CAPTURE(name);
    const auto found = cluster.client.resolve(name);
    CHECK_FALSE(found);
  }
  CHECK(cluster.address("db-9.db") == none);
  CHECK(cluster.outside().empty());
}

TEST_CASE("a server that fails is no reason to try another reading") {
  for (const unsigned rcode : {2u, 5u}) {
    std::atomic<int> outside{0};
    DnsResponder server([&](const Asked& asked) {
      if (!asked.name.ends_with("cluster.local")) ++outside;
      return Replies{Reply(asked, asked.name.ends_with("cluster.local") ? rcode : 0).bytes()};
    });
    signpost::Client client({.servers = {server.address()}});
    CHECK(client.resolve("db-0.db.lab").error == (rcode == 2 ? Errc::server_failure : Errc::refused));
    CHECK(client.resolve("web").error == (rcode == 2 ? Errc::server_failure : Errc::refused));
    CHECK(outside == 0);
  }
  // One that is silent for one family says enough with the other.
  DnsResponder half([](const Asked& asked) {
    if (asked.type != a) return Replies{};
    if (asked.name == "github.com") return Replies{Reply(asked).address("github.com", "192.0.2.1").bytes()};
    return Replies{Reply(asked, 3).bytes()};
  });
  signpost::Client client({.servers = {half.address()}, .timeout = 1h});
  CHECK(client.resolve("github.com"));
}

TEST_CASE("a server of the cluster alone refuses the outside: there is no such name") {
  DnsResponder server(
      [](const Asked& asked) { return Replies{Reply(asked, asked.name.ends_with("cluster.local") ? 3 : 5).bytes()}; });
  signpost::Client client({.servers = {server.address()}});
  CHECK(client.resolve("web.nosuch").error == Errc::not_found);
  CHECK(client.resolve("www.example.com").error == Errc::not_found);
  CHECK(client.resolve("www.example.com.").error == Errc::refused);
}

TEST_CASE("special names are answered and nobody is asked") {
  Cluster cluster;
  for (const auto* const name : {"localhost", "localhost.", "foo.localhost", "a.b.LocalHost"}) {
    const auto found = cluster.client.resolve({.name = name, .port = "80"});
    REQUIRE(found.endpoints.size() == 2);
    CHECK(found.endpoints[0].address.to_string() == "127.0.0.1");
    CHECK(found.endpoints[1].address.to_string() == "::1");
    CHECK(found.endpoints[1].port == 80);
  }
  CHECK(cluster.client.resolve({.name = "localhost", .family = signpost::Family::ipv6}).endpoints.size() == 1);
  CHECK(cluster.client.resolve({.name = "localhost", .port = "http"}).error == Errc::no_port);
  for (const auto* const name : {"invalid", "foo.invalid", "foo.onion.", "foo.test.", "a.b.c.d.onion"})
    CHECK(cluster.client.resolve(name).error == Errc::not_found);
  CHECK(cluster.server.queries() == 0);
  for (const auto* const name : {"foo.test", "foo.onion", "a.b.test"})
    CHECK(cluster.client.resolve(name).error == Errc::not_found);
  CHECK(cluster.outside().empty());
}

TEST_CASE("no service, no port and an alias that leads nowhere are told apart") {
  const std::string web = "web.default.svc.cluster.local";
  DnsResponder server([&](const Asked& asked) {
    if (asked.name == web && asked.type == a) return Replies{Reply(asked).address(web, "10.96.0.5").bytes()};
    if (asked.name == web) return Replies{Reply(asked).bytes()};
    if (asked.name.starts_with("ext."))
      return Replies{Reply(asked, 3).answer(asked.name, cname, 5, testing::wire_name("gone.example")).bytes()};
    if (asked.name.starts_with("evil."))
      return Replies{Reply(asked).answer(asked.name, cname, 5, testing::wire_name("x.onion")).bytes()};
    return Replies{Reply(asked, 3).bytes()};
  });
  signpost::Client client({.servers = {server.address()}, .name_space = "default", .cluster_domain = "cluster.local"});
  CHECK(client.resolve("nosuch").error == Errc::not_found);
  CHECK(client.resolve({.name = "nosuch", .port = "http"}).error == Errc::not_found);
  CHECK(client.resolve({.name = "web", .port = "http"}).error == Errc::no_port);
  CHECK(client.resolve("ext").error == Errc::dead_alias);
  CHECK(client.resolve("evil").error == Errc::dead_alias);
  CHECK(server.asked("x.onion", a) == 0);
  std::set<std::string> sentences;
  for (const auto code : {Errc::not_found, Errc::no_port, Errc::dead_alias, Errc::no_data})
    sentences.insert(make_error_code(code).message());
  CHECK(sentences.size() == 4);
}

TEST_CASE("aliases are followed to their end, or said to have none") {
  const std::string start = "c0.example";
  const auto link = [](int i) { return "c" + std::to_string(i) + ".example"; };
  // All links in one reply; each in a reply of its own; a circle over several replies.
  for (const int links : {1, 15, 16, 17, 40, 64, 65, 200}) {
    CAPTURE(links);
    DnsResponder whole([&](const Asked& asked) {
      Reply reply(asked);
      for (int i = links; i-- > 0;) reply.answer(link(i), cname, 60, testing::wire_name(link(i + 1)));
      if (asked.type == a) reply.address(link(links), "192.0.2.9");
      return Replies{reply.bytes()};
    });
    DnsResponder single([&](const Asked& asked) {
      const int at = std::stoi(asked.name.substr(1));
      Reply reply(asked);
      if (at < links) return Replies{reply.answer(asked.name, cname, 60, testing::wire_name(link(at + 1))).bytes()};
      if (asked.type == a) reply.address(asked.name, "192.0.2.9");
      return Replies{reply.bytes()};
    });
    for (auto* const server : {&whole, &single}) {
      signpost::Client client({.servers = {server->address()}, .timeout = 1h});
      const auto found = client.resolve(start + '.');
      CHECK(found.error == (links <= 64 ? std::error_code() : make_error_code(Errc::dead_alias)));
      if (found) CHECK(found.canonical == link(links));
    }
  }
  DnsResponder circle([&](const Asked& asked) {
    const int at = std::stoi(asked.name.substr(1));
    return Replies{Reply(asked).answer(asked.name, cname, 60, testing::wire_name(link((at + 1) % 5))).bytes()};
  });
  signpost::Client client({.servers = {circle.address()}, .timeout = 1h});
  CHECK(client.resolve(start + '.').error == Errc::dead_alias);
}

TEST_CASE("a stranger is not believed about the cluster's names") {
  const std::string web = "web.default.svc.cluster.local";
  DnsResponder server([&](const Asked& asked) {
    if (asked.name == web)
      return Replies{asked.type == a ? Reply(asked).address(web, "10.96.0.5").bytes() : Reply(asked).bytes()};
    const bool liar = asked.name == "liar.example";
    Reply reply(asked, liar ? 0 : 3);
    reply.answer(asked.name, cname, 60, testing::wire_name(web));
    if (liar) reply.address(web, "6.6.6.6");
    return Replies{reply.bytes()};
  });
  signpost::Client client({.servers = {server.address()}, .cluster_domain = "cluster.local"});
  for (const auto* const name : {"tocluster.example.", "liar.example."}) {
    const auto found = client.resolve({.name = name, .family = signpost::Family::ipv4});
    REQUIRE(found.endpoints.size() == 1);
    CHECK(found.endpoints[0].address.to_string() == "10.96.0.5");
  }
}
