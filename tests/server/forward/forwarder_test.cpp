#include "server/forward/forwarder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "tests/server/forward/forwarder_fixture.hpp"

using namespace signpost;
using namespace signpost::testing;
using namespace std::chrono_literals;
using server::ForwardCounters;
using server::Forwarder;
using server::ForwarderSettings;
using wire::load16;
using wire::load32;
using wire::Transport;

using Tcp = ScriptedUpstream::Tcp;

namespace {

std::uint16_t dead_port() { return Socket(SOCK_DGRAM).port(); }

/// A forged response that is right but for what `forge` does to it, and says 203.0.113.66.
Octets forged(const Asked& asked, const std::function<void(Octets&)>& forge) {
  Octets octets = asked.reply().answer(pointer(12), 1, 300, ipv4(203, 0, 113, 66)).octets();
  forge(octets);
  return octets;
}

} // namespace

TEST_CASE("a question is asked once, answered to its client and then from the cache") {
  ScriptedUpstream upstream(one_address);
  Running running(to({upstream.endpoint()}));
  Client client(running.forwarder);

  const Octets mixed = name("wWw.Example.COM");
  const Octets first = client.ask(query(77, mixed, 1, true));
  REQUIRE(first.size() > 12);
  CHECK(id_of(first) == 77);
  CHECK(flags_of(first) == udp_answer);
  CHECK(answers_of(first) == 1);
  CHECK(std::equal(mixed.begin(), mixed.end(), first.begin() + 12));
  CHECK(load16(&first[10]) == 1); // our OPT

  const auto again = client.hand_in(query(78, www, 1, false, 0x0000));
  REQUIRE(again); // at once
  CHECK(id_of(*again) == 78);
  CHECK(flags_of(*again) == 0x8080); // RD as it was
  CHECK(answers_of(*again) == 1);
  CHECK(load16(&(*again)[10]) == 0);
  CHECK(Octets(again->end() - 4, again->end()) == address);

  const auto asked = upstream.asked();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].edns());
  CHECK(asked[0].lower_qname() == www);
  CHECK(load16(&asked[0].query[2]) == 0x0120); // RD AD
  const ForwardCounters counters = running.forwarder.counters();
  CHECK(counters.cache_hits == 1);
  CHECK(counters.cache_misses == 1);
  CHECK(counters.tries == 1);
  CHECK(counters.cache_entries == 1);
}

TEST_CASE("DO and CD are asked and kept apart") {
  ScriptedUpstream upstream(one_address);
  Running running(to({upstream.endpoint()}));
  Client client(running.forwarder);
  CHECK(rcode_of(client.ask(query(1, www, 1, true, 0x0100, true))) == 0);
  CHECK(rcode_of(client.ask(query(2, www, 1, true, 0x0110, true))) == 0);
  CHECK(rcode_of(client.ask(query(3, www, 1, true, 0x0110, true))) == 0);
  CHECK(rcode_of(client.ask(query(4, www))) == 0);
  const auto asked = upstream.asked();
  REQUIRE(asked.size() == 3);
  CHECK(load16(&asked[0].query[asked[0].query.size() - 4]) == 0x8000);
  CHECK(load16(&asked[1].query[2]) == 0x0130);
  CHECK(load16(&asked[2].query[asked[2].query.size() - 4]) == 0);
}

TEST_CASE("what is no question for an upstream is answered without one") {
  ScriptedUpstream upstream(one_address);
  ForwarderSettings settings = to({upstream.endpoint()});
  settings.origins = {"cluster.local"};
  settings.routes[0].forward.except = {"corp.example"};
  Running running(std::move(settings));
  Client client(running.forwarder);
  struct Row {
    const char* what;
    Octets query;
    int rcode;
  };
  Message chaos(1, 0x0100);
  chaos.question(name("version.bind"), 16, 3);
  const Row rows[] = {
      {"our own zone", query(1, name("x.cluster.local")), 5},
      {"an excepted name", query(1, name("a.corp.example")), 5},
      {"class CH", chaos.octets(), 5},
      {"ANY of an excepted name", query(1, name("a.corp.example"), 255), 5},
      {"AXFR", query(1, www, 252), 4},
      {"MAILB", query(1, www, 253), 4},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const auto reply = client.hand_in(row.query);
    REQUIRE(reply);
    CHECK(rcode_of(*reply) == row.rcode);
    CHECK((flags_of(*reply) & 0x8080) == 0x8080);
  }
  CHECK(upstream.asked().empty());
}

