// Listeners over real sockets: what is answered, by whom, and what stopping means.
#include <atomic>
#include <condition_variable>
#include <thread>

#include "tests/server/listen/client.hpp"

using namespace signpost;
using namespace signpost::server;
using namespace signpost::test;

namespace {

constexpr auto web = "web.default.svc.cluster.local";

/// Answers names outside with NOERROR: at once, or when the test says so.
class FakeOutside : public Outside {
public:
  explicit FakeOutside(bool later = false) : later_(later) {}

  Taken take(const wire::Query& query, wire::Transport, std::span<std::uint8_t> buffer, std::size_t length,
             const ReplyTo& reply_to) noexcept override {
    return hold(query, buffer, length, reply_to);
  }
  Taken follow(const wire::Query& query, wire::Transport, std::span<std::uint8_t> buffer,
               const ReplyTo& reply_to) noexcept override {
    return hold(query, buffer, query.length, reply_to);
  }
  bool covers(std::span<const std::uint8_t> name) const noexcept override {
    const std::lock_guard lock(mutex_);
    target_.assign(name.begin(), name.end());
    return true;
  }
  bool ask(const Link&, std::shared_ptr<Waiter>) noexcept override { return false; }

  std::size_t wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    came_.wait_for(lock, std::chrono::milliseconds(patience), [&] { return held_.size() >= count; });
    return held_.size();
  }

  /// Sends the held replies, the last one first, from the calling thread.
  void release() {
    std::vector<Held> all;
    {
      const std::lock_guard lock(mutex_);
      all.swap(held_);
    }
    for (auto held = all.rbegin(); held != all.rend(); ++held) {
      if (held->to.udp_socket >= 0)
        send_late(held->to, held->reply);
      else
        (*held->to.tcp)(held->reply);
    }
  }

  void give_up() {
    const std::lock_guard lock(mutex_);
    for (const Held& held : held_)
      if (held.to.tcp) (*held.to.tcp)({});
    held_.clear();
  }

  Bytes target() {
    const std::lock_guard lock(mutex_);
    return target_;
  }

private:
  struct Held {
    Bytes reply;
    ReplyTo to;
  };

  Taken hold(const wire::Query& query, std::span<std::uint8_t> buffer, std::size_t length, const ReplyTo& to) {
    length = wire::write_error(buffer, query, wire::Rcode::noerror);
    if (!later_) return {.later = false, .length = length};
    const std::lock_guard lock(mutex_);
    held_.push_back({Bytes(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(length)), to});
    came_.notify_all();
    return {.later = true, .length = 0};
  }

  const bool later_;
  mutable std::mutex mutex_;
  std::condition_variable came_;
  std::vector<Held> held_;
  mutable Bytes target_;
};

} // namespace

TEST_CASE("every address answers over UDP and TCP on one port, alike") {
  Server server;
  for (const Endpoint& endpoint : server.listeners->endpoints()) {
    CAPTURE(endpoint.to_string());
    UdpClient udp(endpoint);
    TcpClient tcp(endpoint);
    for (const char* name :
         {web, "nobody.default.svc.cluster.local", "ext.default.svc.cluster.local", "cluster.local"}) {
      const Bytes query = question(name, 7);
      const Bytes reply = udp.ask(query);
      REQUIRE(tcp.send(framed(query)));
      CHECK(tcp.message() == reply);
      CHECK(id_of(reply) == 7);
    }
    CHECK(answers_of(udp.ask(question(web))) == 1);
    CHECK(rcode_of(udp.ask(question("nobody.default.svc.cluster.local"))) == 3);
    CHECK(rcode_of(udp.ask(question("example.com"))) == 5);
  }
}

TEST_CASE("a large answer is cut over UDP and whole over TCP") {
  Server server;
  const Bytes query = question("big.default.svc.cluster.local");
  const Bytes cut = UdpClient(server.endpoint()).ask(query);
  CHECK((cut[2] & 2) != 0);
  CHECK(cut.size() <= 512);
  TcpClient tcp(server.endpoint());
  REQUIRE(tcp.send(framed(query)));
  const auto whole = tcp.message();
  REQUIRE(whole);
  CHECK(((*whole)[2] & 2) == 0);
  CHECK(answers_of(*whole) == 80);
}

