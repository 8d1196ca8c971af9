#include <doctest/doctest.h>

#include <csignal>
#include <set>
#include <sys/wait.h>

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

constexpr unsigned a = 1, cname = 5, aaaa = 28, srv = 33;
const std::string web = "web.default.svc.cluster.local";

signpost::Client open(const std::vector<std::string>& servers, std::chrono::milliseconds timeout = 5s) {
  return signpost::Client(
      {.servers = servers, .name_space = "default", .cluster_domain = "cluster.local", .timeout = timeout});
}

Replies nothing_of(const Asked& asked) { return {Reply(asked).bytes()}; }

// web has both families, everything else does not exist.
Replies usual(const Asked& asked) {
  if (asked.name != web) return {Reply(asked, 3).bytes()};
  if (asked.type == a) return {Reply(asked).address(web, "10.96.0.5", 5).bytes()};
  if (asked.type == aaaa) return {Reply(asked).address(web, "fd00::5", 7).bytes()};
  return nothing_of(asked);
}

std::vector<std::string> addresses(const signpost::Result& result) {
  std::vector<std::string> out;
  for (const auto& e : result.endpoints) out.push_back(e.address.to_string() + ' ' + std::to_string(e.port));
  return out;
}

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("a bare name has the addresses of both families") {
  DnsResponder server(usual);
  auto client = open({server.address()});
  const auto found = client.resolve("web");
  REQUIRE(found);
  CHECK(addresses(found) == Texts{"10.96.0.5 0", "fd00::5 0"});
  CHECK(found.endpoints[0].ttl == 5s);
  CHECK(found.endpoints[1].ttl == 7s);
  CHECK(found.endpoints[0].target == web);
  CHECK(found.name == web);
  CHECK(found.canonical == web);
  CHECK_FALSE(found.partial);
  CHECK(server.queries() == 2); // no search list: one packet for each family
}

TEST_CASE("the family and a number of a port are honoured") {
  DnsResponder server(usual);
  auto client = open({server.address()});
  CHECK(addresses(client.resolve({.name = "web", .port = "80", .family = signpost::Family::ipv4})) ==
        Texts{"10.96.0.5 80"});
  CHECK(server.asked(web, aaaa) == 0);
  CHECK(addresses(client.resolve({.name = "web", .family = signpost::Family::ipv6})) == Texts{"fd00::5 0"});
}

TEST_CASE("an address stands for itself and nobody is asked") {
  DnsResponder server(usual);
  auto client = open({server.address()});
  CHECK(addresses(client.resolve({.name = "10.1.2.3", .port = "80"})) == Texts{"10.1.2.3 80"});
  CHECK(addresses(client.resolve("fd00::9")) == Texts{"fd00::9 0"});
  CHECK(server.queries() == 0);
}

TEST_CASE("answers that say no") {
  struct Case {
    const char* what;
    unsigned a_rcode, aaaa_rcode;
    Errc expected;
  };
  for (const Case& c : {Case{"no such name", 3, 3, Errc::not_found}, Case{"no addresses", 0, 0, Errc::no_data},
                        Case{"one family says that there is no such name", 0, 3, Errc::not_found},
                        Case{"failing", 2, 2, Errc::server_failure}, Case{"refusing", 5, 5, Errc::refused},
                        Case{"no address and a failure", 0, 2, Errc::server_failure}}) {
    CAPTURE(c.what);
    DnsResponder server(
        [&](const Asked& asked) { return Replies{Reply(asked, asked.type == a ? c.a_rcode : c.aaaa_rcode).bytes()}; });
    auto client = open({server.address()});
    const auto found = client.resolve("web");
    CHECK(found.error == c.expected);
    CHECK(found.endpoints.empty());
    CHECK_FALSE(found.error.message().empty());
  }
}

TEST_CASE("one family that fails does not take the other with it") {
  for (const unsigned rcode : {1u, 2u, 3u, 4u, 5u}) {
    CAPTURE(rcode);
    DnsResponder server(
        [&](const Asked& asked) { return asked.type == aaaa ? Replies{Reply(asked, rcode).bytes()} : usual(asked); });
    auto client = open({server.address()});
    CHECK(addresses(client.resolve("web")) == Texts{"10.96.0.5 0"});
  }
}