TEST_CASE("ANY gets one HINFO record, and no upstream is asked") {
  ScriptedUpstream upstream(
      [](const Asked& a) { return Replies{a.reply().answer(pointer(12), 1, 0, ipv4(1, 1, 1, 1)).octets()}; });
  Running running(to({upstream.endpoint()}));
  Client client(running.forwarder);
  const auto reply = client.hand_in(query(1, www, 255));
  REQUIRE(reply);
  CHECK(rcode_of(*reply) == 0);
  CHECK((flags_of(*reply) & 0x8680) == 0x8080);
  const Octets record{0xc0, 12, 0, 13, 0, 1, 0, 0, 0x21, 0x22, 0, 9, 7, 'R', 'F', 'C', '8', '4', '8', '2', 0};
  CHECK(std::search(reply->begin(), reply->end(), record.begin(), record.end()) != reply->end());
  CHECK((*reply)[7] == 1);
  CHECK(reply->size() < 80);
  CHECK(upstream.asked().empty());
}

TEST_CASE("the longest zone decides, and an excepted name goes to the next") {
  ScriptedUpstream outer(
      [](const Asked& a) { return Replies{a.reply().answer(pointer(12), 1, 0, ipv4(1, 1, 1, 1)).octets()}; });
  ScriptedUpstream inner(
      [](const Asked& a) { return Replies{a.reply().answer(pointer(12), 1, 0, ipv4(2, 2, 2, 2)).octets()}; });
  ForwarderSettings settings = to({outer.endpoint()});
  settings.routes[0].zones = {"com", "org"};
  settings.routes.push_back(to({inner.endpoint()}).routes[0]);
  settings.routes[1].forward.from = "example.com";
  settings.routes[1].forward.except = {"not.example.com"};
  Running running(std::move(settings));
  Client client(running.forwarder);
  struct Row {
    const char* name;
    int who;
  };
  for (const Row& row : {Row{"a.com", 1}, Row{"com", 1}, Row{"x.org", 1}, Row{"example.com", 2},
                         Row{"a.example.com", 2}, Row{"x.not.example.com", 1}, Row{"notexample.com", 1}}) {
    CAPTURE(row.name);
    const Octets reply = client.ask(query(9, name(row.name)));
    REQUIRE(rcode_of(reply) == 0);
    CHECK(reply.back() == row.who);
  }
  CHECK(rcode_of(client.ask(query(9, name("a.net")))) == 5);
}

TEST_CASE("forged and broken responses are ignored and the right one is taken") {
  struct Forgery {
    std::string what;
    std::function<void(Octets&)> forge;
    bool ours = false; // it has our id and our question: final, unless TCP says better
  };
  const Forgery forgeries[] = {
      {"wrong id", [](Octets& o) { o[1] ^= 1; }},
      {"wrong name", [](Octets& o) { o[13] ^= 1; }},
      {"wrong type", [](Octets& o) { o[12 + www.size() + 1] ^= 1; }},
      {"a query", [](Octets& o) { o[2] &= 0x7f; }},
      {"cut", [](Octets& o) { o.resize(o.size() - 2); }, true},
      {"a header", [](Octets& o) { o.resize(12); }},
      {"nothing", [](Octets& o) { o.clear(); }},
      {"one octet", [](Octets& o) { o.resize(1); }},
      {"a CNAME loop", [](Octets& o) { o[12 + www.size() + 4 + 3] = 5; }, true},
  };
  for (const auto over_tcp : {Tcp::refuses, Tcp::answers}) {
    for (const auto& [what, forge, ours] : forgeries) {
      if (ours && over_tcp == Tcp::refuses) continue; // whether the right one is there in time is a matter of luck
      CAPTURE(what);
      CAPTURE(over_tcp == Tcp::answers);
      ScriptedUpstream upstream(
          [&](const Asked& asked) {
            std::vector<Octets> replies = one_address(asked);
            if (!asked.tcp) replies.insert(replies.begin(), 5, forged(asked, forge));
            return replies;
          },
          over_tcp);
      Running running(to({upstream.endpoint()}));
      Client client(running.forwarder);
      const Octets reply = client.ask(query(5, www));
      REQUIRE(rcode_of(reply) == 0);
      CHECK(Octets(reply.end() - 4, reply.end()) == address);
      CHECK(running.forwarder.counters().mismatches >= 3);
      CHECK(running.forwarder.counters().tcp == 1); // suspicion was followed
    }
  }
}

