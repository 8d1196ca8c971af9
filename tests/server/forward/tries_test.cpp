#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <string>

#include "tests/server/forward/forwarder_fixture.hpp"

using namespace signpost;
using namespace signpost::testing;
using server::Forwarder;
using server::ForwarderSettings;
using wire::load16;
using wire::Transport;
using Tcp = ScriptedUpstream::Tcp;

namespace {

const auto silence = [](const Asked&) { return Replies{}; };

Octets good(const Asked& asked) { return one_address(asked).front(); }

/// The next try begins soon, the end is far.
ForwarderSettings brisk(ForwarderSettings settings) {
  for (auto& route : settings.routes) route.forward.read_timeout = 100ms;
  return settings;
}

std::size_t asked_about(const ScriptedUpstream& upstream, const char* qname) {
  std::size_t count = 0;
  for (const Asked& asked : upstream.asked()) count += asked.lower_qname() == name(qname);
  return count;
}

Octets wrong_id(const Asked& asked) {
  Octets octets = good(asked);
  octets[1] ^= 1;
  octets.back() = 66;
  return octets;
}

bool has_address(const Octets& reply) {
  return rcode_of(reply) == 0 && answers_of(reply) == 1 && Octets(reply.end() - 4, reply.end()) == address;
}

/// An upstream that does what the first label says.
Replies by_label(const Asked& asked) {
  const Octets qname = asked.lower_qname();
  const std::string label(qname.begin() + 1, qname.begin() + 1 + qname[0]);
  Message message = asked.reply();
  if (label == "selfloop") return {message.answer(pointer(12), 5, 60, pointer(12)).octets()};
  if (label == "loop")
    return {message.answer(pointer(12), 5, 60, name("b.test")).answer(name("b.test"), 5, 60, pointer(12)).octets()};
  if (label == "bada") return {message.answer(pointer(12), 1, 60, Octets{1, 2, 3, 4, 5}).octets()};
  if (label == "badname") return {message.answer(pointer(12), 5, 60, pointer(4000)).octets()};
  if (label == "chain") {
    Octets owner = asked.qname();
    for (int i = 0; i < 30; ++i) {
      const Octets next = name("c" + std::to_string(i));
      message.answer(owner, 5, 60, next);
      owner = next;
    }
    return {message.answer(owner, 1, 60, address).octets()};
  }
  if (label == "noq") return {Message(asked.id(), 0x8185).octets()};
  if (label == "sf") return {asked.reply(2).octets()};
  if (label == "refused") return {asked.reply(5).octets()};
  if (label == "notimp") return {asked.reply(4).octets()};
  if (label == "silent") return {};
  return one_address(asked);
}

} // namespace

TEST_CASE("an answer to an earlier try counts while later ones are under way") {
  ScriptedUpstream upstream(silence);
  Running running(brisk(to({upstream.endpoint()})));
  Client client(running.forwarder);
  REQUIRE_FALSE(client.hand_in(query(7, www)));
  std::size_t answered = 0;
  SUBCASE("the first") {}
  SUBCASE("the second") { answered = 1; }
  REQUIRE(eventually([&] { return upstream.asked().size() == 3; }));
  upstream.send(upstream.asked()[answered], good(upstream.asked()[answered]));
  CHECK(has_address(client.receive()));
}

TEST_CASE("a slow first upstream may win") {
  ScriptedUpstream slow(silence), other(silence);
  Running running(brisk(to({slow.endpoint(), other.endpoint()})));
  Client client(running.forwarder);
  REQUIRE_FALSE(client.hand_in(query(7, www)));
  REQUIRE(eventually([&] { return !other.asked().empty(); }));
  slow.send(slow.asked()[0], good(slow.asked()[0]));
  CHECK(has_address(client.receive()));
}

TEST_CASE("an answer over TCP to an earlier try counts") {
  std::atomic<bool> go{false};
  ScriptedUpstream upstream([&](const Asked& asked) {
    REQUIRE(asked.tcp);
    eventually([&] { return go.load(); });
    return one_address(asked);
  });
  ForwarderSettings settings = brisk(to({upstream.endpoint()}));
  settings.routes[0].forward.force_tcp = true;
  Running running(std::move(settings));
  Client client(running.forwarder);
  REQUIRE_FALSE(client.hand_in(query(7, www)));
  CHECK(eventually([&] { return running.forwarder.counters().tcp >= 2; }));
  go = true;
  CHECK(has_address(client.receive()));
}

TEST_CASE("a datagram counts while TCP is tried, however many strangers came before") {
  for (const int strangers : {3, 400}) {
    CAPTURE(strangers);
    ScriptedUpstream upstream(
        [&](const Asked& asked) { return Replies(static_cast<std::size_t>(strangers), wrong_id(asked)); },
        Tcp::ignores);
    Running running(to({upstream.endpoint()}));
    Client client(running.forwarder);
    REQUIRE_FALSE(client.hand_in(query(7, www)));
    CHECK(eventually([&] { return running.forwarder.counters().tcp == 1; }));
    upstream.send(upstream.asked()[0], good(upstream.asked()[0]));
    CHECK(has_address(client.receive()));
  }
}