TEST_CASE("a family that never answers is not waited for") {
  for (const unsigned silent : {a, aaaa}) {
    DnsResponder server([&](const Asked& asked) { return asked.type == silent ? Replies{} : usual(asked); });
    auto client = open({server.address()}, 1h);
    const auto found = client.resolve("web");
    CHECK(addresses(found) == (silent == a ? Texts{"fd00::5 0"} : Texts{"10.96.0.5 0"}));
    CHECK(found.partial);
  }
}

TEST_CASE("a lost packet is sent again, from another port") {
  std::mutex mutex;
  std::set<std::uint16_t> ports;
  DnsResponder server([&](const Asked& asked) {
    const std::scoped_lock lock(mutex);
    ports.insert(asked.port);
    return asked.times == 1 ? Replies{} : usual(asked);
  });
  auto client = open({server.address()}, 1h);
  const auto found = client.resolve({.name = "web", .family = signpost::Family::ipv4});
  CHECK(addresses(found) == Texts{"10.96.0.5 0"});
  CHECK(server.asked(web, a) >= 2);
  const std::scoped_lock lock(mutex); // the responder may be at a late packet still
  CHECK(ports.size() >= 2);
}

TEST_CASE("a failure is asked about once more") {
  DnsResponder server(
      [&](const Asked& asked) { return asked.times == 1 ? Replies{Reply(asked, 2).bytes()} : usual(asked); });
  auto client = open({server.address()});
  CHECK(client.resolve("web"));
}

TEST_CASE("silence ends as a time-out") {
  DnsResponder server([](const Asked&) { return Replies{}; });
  auto client = open({server.address()});
  CHECK(client.resolve({.name = "web", .timeout = 300ms}).error == Errc::timed_out);
}

TEST_CASE("a port where nothing listens is unreachable, and the next server is asked") {
  std::string closed;
  {
    DnsResponder gone(usual);
    closed = gone.address();
  }
  auto alone = open({closed});
  CHECK(alone.resolve("web").error == Errc::unreachable);
  DnsResponder server(usual);
  auto client = open({closed, server.address()});
  CHECK(addresses(client.resolve("web")).size() == 2);
}

TEST_CASE("a server that refuses passes the question on") {
  DnsResponder first([](const Asked& asked) { return Replies{Reply(asked, 5).bytes()}; });
  DnsResponder second(usual);
  auto client = open({first.address(), second.address()});
  CHECK(client.resolve("web"));
}

TEST_CASE("a truncated reply is fetched over TCP") {
  DnsResponder server([](const Asked& asked) {
    if (!asked.tcp) return Replies{Reply(asked).truncated().bytes()};
    Reply reply(asked);
    for (int i = 0; asked.type == a && i < 200; ++i) reply.address(web, ("10.0.0." + std::to_string(i)).c_str());
    return Replies{reply.bytes()};
  });
  auto client = open({server.address()}, 1h);
  CHECK(client.resolve({.name = "web", .family = signpost::Family::ipv4}).endpoints.size() == 200);
}

TEST_CASE("1232 octets come over UDP") {
  DnsResponder server([](const Asked& asked) {
    if (asked.tcp) return Replies{};
    Reply reply(asked);
    for (int i = 0; i < 50; ++i) reply.address(web, ("10.0.0." + std::to_string(i)).c_str());
    auto bytes = reply.bytes();
    CHECK(bytes.size() > 512);
    return Replies{bytes};
  });
  auto client = open({server.address()});
  CHECK(client.resolve({.name = "web", .family = signpost::Family::ipv4}).endpoints.size() == 50);
}

TEST_CASE("what does not belong to the question is not believed") {
  DnsResponder server([](const Asked& asked) {
    auto wrong_id = Reply(asked).address(web, "6.6.6.6").bytes();
    wrong_id[1] ^= 0xff;
    Asked other = asked;
    other.name = "evil.default.svc.cluster.local";
    auto out = Replies{Octets{}, Octets{1, 2, 3}, wrong_id, Reply(other).address(web, "6.6.6.6").bytes()};
    auto right = Reply(asked);
    right.address("other.default.svc.cluster.local", "6.6.6.6"); // an owner nobody asked for
    if (asked.type == a) right.address(web, "10.96.0.5");
    out.push_back(right.bytes());
    return out;
  });
  auto client = open({server.address()});
  CHECK(addresses(client.resolve("web")) == Texts{"10.96.0.5 0"});
}