TEST_CASE("a response from another port is not even seen") {
  Socket stranger(SOCK_DGRAM);
  std::atomic<int> sent{0};
  ScriptedUpstream upstream([&](const Asked& asked) {
    const Octets forgery = forged(asked, [](Octets&) {});
    for (int i = 0; i < 3; ++i)
      sent += ::sendto(stranger.fd(), forgery.data(), forgery.size(), 0, reinterpret_cast<const sockaddr*>(&asked.from),
                       sizeof asked.from) > 0;
    return one_address(asked);
  });
  Running running(to({upstream.endpoint()}));
  Client client(running.forwarder);
  const Octets reply = client.ask(query(5, www));
  CHECK(sent > 0);
  REQUIRE(rcode_of(reply) == 0);
  CHECK(Octets(reply.end() - 4, reply.end()) == address);
  CHECK(running.forwarder.counters().mismatches == 0);
}

TEST_CASE("every try has a source port and an id of its own") {
  ScriptedUpstream upstream(one_address);
  Running running(to({upstream.endpoint()}, false));
  Client client(running.forwarder);
  for (int i = 0; i < 32; ++i) REQUIRE(rcode_of(client.ask(query(5, www))) == 0);
  std::set<std::uint16_t> ports, ids;
  for (const Asked& asked : upstream.asked()) {
    ports.insert(asked.from.sin_port);
    ids.insert(asked.id());
  }
  CHECK(ports.size() > 24);
  CHECK(ids.size() > 24);
}

TEST_CASE("letters are drawn at random, and must come back") {
  SUBCASE("an upstream that copies the question") {
    ScriptedUpstream upstream(one_address);
    ForwarderSettings settings = to({upstream.endpoint()}, false);
    Running running(std::move(settings));
    Client client(running.forwarder);
    std::set<Octets> seen;
    for (int i = 0; i < 8; ++i) {
      const Octets reply = client.ask(query(5, www));
      CHECK(rcode_of(reply) == 0);
      CHECK(std::equal(www.begin(), www.end(), reply.begin() + 12));
    }
    for (const Asked& asked : upstream.asked()) seen.insert(asked.qname());
    CHECK(seen.size() > 4);
    CHECK(running.forwarder.counters().tcp == 0);
  }
  SUBCASE("an upstream that folds case is asked over TCP once and in lower case from then on") {
    ScriptedUpstream upstream([](const Asked& asked) {
      return Replies{Message(asked.id()).question(www, 1).answer(pointer(12), 1, 300, address).octets()};
    });
    ForwarderSettings settings = to({upstream.endpoint()}, false);
    Running running(std::move(settings));
    Client client(running.forwarder);
    for (int i = 0; i < 4; ++i) CHECK(rcode_of(client.ask(query(5, www))) == 0);
    CHECK(running.forwarder.counters().tcp <= 1);
    CHECK(upstream.asked().back().qname() == www);
  }
  SUBCASE("the same without TCP") {
    ScriptedUpstream upstream(
        [](const Asked& asked) {
          return Replies{Message(asked.id()).question(www, 1).answer(pointer(12), 1, 300, address).octets()};
        },
        Tcp::refuses);
    ForwarderSettings settings = impatient(to({upstream.endpoint()}, false));
    Running running(std::move(settings));
    Client client(running.forwarder);
    for (int i = 0; i < 4; ++i) CHECK(rcode_of(client.ask(query(5, www))) == 0);
  }
}