TEST_CASE("an answer after the deadline is for the cache, and for who has asked again") {
  ScriptedUpstream upstream(silence);
  ForwarderSettings settings = to({upstream.endpoint()});
  settings.routes[0].forward.read_timeout = 50ms;
  settings.routes[0].forward.deadline = 400ms;
  SUBCASE("the cache") {
    Running running(std::move(settings));
    Client client(running.forwarder);
    CHECK(rcode_of(client.ask(query(7, www))) == 2);
    upstream.send(upstream.asked()[0], good(upstream.asked()[0]));
    CHECK(eventually([&] {
      const auto hit = client.hand_in(query(8, www));
      return hit && has_address(*hit);
    }));
  }
  SUBCASE("who has asked again") {
    settings.routes[0].cache.reset();
    Running running(std::move(settings));
    Client client(running.forwarder);
    CHECK(rcode_of(client.ask(query(7, www))) == 2);
    const auto before = upstream.asked();
    REQUIRE_FALSE(client.hand_in(query(8, www)));
    REQUIRE(eventually([&] { return upstream.asked().size() > before.size(); }));
    upstream.send(before[0], good(before[0]));
    CHECK(has_address(client.receive()));
  }
}

TEST_CASE("an answer that cannot be used is final at once and said as what it is") {
  ScriptedUpstream upstream(by_label);
  Running running(to({upstream.endpoint()})); // every time-out is longer than the test's patience
  Client client(running.forwarder);
  struct Row {
    const char* name;
    int rcode, error, answers;
  };
  for (const Row& row : {Row{"selfloop.test", 2, 0, 0}, Row{"loop.test", 2, 0, 0}, Row{"bada.test", 2, 0, 0},
                         Row{"badname.test", 2, 0, 0}, Row{"noq.test", 5, -1, 0}, Row{"sf.test", 2, -1, 0},
                         Row{"refused.test", 5, -1, 0}, Row{"notimp.test", 4, -1, 0}, Row{"chain.test", 0, -1, 31}}) {
    CAPTURE(row.name);
    const Octets reply = client.ask(query(7, name(row.name), 1, true));
    CHECK(rcode_of(reply) == row.rcode);
    CHECK(answers_of(reply) == row.answers);
    if (row.answers == 0) CHECK(extended_error(reply) == row.error);
  }
  CHECK(running.forwarder.counters().timeouts == 0);
}

TEST_CASE("an unusable answer is followed by the next upstream at once, also where TCP is not answered") {
  for (const auto over_tcp : {Tcp::answers, Tcp::refuses, Tcp::ignores}) {
    ScriptedUpstream bad(by_label, over_tcp), upstream(one_address);
    Running running(to({bad.endpoint(), upstream.endpoint()}));
    Client client(running.forwarder);
    CHECK(has_address(client.ask(query(7, name("bada.test")))));
  }
}

TEST_CASE("a good datagram behind an unusable one is taken") {
  ScriptedUpstream upstream(
      [](const Asked& asked) {
        return Replies{asked.reply().answer(pointer(12), 1, 60, Octets{6}).octets(), good(asked)};
      },
      Tcp::ignores);
  Running running(to({upstream.endpoint()}));
  Client client(running.forwarder);
  CHECK(has_address(client.ask(query(7, www))));
}

TEST_CASE("what one name does says nothing about its upstream") {
  ScriptedUpstream first(by_label), second(one_address);
  ForwarderSettings settings = to({first.endpoint(), second.endpoint()}, false);
  const char* qname = "bada.test";
  SUBCASE("an unusable answer") {}
  SUBCASE("a loop") { qname = "loop.test"; }
  SUBCASE("an error") { qname = "sf.test"; }
  SUBCASE("a refusal without a question") { qname = "noq.test"; }
  SUBCASE("silence") {
    qname = "silent.test";
    settings = brisk(std::move(settings));
  }
  Running running(std::move(settings));
  Client client(running.forwarder);
  for (int i = 0; i < 3; ++i) CHECK(has_address(client.ask(query(7, name(qname)))));
  CHECK(asked_about(first, qname) >= 1);
  CHECK(has_address(client.ask(query(7, www))));
  CHECK(asked_about(first, "www.example.com") == 1);
  CHECK(asked_about(second, "www.example.com") == 0);
}