TEST_CASE("a datagram longer than the buffer is malformed, an empty one nothing") {
  Server server;
  UdpClient client(server.endpoint());
  CHECK(rcode_of(client.ask(question(web) + Bytes(3000, 0))) == 1);
  REQUIRE(client.send({}));
  Bytes response = question(web, 5);
  response[2] |= 0x80;
  REQUIRE(client.send(response));
  CHECK(id_of(client.ask(question(web, 9))) == 9);
}

TEST_CASE("an error in sending ends nothing") {
  Server server;
  { // the reply to this one meets a closed port: ICMP comes back
    UdpClient gone(server.endpoint());
    REQUIRE(gone.send(question(web)));
  }
  for (int i = 0; i < 100; ++i) {
    UdpClient client(server.endpoint());
    CHECK(answers_of(client.ask(question(web))) == 1);
  }
}

TEST_CASE("names outside: answered at once, later, or refused") {
  SUBCASE("at once") {
    FakeOutside outside;
    Server server(&outside);
    CHECK(rcode_of(UdpClient(server.endpoint()).ask(question("example.com"))) == 0);
    TcpClient tcp(server.endpoint());
    REQUIRE(tcp.send(framed(question("example.com", 3))));
    CHECK(id_of(tcp.message().value()) == 3);
    server.listeners->stop();
    CHECK(server.listeners->totals(wire::Transport::udp).outside == 1);
    CHECK(server.listeners->totals(wire::Transport::tcp).outside == 1);
  }
  SUBCASE("later, from another thread, over UDP") {
    FakeOutside outside(true);
    Server server(&outside);
    for (const Endpoint& endpoint : server.listeners->endpoints()) {
      UdpClient client(endpoint);
      REQUIRE(client.send(question("example.com", 8)));
      REQUIRE(outside.wait_for(1) == 1);
      outside.release();
      CHECK(id_of(client.receive()) == 8);
    }
  }
  SUBCASE("later over TCP, overtaken by what is known") {
    FakeOutside outside(true);
    Server server(&outside);
    TcpClient client(server.endpoint());
    REQUIRE(
        client.send(framed(question("a.example", 1)) + framed(question("b.example", 2)) + framed(question(web, 3))));
    CHECK(id_of(client.message().value()) == 3);
    REQUIRE(outside.wait_for(2) == 2);
    outside.release();
    CHECK(id_of(client.message().value()) == 2);
    CHECK(id_of(client.message().value()) == 1);
    REQUIRE(client.send(framed(question("c.example", 4)) + framed(question(web, 5))));
    REQUIRE(outside.wait_for(1) == 1);
    CHECK(id_of(client.message().value()) == 5);
    outside.give_up();
    client.half_close();
    CHECK_FALSE(client.message());
  }
  SUBCASE("after the client has gone") {
    FakeOutside outside(true);
    Server server(&outside);
    {
      TcpClient client(server.endpoint());
      REQUIRE(client.send(framed(question("example.com"))));
      REQUIRE(outside.wait_for(1) == 1);
    }
    outside.release();
    CHECK(answers_of(UdpClient(server.endpoint()).ask(question(web))) == 1);
  }
  SUBCASE("after the listeners have gone") {
    FakeOutside outside(true);
    {
      Server server(&outside, {.write = std::chrono::milliseconds(50)});
      TcpClient client(server.endpoint());
      REQUIRE(client.send(framed(question("example.com"))));
      REQUIRE(outside.wait_for(1) == 1);
    }
    outside.release();
  }
}

TEST_CASE("a wildcard answers from the address that was asked, at once and later") {
  std::vector<std::pair<const char*, const char*>> families = {{"0.0.0.0", "127.0.0.77"}};
  if (has_ipv6()) families.emplace_back("::", "::1");
  for (const auto& [wildcard, asked] : families) {
    FakeOutside outside(true);
    Server server(&outside, {}, true, {{address(wildcard), 0}});
    const Endpoint endpoint{address(asked), server.endpoint().port};
    UdpClient udp(endpoint); // connected: takes no datagrams but those of the address that it asks
    REQUIRE(udp.send(question("example.com", 99)));
    for (std::uint16_t id = 1; id <= 50; ++id) REQUIRE(udp.send(question(web, id)));
    for (std::uint16_t id = 1; id <= 50; ++id) CHECK(id_of(udp.receive()) == id);
    REQUIRE(outside.wait_for(1) == 1);
    outside.release();
    CHECK(id_of(udp.receive()) == 99);
    TcpClient tcp(endpoint);
    REQUIRE(tcp.send(framed(question(web, 3))));
    CHECK(id_of(tcp.message().value()) == 3);
  }
}