TEST_CASE("a truncated answer is asked again over TCP, and cut for the client as it needs") {
  ScriptedUpstream upstream([](const Asked& asked) {
    if (!asked.tcp) return Replies{Message(asked.id(), 0x8380).question(asked.qname(), asked.type()).octets()};
    Message message = asked.reply();
    for (int i = 0; i < 200; ++i) message.answer(pointer(12), 1, 300, ipv4(10, 0, 0, i));
    return Replies{message.octets()};
  });
  Running running(to({upstream.endpoint()}));
  Client client(running.forwarder);
  struct Row {
    bool edns;
    Transport transport;
    std::size_t limit;
    std::uint16_t answers;
  };
  for (const Row& row : {Row{false, Transport::udp, 512, 29}, Row{true, Transport::udp, 1232, 74},
                         Row{false, Transport::tcp, 65535, 200}, Row{true, Transport::udp, 1232, 74}}) {
    const Octets reply = client.ask(query(5, www, 1, row.edns), row.transport);
    REQUIRE(rcode_of(reply) == 0);
    CHECK(reply.size() <= row.limit);
    CHECK(answers_of(reply) == row.answers);
    CHECK(((flags_of(reply) & 0x0200) != 0) == (row.answers < 200));
  }
  CHECK(upstream.asked().size() == 2);
}

TEST_CASE("force_tcp never sends a datagram") {
  ScriptedUpstream upstream(one_address);
  ForwarderSettings settings = to({upstream.endpoint()});
  settings.routes[0].forward.force_tcp = true;
  Running running(std::move(settings));
  Client client(running.forwarder);
  CHECK(rcode_of(client.ask(query(5, www))) == 0);
  const auto asked = upstream.asked();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].tcp);
}

TEST_CASE("an upstream that fails is followed by the next") {
  ScriptedUpstream silent([](const Asked&) { return std::vector<Octets>{}; });
  ScriptedUpstream upstream(one_address);
  SUBCASE("silent") {
    Running running(impatient(to({silent.endpoint(), upstream.endpoint()}, false)));
    Client client(running.forwarder);
    for (int i = 0; i < 3; ++i) CHECK(rcode_of(client.ask(query(5, www))) == 0);
    CHECK(running.forwarder.counters().timeouts >= 1);
  }
  SUBCASE("dead port") {
    Running running(to({loopback(dead_port()), upstream.endpoint()}, false));
    Client client(running.forwarder);
    for (int i = 0; i < 3; ++i) CHECK(rcode_of(client.ask(query(5, www))) == 0);
    CHECK(running.forwarder.counters().tries > 3);
    CHECK(running.forwarder.counters().timeouts == 0);
  }
}

TEST_CASE("SERVFAIL and REFUSED of one upstream are asked of the next") {
  ScriptedUpstream failing(
      [](const Asked& asked) { return Replies{asked.reply(asked.number % 2 == 0 ? 2 : 5).octets()}; });
  ScriptedUpstream upstream(one_address);
  Running running(to({failing.endpoint(), upstream.endpoint()}, false));
  Client client(running.forwarder);
  for (int i = 0; i < 2; ++i) CHECK(rcode_of(client.ask(query(5, www))) == 0);
  CHECK(failing.asked().size() == 2);
}

TEST_CASE("when no upstream has an answer the client hears why, and the next one hears it from the cache") {
  SUBCASE("nobody answers") {
    ScriptedUpstream silent([](const Asked&) { return std::vector<Octets>{}; });
    ForwarderSettings settings = hopeless(to({silent.endpoint()}));
    std::atomic<int> lines{0};
    settings.log = [&](std::string_view line) {
      CHECK(line.find("www.example.com") != std::string_view::npos);
      ++lines;
    };
    Running running(std::move(settings));
    Client client(running.forwarder);
    const Octets reply = client.ask(query(5, www, 1, true));
    CHECK(rcode_of(reply) == 2);
    CHECK(extended_error(reply) == 22);
    CHECK(eventually([&] { return silent.asked().size() == 3; }));
    CHECK(lines == 1);
    CHECK(running.forwarder.counters().failures == 1);
  }
  SUBCASE("nobody is there") {
    Running running(to({loopback(dead_port())}));
    Client client(running.forwarder);
    const Octets reply = client.ask(query(5, www, 1, true));
    CHECK(rcode_of(reply) == 2);
    CHECK(extended_error(reply) == 23);
    CHECK(client.ask(query(5, name("other.example.com"))).size() == 12 + name("other.example.com").size() + 4);
  }
  SUBCASE("the upstream says SERVFAIL: kept, but not for every question") {
    ScriptedUpstream failing([](const Asked& asked) { return Replies{asked.reply(2).octets()}; });
    Running running(to({failing.endpoint()}));
    Client client(running.forwarder);
    CHECK(rcode_of(client.ask(query(5, www, 1, true))) == 2);
    const auto cached = client.hand_in(query(6, www, 1, true));
    REQUIRE(cached);
    CHECK(rcode_of(*cached) == 2);
    CHECK_FALSE(client.hand_in(query(6, www, 28)));
    CHECK(rcode_of(client.receive()) == 2);
    CHECK(failing.asked().size() == 2);
  }
  SUBCASE("the upstream refuses: passed on, not kept") {
    ScriptedUpstream refusing([](const Asked& asked) { return Replies{asked.reply(5).octets()}; });
    Running running(to({refusing.endpoint()}));
    Client client(running.forwarder);
    CHECK(rcode_of(client.ask(query(5, www))) == 5);
    CHECK_FALSE(client.hand_in(query(6, www)));
    CHECK(rcode_of(client.receive()) == 5);
  }
}