TEST_CASE("a cut answer is handed on as one where TCP brings nothing better") {
  const auto cut = [](const Asked& asked) {
    if (asked.tcp) return Replies{};
    return Replies{Message(asked.id(), 0x8380)
                       .question(asked.qname(), 1)
                       .answer(pointer(12), 1, 60, address)
                       .answer(pointer(12), 1, 60, address)
                       .octets()};
  };
  for (const auto over_tcp : {Tcp::answers, Tcp::refuses, Tcp::ignores}) {
    ScriptedUpstream upstream(cut, over_tcp);
    ForwarderSettings settings = to({upstream.endpoint()});
    if (over_tcp == Tcp::ignores) settings = brisk(std::move(settings)); // TCP has the time of one try
    Running running(std::move(settings));
    Client client(running.forwarder);
    for (int i = 0; i < 2; ++i) {
      const Octets reply = client.ask(query(7, www));
      CHECK(rcode_of(reply) == 0);
      CHECK(answers_of(reply) == 2);
      CHECK((flags_of(reply) & 0x0200) != 0);
    }
    CHECK(upstream.asked().size() >= 2); // it is not kept
  }
  SUBCASE("another upstream has all of it") {
    ScriptedUpstream upstream(cut, Tcp::refuses), other(one_address);
    Running running(to({upstream.endpoint(), other.endpoint()}));
    Client client(running.forwarder);
    CHECK(has_address(client.ask(query(7, www))));
  }
}

TEST_CASE("extended errors of an upstream are handed on, with failures and with answers") {
  const Octets blocked = u16(15) + u16(6) + u16(15) + Octets{'l', 'i', 's', 't'};
  ScriptedUpstream upstream([&](const Asked& asked) {
    Message message = asked.reply(asked.lower_qname() == www ? 0 : 2);
    if (asked.lower_qname() == www) message.answer(pointer(12), 1, 60, address);
    return Replies{
        message.count(10, 1).raw(Octets{0} + u16(41) + u16(1232) + u32(0) + u16(blocked.size()) + blocked).octets()};
  });
  Running running(to({upstream.endpoint()}));
  Client client(running.forwarder);
  CHECK(extended_error(client.ask(query(7, name("blocked.test"), 1, true))) == 15);
  for (int i = 0; i < 2; ++i) { // asked, then from the cache
    const Octets reply = client.ask(query(7, www, 1, true));
    const std::string text = "upstream: list";
    REQUIRE(reply.size() > text.size());
    CHECK(std::string(reply.end() - static_cast<std::ptrdiff_t>(text.size()), reply.end()) == text);
  }
  CHECK(upstream.asked().size() == 2);
}

TEST_CASE("addresses beside SRV records are kept, but for names of our own and of other routes") {
  const auto srv = [](const Octets& host) { return u16(1) + u16(1) + u16(80) + host; };
  const Octets hosts[] = {name("a.example.com"), name("web.default.svc.cluster.local"), name("a.except.example")};
  ScriptedUpstream upstream([&](const Asked& asked) {
    Message message = asked.reply();
    for (const Octets& host : hosts) message.answer(pointer(12), 33, 60, srv(host));
    for (const Octets& host : hosts) message.additional(host, 1, 60, address);
    return Replies{message.octets()};
  });
  ForwarderSettings settings = to({upstream.endpoint()});
  settings.origins = {"cluster.local"};
  settings.routes[0].forward.except = {"except.example"};
  Running running(std::move(settings));
  Client client(running.forwarder);
  for (int i = 0; i < 2; ++i) {
    const Octets reply = client.ask(query(7, www, 33));
    CHECK(answers_of(reply) == 3);
    CHECK(load16(&reply[10]) == 1);
  }
}

TEST_CASE("addresses take turns, from the upstream and from the cache") {
  ScriptedUpstream upstream([](const Asked& asked) {
    Message message = asked.reply();
    for (int i = 1; i <= 3; ++i)
      message.answer(pointer(12), 1, asked.lower_qname() == www ? 60 : 0, ipv4(192, 0, 2, i));
    return Replies{message.octets()};
  });
  Running running(to({upstream.endpoint()}));
  Client client(running.forwarder);
  for (const Octets& qname : {www, name("uncached.test")}) {
    std::set<int> first;
    for (int i = 0; i < 30; ++i) first.insert(client.ask(query(7, qname))[12 + qname.size() + 4 + 15]);
    CHECK(first == std::set{1, 2, 3});
  }
}

TEST_CASE("an upstream that folds case is found out at once, without TCP too") {
  for (const auto over_tcp : {Tcp::refuses, Tcp::ignores}) {
    ScriptedUpstream upstream(
        [](const Asked& asked) {
          return Replies{
              Message(asked.id()).question(asked.lower_qname(), 1).answer(pointer(12), 1, 300, address).octets()};
        },
        over_tcp);
    Running running(to({upstream.endpoint()}, false));
    Client client(running.forwarder);
    for (int i = 0; i < 4; ++i) CHECK(has_address(client.ask(query(5, name("a-rather-long-name.example.com")))));
    CHECK(upstream.asked().size() == 5); // once in letters of ours, then never again
    CHECK(running.forwarder.counters().tcp == 1);
  }
}