TEST_CASE("a reply that is cut off is a bad reply") {
  DnsResponder server([](const Asked& asked) {
    auto bytes = Reply(asked).address(web, "10.96.0.5").bytes();
    bytes.resize(bytes.size() - 3);
    return Replies{bytes};
  });
  auto client = open({server.address()});
  CHECK(client.resolve("web").error == Errc::bad_reply);
}

TEST_CASE("a named port is asked for as SRV, addresses come with it") {
  const std::string name = "_http._tcp." + web;
  DnsResponder server([&](const Asked& asked) {
    if (asked.name != name || asked.type != srv) return Replies{Reply(asked, 3).bytes()};
    return Replies{Reply(asked)
                       .answer(name, srv, 5, testing::srv_data(10, 1, 81, "second." + web))
                       .answer(name, srv, 5, testing::srv_data(0, 50, 80, web))
                       .additional(web, a, 3, testing::address_data("10.96.0.5"))
                       .additional(web, aaaa, 5, testing::address_data("fd00::5"))
                       .additional("second." + web, a, 5, testing::address_data("10.96.0.6"))
                       .bytes()};
  });
  auto client = open({server.address()});
  for (const auto& query :
       {signpost::Query{.name = "web", .port = "http"}, signpost::Query{.name = "_http._tcp.web"}}) {
    const auto found = client.resolve(query);
    CHECK(addresses(found) == Texts{"10.96.0.5 80", "fd00::5 80", "10.96.0.6 81"});
    CHECK(found.name == name);
    REQUIRE(found.endpoints.size() == 3);
    CHECK(found.endpoints[0].ttl == 3s);
    CHECK(found.endpoints[0].weight == 50);
    CHECK(found.endpoints[2].priority == 10);
  }
  CHECK(server.queries() == 2);
  CHECK(client.resolve({.name = "web", .port = "nosuch"}).error == Errc::not_found);
}

TEST_CASE("SRV targets without addresses in the reply are looked up") {
  DnsResponder server([&](const Asked& asked) {
    if (asked.type == srv)
      return Replies{Reply(asked).answer(asked.name, srv, 4, testing::srv_data(0, 0, 80, web)).bytes()};
    return usual(asked);
  });
  auto client = open({server.address()});
  const auto found = client.resolve({.name = "web", .port = "http"});
  CHECK(addresses(found) == Texts{"10.96.0.5 80", "fd00::5 80"});
  CHECK(found.endpoints.at(0).ttl == 4s);
}

TEST_CASE("SRV with the root as target means that there is no such service") {
  DnsResponder server([&](const Asked& asked) {
    return Replies{Reply(asked).answer(asked.name, srv, 4, testing::srv_data(0, 0, 0, "")).bytes()};
  });
  auto client = open({server.address()});
  CHECK(client.resolve({.name = "web", .port = "http"}).error == Errc::no_data);
}

TEST_CASE("aliases are followed within a reply") {
  DnsResponder server([&](const Asked& asked) {
    Reply reply(asked);
    reply.answer(web, cname, 2, testing::wire_name("docs.example.com"));
    if (asked.type == a) reply.address("docs.example.com", "192.0.2.1", 60);
    return Replies{reply.bytes()};
  });
  auto client = open({server.address()});
  const auto found = client.resolve("web");
  CHECK(addresses(found) == Texts{"192.0.2.1 0"});
  CHECK(found.canonical == "docs.example.com");
  CHECK(found.endpoints.at(0).ttl == 2s);
}

TEST_CASE("aliases that go in a circle end") {
  DnsResponder server([&](const Asked& asked) {
    return Replies{Reply(asked)
                       .answer(web, cname, 2, testing::wire_name("b.x"))
                       .answer("b.x", cname, 2, testing::wire_name(web))
                       .bytes()};
  });
  auto client = open({server.address()});
  CHECK(client.resolve("web").error == Errc::dead_alias);
}