TEST_CASE("an upstream from before EDNS is asked without") {
  ScriptedUpstream old([](const Asked& asked) {
    if (asked.edns()) return Replies{Message(asked.id(), 0x8181).octets()};
    return one_address(asked);
  });
  Running running(to({old.endpoint()}, false));
  Client client(running.forwarder);
  for (int i = 0; i < 3; ++i) CHECK(rcode_of(client.ask(query(5, www))) == 0);
  CHECK(old.asked().size() == 4);
}

TEST_CASE("denials are kept as long as their SOA says, TTL 0 not at all") {
  ScriptedUpstream upstream([](const Asked& asked) {
    if (asked.lower_qname() == name("zero.example.com"))
      return Replies{asked.reply().answer(pointer(12), 1, 0, address).octets()};
    if (asked.lower_qname() == name("bare.example.com")) return Replies{asked.reply(3).octets()};
    return Replies{asked.reply(3).authority(name("example.com"), 6, 900, soa(30)).octets()};
  });
  Running running(to({upstream.endpoint()}));
  Client client(running.forwarder);
  struct Row {
    const char* name;
    int rcode;
    bool kept;
  };
  for (const Row& row :
       {Row{"none.example.com", 3, true}, Row{"zero.example.com", 0, false}, Row{"bare.example.com", 3, false}}) {
    CAPTURE(row.name);
    CHECK(rcode_of(client.ask(query(5, name(row.name)))) == row.rcode);
    const auto at_once = client.hand_in(query(6, name(row.name)));
    CHECK(at_once.has_value() == row.kept);
    const Octets second = at_once ? *at_once : client.receive();
    CHECK(rcode_of(second) == row.rcode);
    if (row.rcode == 3 && row.kept) {
      const std::size_t soa_ttl = 12 + name(row.name).size() + 4 + 2 + 4;
      CHECK(load32(&second[soa_ttl]) <= 30);
      CHECK(load32(&second[soa_ttl]) > 0);
    }
    if (row.rcode == 0) CHECK(load32(&second[second.size() - 10]) == 0);
  }
}

TEST_CASE("equal questions are asked once") {
  std::promise<void> go;
  auto gone = go.get_future().share();
  ScriptedUpstream upstream([&](const Asked& asked) {
    gone.wait();
    return one_address(asked);
  });
  ForwarderSettings settings = to({upstream.endpoint()}, false);
  Running running(std::move(settings));
  Client client(running.forwarder);
  for (std::uint16_t i = 0; i < 50; ++i)
    CHECK_FALSE(client.hand_in(query(i, i % 2 == 0 ? www : name("WWW.EXAMPLE.COM"))));
  CHECK(eventually([&] { return running.forwarder.counters().joined == 49; }));
  go.set_value();
  std::set<std::uint16_t> ids;
  for (int i = 0; i < 50; ++i) {
    const Octets reply = client.receive();
    REQUIRE(rcode_of(reply) == 0);
    ids.insert(id_of(reply));
  }
  CHECK(ids.size() == 50);
  CHECK(upstream.asked().size() == 1);
}

TEST_CASE("over max_concurrent is REFUSED, a full house is SERVFAIL") {
  ScriptedUpstream silent([](const Asked&) { return std::vector<Octets>{}; });
  ForwarderSettings settings = to({silent.endpoint()});
  settings.drain = 0ms;
  int expected = 5;
  SUBCASE("max_concurrent") { settings.routes[0].forward.max_concurrent = 2; }
  SUBCASE("flights") {
    settings.max_in_flight = 2;
    expected = 2;
  }
  Running running(std::move(settings));
  Client client(running.forwarder);
  CHECK_FALSE(client.hand_in(query(1, name("a.example"))));
  CHECK_FALSE(client.hand_in(query(2, name("b.example"))));
  CHECK_FALSE(client.hand_in(query(3, name("c.example"))));
  const Octets reply = client.receive();
  CHECK(id_of(reply) == 3);
  CHECK(rcode_of(reply) == expected);
}