TEST_CASE("an alias to a name outside is completed there") {
  FakeOutside outside;
  const Bytes query = question("ext.default.svc.cluster.local");
  {
    Server server(&outside);
    CHECK(answers_of(UdpClient(server.endpoint()).ask(query)) == 0); // what the fake says
    const Bytes target = outside.target();
    CHECK(std::string(target.begin(), target.end()) == std::string("\6target\7example\3com\0", 20));
  }
  Server alone;
  CHECK(answers_of(UdpClient(alone.endpoint()).ask(query)) == 1);
}

TEST_CASE("what was received before stop() is answered") {
  FakeOutside outside(true);
  Server server(&outside, {}, false);
  UdpClient client(server.endpoint());
  constexpr unsigned count = 100; // more than one batch
  for (unsigned i = 0; i < count; ++i) REQUIRE(client.send(question(web, static_cast<std::uint16_t>(i))));
  server.listeners->start();
  server.listeners->stop();
  for (unsigned i = 0; i < count; ++i) CHECK(id_of(client.receive()) == i);
  const Totals totals = server.listeners->totals(wire::Transport::udp);
  CHECK(totals.queries >= count);
  CHECK(totals.replies[0] == count);
}

TEST_CASE("stop() over TCP waits for answers on their way") {
  FakeOutside outside(true);
  Server server(&outside, {.write = std::chrono::milliseconds(patience)});
  TcpClient client(server.endpoint());
  REQUIRE(client.send(framed(question("example.com", 6))));
  REQUIRE(outside.wait_for(1) == 1);
  std::thread stopping([&] { server.listeners->stop(); });
  outside.release();
  CHECK(id_of(client.message().value()) == 6);
  CHECK_FALSE(client.message());
  stopping.join();
}

TEST_CASE("stopping under load ends, and stopping twice or never started is nothing") {
  for (int round = 0; round < 5; ++round) {
    Server server;
    std::atomic<bool> done{false};
    std::vector<std::thread> load;
    for (int i = 0; i < 2; ++i)
      load.emplace_back([&] {
        UdpClient client(server.endpoint());
        while (!done) (void)client.send_raw(question(web));
      });
    load.emplace_back([&] {
      while (!done) {
        TcpClient client(server.endpoint());
        (void)client.send_raw(framed(question(web)));
        (void)client.readable(1);
        break;
      }
    });
    while (server.listeners->totals(wire::Transport::udp).queries < 1000) std::this_thread::yield();
    server.listeners->stop();
    done = true;
    for (auto& thread : load) thread.join();
    server.listeners->stop();
  }
  Server never(nullptr, {}, false);
  never.listeners->stop();
}

TEST_CASE("counters say what came and what became of it") {
  Server server;
  UdpClient udp(server.endpoint());
  (void)udp.ask(question(web));
  (void)udp.ask(question("nobody.default.svc.cluster.local"));
  (void)udp.ask(question("example.com"));
  REQUIRE(udp.send({1, 2, 3}));
  (void)udp.ask(question(web));
  TcpClient tcp(server.endpoint());
  REQUIRE(tcp.send(framed(question(web))));
  (void)tcp.message();
  server.listeners->stop();
  const Totals u = server.listeners->totals(wire::Transport::udp), t = server.listeners->totals(wire::Transport::tcp);
  CHECK(u.queries >= 5);
  CHECK(u.dropped >= 1);
  CHECK(u.replies[0] == 2);
  CHECK(u.replies[3] == 1);
  CHECK(u.replies[5] == 1);
  CHECK(u.outside == 0);
  CHECK(t.queries == 1);
  CHECK(t.replies[0] == 1);
  CHECK(server.listeners->tcp().connections_accepted() == 1);
}