TEST_CASE("names that cannot be, and options that make no sense") {
  auto client = open({"127.0.0.1:9"});
  for (const auto* const name : {"", ".", "a..b", "two words", "_http.web", "*.web"})
    CHECK(client.resolve(name).error == Errc::bad_name);
  CHECK(client.resolve({.name = "web", .port = "a.b"}).error == Errc::bad_name);
  CHECK(client.resolve({.name = "web", .port = "99999"}).error == Errc::bad_name);

  signpost::Client broken({.servers = {"not-an-address"}});
  CHECK(broken.error() == Errc::bad_options);
  CHECK(broken.options_error().find("not-an-address") != std::string::npos);
  CHECK(broken.resolve("web").error == Errc::bad_options);
}

TEST_CASE("a cancelled lookup says so, once, and others go on") {
  DnsResponder server([](const Asked& asked) { return asked.name == web ? usual(asked) : Replies{}; });
  auto client = open({server.address()}, 1h);
  std::promise<signpost::Result> promise;
  auto future = promise.get_future();
  auto request = client.resolve_async({.name = "silent"}, [&](signpost::Result r) { promise.set_value(std::move(r)); });
  CHECK(request.cancel());
  CHECK(future.get().error == Errc::cancelled);
  CHECK_FALSE(request.cancel());
  CHECK(client.resolve("web"));
}

TEST_CASE("destroying a client cancels what is under way") {
  DnsResponder server([](const Asked&) { return Replies{}; });
  std::vector<std::future<signpost::Result>> futures;
  {
    auto client = open({server.address()}, 1h);
    for (int i = 0; i < 600; ++i) futures.push_back(client.resolve_future({.name = "web"}));
  }
  for (auto& future : futures) CHECK(future.get().error == Errc::cancelled);
}

TEST_CASE("more lookups than may run at once wait in line") {
  DnsResponder server(usual);
  auto client = open({server.address()}, 1h);
  std::vector<std::future<signpost::Result>> futures;
  for (int i = 0; i < 600; ++i)
    futures.push_back(client.resolve_future({.name = "web", .family = signpost::Family::ipv4}));
  for (auto& future : futures) CHECK(future.get());
}

TEST_CASE("a callback may look up, cancel and destroy, but not block") {
  DnsResponder server(usual);
  std::promise<std::error_code> inner;
  std::promise<signpost::Result> second;
  auto client = std::make_unique<signpost::Client>(
      signpost::Options{.servers = {server.address()}, .name_space = "default", .cluster_domain = "cluster.local"});
  client->resolve_async({.name = "web"}, [&](const signpost::Result&) {
    inner.set_value(client->resolve("web").error);
    client->resolve_async({.name = "web"}, [&](signpost::Result r) {
      client.reset(); // from its own thread
      second.set_value(std::move(r));
    });
  });
  CHECK(inner.get_future().get() == Errc::in_callback);
  CHECK(second.get_future().get());
}

TEST_CASE("many threads share one client") {
  DnsResponder server(usual);
  auto client = open({server.address()});
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        if (t % 2 == 0) {
          if (client.resolve("web").endpoints.size() == 2) ++right;
        } else {
          std::promise<signpost::Result> promise;
          auto request =
              client.resolve_async({.name = "web"}, [&](signpost::Result r) { promise.set_value(std::move(r)); });
          if (i % 3 == 0) request.cancel();
          const auto result = promise.get_future().get();
          if (result || result.error == Errc::cancelled) ++right;
        }
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(right == 200);
}

#if !defined(__SANITIZE_THREAD__)
TEST_CASE("after fork the child's copy is dead, and says so") {
  DnsResponder server(usual);
  auto client = open({server.address()});
  REQUIRE(client.resolve("web"));
  const pid_t child = fork();
  if (child == 0) {
    bool good = client.resolve("web").error == Errc::forked;
    std::error_code later;
    client.resolve_async({.name = "web"}, [&](const signpost::Result& r) { later = r.error; });
    good = good && later == Errc::forked;
    {
      auto closing = std::move(client); // must not wait for a thread that is not there
    }
    _exit(good ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(client.resolve("web"));
}
#endif