TEST_CASE("a queue that is full answers SERVFAIL at once") {
  std::promise<void> go;
  auto gone = go.get_future().share();
  ScriptedUpstream upstream(one_address);
  ForwarderSettings settings = to({loopback(dead_port())});
  settings.queue = 4;
  std::atomic<bool> stuck{false};
  settings.log = [&](std::string_view) { // holds the forwarding thread
    stuck = true;
    gone.wait();
  };
  Running running(std::move(settings));
  Client client(running.forwarder);
  CHECK_FALSE(client.hand_in(query(1, name("a.example"))));
  REQUIRE(eventually([&] { return stuck.load(); }));
  std::size_t refused = 0;
  for (std::uint16_t i = 0; i < 10; ++i) {
    const auto reply = client.hand_in(query(i, name("n" + std::to_string(i))));
    if (!reply) continue;
    CHECK(rcode_of(*reply) == 2);
    ++refused;
  }
  CHECK(refused == 6);
  CHECK(running.forwarder.counters().overflows == 6);
  go.set_value();
  running.forwarder.stop(); // answers who waits, before the client goes
}

TEST_CASE("stop answers who waits, over both transports, and takes nothing more") {
  ScriptedUpstream silent([](const Asked&) { return std::vector<Octets>{}; });
  ForwarderSettings settings = to({silent.endpoint()});
  settings.drain = 50ms;
  Running running(std::move(settings));
  Client client(running.forwarder);
  CHECK_FALSE(client.hand_in(query(1, www)));
  CHECK(eventually([&] { return running.forwarder.counters().in_flight == 1; }));
  std::thread stopper([&] { running.forwarder.stop(); });
  CHECK(rcode_of(client.receive()) == 2);
  stopper.join();
  const auto after = client.hand_in(query(2, www));
  REQUIRE(after);
  CHECK(rcode_of(*after) == 5);
  running.forwarder.stop();
}

TEST_CASE("stop waits for an answer that is on its way") {
  ScriptedUpstream slow([](const Asked& asked) {
    std::this_thread::sleep_for(100ms);
    return one_address(asked);
  });
  ForwarderSettings settings = to({slow.endpoint()});
  settings.drain = 10s;
  Running running(std::move(settings));
  Client client(running.forwarder);
  CHECK_FALSE(client.hand_in(query(1, www)));
  running.forwarder.stop();
  CHECK(rcode_of(client.receive()) == 0);
}

TEST_CASE("two servers that forward to each other end in SERVFAIL, not in a storm") {
  // The upstream is a mirror: what it is asked, it asks us.
  std::atomic<Forwarder*> target{nullptr};
  std::atomic<std::size_t> packets{0};
  std::vector<std::unique_ptr<Client>> mirrors;
  std::mutex mutex;
  std::optional<ScriptedUpstream> mirror;
  mirror.emplace([&](const Asked& asked) {
    ++packets;
    const std::lock_guard lock(mutex);
    mirrors.push_back(std::make_unique<Client>(*target.load()));
    (void)mirrors.back()->hand_in(asked.query);
    return std::vector<Octets>{};
  });
  Running running(hopeless(to({mirror->endpoint()})));
  target = &running.forwarder;
  Client client(running.forwarder);
  CHECK(rcode_of(client.ask(query(1, www))) == 2);
  CHECK(packets <= 10);
  mirror.reset(); // before what it asks
}

namespace {

/// What a forwarder finds for an alias.
struct Found final : server::Waiter {
  std::promise<server::Answer> promise;
  void found(const server::AnswerView& view, std::uint32_t) noexcept override {
    server::Answer answer;
    static_cast<server::AnswerShape&>(answer) = view;
    promise.set_value(answer);
  }
};

} // namespace

TEST_CASE("what an alias leads to is found, and stays open where others are to be asked") {
  const auto alias = [](const Asked& asked, const char* target) {
    return Replies{
        std::move(asked.reply(3).answer(pointer(12), 5, 60, name(target)).answer(name(target), 1, 60, address))
            .octets()};
  };
  ScriptedUpstream upstream([&](const Asked& asked) {
    if (asked.lower_qname() == name("gone.example.com"))
      return Replies{asked.reply(3).authority(name("example.com"), 6, 60, soa(60)).octets()};
    if (asked.lower_qname() == name("broken.example.com")) return Replies{asked.reply(2).octets()};
    if (asked.lower_qname() == name("ours.example.com")) return alias(asked, "web.cluster.local");
    if (asked.lower_qname() == name("block.example.com")) return alias(asked, "a.b.inner.test");
    if (asked.lower_qname() == name("inside.example.com")) return alias(asked, "test");
    if (asked.lower_qname() == name("bare.example.com"))
      return Replies{asked.reply().answer(pointer(12), 5, 60, name("else.example.com")).octets()};
    return one_address(asked);
  });
  ForwarderSettings settings = to({upstream.endpoint()});
  settings.origins = {"cluster.local"};
  settings.routes[0].beyond = {"cluster.local", "inner.test"};
  Running running(std::move(settings));
  struct Row {
    const char* name;
    int rcode, answers;
    bool open;
  };
  for (const Row& row : {Row{"db.example.com", 0, 1, false}, Row{"gone.example.com", 3, 0, false},
                         Row{"broken.example.com", 2, 0, false}, Row{"ours.example.com", 0, 1, true},
                         Row{"block.example.com", 0, 1, true}, Row{"inside.example.com", 3, 2, false},
                         Row{"bare.example.com", 0, 1, true}, Row{"ours.example.com", 0, 1, true}}) {
    CAPTURE(row.name);
    const auto waiter = std::make_shared<Found>();
    const Octets asked = name(row.name);
    REQUIRE(running.forwarder.covers(asked));
    REQUIRE(running.forwarder.ask({.name = asked, .type = 1}, waiter));
    const server::Answer found = waiter->promise.get_future().get();
    CHECK(found.rcode == row.rcode);
    CHECK(found.answers == row.answers);
    CHECK(found.open == row.open);
  }
  CHECK(upstream.asked().size() >= 7); // ours.example.com once
  CHECK_FALSE(running.forwarder.covers(name("web.cluster.local")));
  CHECK_FALSE(running.forwarder.ask({.name = name("web.cluster.local"), .type = 1}, std::make_shared<Found>()));
}

TEST_CASE("a start that cannot succeed says why") {
  struct Row {
    const char* what;
    std::function<void(ForwarderSettings&)> spoil;
    const char* error;
  };
  const Row rows[] = {
      {"no upstream", [](ForwarderSettings& s) { s.routes[0].forward.upstreams.clear(); }, "no upstream"},
      {"itself", [](ForwarderSettings& s) { s.own = {loopback(53)}; }, "127.0.0.1:53"},
      {"itself by the wildcard",
       [](ForwarderSettings& s) {
         s.own = {{*model::Address::parse("0.0.0.0"), 53}};
       },
       "itself"},
      {"no name", [](ForwarderSettings& s) { s.routes[0].forward.except = {"a..b"}; }, "a..b"},
      {"no zone",
       [](ForwarderSettings& s) { s.routes[0].zones = {"a.example"}, s.routes[0].forward.from = "b.example"; },
       "b.example"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    ForwarderSettings settings = to({loopback(53)});
    row.spoil(settings);
    Forwarder forwarder(std::move(settings));
    const auto started = forwarder.start();
    REQUIRE_FALSE(started);
    CHECK(started.error().find(row.error) != std::string::npos);
    forwarder.stop();
  }
  CHECK_FALSE(server::forwards_to_itself({loopback(53)}, {loopback(5300), {*model::Address::parse("10.0.0.1"), 53}}));
}

TEST_CASE("without an OPT nothing of an extended error is sent, and RD=0 is asked all the same") {
  ScriptedUpstream upstream(one_address);
  Running running(to({upstream.endpoint()}));
  Client client(running.forwarder);
  const Octets reply = client.ask(query(1, www, 1, false, 0));
  CHECK(flags_of(reply) == 0x8080);
  CHECK(answers_of(reply) == 1);
  CHECK((load16(&upstream.asked()[0].query[2]) & 0x0100) != 0);
}
