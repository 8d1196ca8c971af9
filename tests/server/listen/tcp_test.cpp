// Connections that stall, flood, never read or never end: each is bounded and none holds up another.
#include <sys/resource.h>

#include <thread>

#include "tests/server/listen/client.hpp"

using namespace signpost;
using namespace signpost::server;
using namespace signpost::test;
using std::chrono::milliseconds;

namespace {

constexpr auto web = "web.default.svc.cluster.local";

/// Patient in everything, so that a test sets what it is about.
TcpSettings patient() {
  const milliseconds long_time(patience);
  return {.idle = long_time, .idle_crowded = long_time, .first = long_time, .message = long_time, .write = long_time};
}

void check_served(const Server& server) {
  TcpClient client(server.endpoint());
  REQUIRE(client.send(framed(question(web, 77))));
  CHECK(id_of(client.message().value()) == 77);
}

Bytes many_questions(std::string_view name, unsigned count) {
  Bytes many;
  for (unsigned i = 0; i < count; ++i) {
    const Bytes one = framed(question(name, static_cast<std::uint16_t>(i)));
    many.insert(many.end(), one.begin(), one.end());
  }
  return many;
}

/// Holds questions and never answers.
class Silent : public Outside {
public:
  Taken take(const wire::Query&, wire::Transport, std::span<std::uint8_t>, std::size_t,
             const ReplyTo& to) noexcept override {
    const std::lock_guard lock(mutex_);
    held_.push_back(to);
    return {.later = true, .length = 0};
  }
  Taken follow(const wire::Query& q, wire::Transport t, std::span<std::uint8_t> b,
               const ReplyTo& to) noexcept override {
    return take(q, t, b, 0, to);
  }
  bool covers(std::span<const std::uint8_t>) const noexcept override { return true; }
  bool ask(const Link&, std::shared_ptr<Waiter>) noexcept override { return false; }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return held_.size();
  }
  void answer_one(std::uint16_t id = 1) {
    ReplyTo to;
    {
      const std::lock_guard lock(mutex_);
      to = held_.front();
      held_.erase(held_.begin());
    }
    (*to.tcp)(question("x", id));
  }

private:
  std::mutex mutex_;
  std::vector<ReplyTo> held_;
};

} // namespace

TEST_CASE("one octet at a time") {
  Server server;
  TcpClient client(server.endpoint());
  for (const std::uint8_t octet : framed(question(web, 1)) + framed(question(web, 2))) REQUIRE(client.send({octet}));
  CHECK(id_of(client.message().value()) == 1);
  CHECK(id_of(client.message().value()) == 2);
}

TEST_CASE("the longest message, an octet at a time, then more") {
  Server server(nullptr, patient());
  TcpClient client(server.endpoint());
  Bytes longest = question(web, 3);
  longest.resize(65535); // what follows the question makes it malformed
  const Bytes stream = framed(longest) + framed(question(web, 4));
  std::thread sender([&] {
    for (const std::uint8_t octet : stream)
      if (!client.send({octet})) break;
  });
  const Bytes malformed = client.message().value();
  CHECK(id_of(malformed) == 3);
  CHECK(rcode_of(malformed) == 1);
  CHECK(id_of(client.message().value()) == 4);
  sender.join();
}

TEST_CASE("a stream cut anywhere gives the same answers") {
  Server server(nullptr, patient());
  const Bytes stream = framed(question(web, 1)) + framed(question("big.default.svc.cluster.local", 2)) +
                       framed(question("nobody.default.svc.cluster.local", 3));
  for (std::size_t cut = 1; cut < stream.size(); ++cut) {
    TcpClient client(server.endpoint());
    const auto at = stream.begin() + static_cast<std::ptrdiff_t>(cut);
    REQUIRE(client.send(Bytes(stream.begin(), at)));
    if (cut % 4 == 0) check_served(server); // the loop has had its turn
    REQUIRE(client.send(Bytes(at, stream.end())));
    client.half_close();
    for (unsigned id = 1; id <= 3; ++id) CHECK(id_of(client.message().value()) == id);
    CHECK_FALSE(client.message());
  }
}

TEST_CASE("a length that no message has ends the connection, after the answers before it") {
  Server server(nullptr, patient());
  for (const Bytes& end : {Bytes{0, 0}, Bytes{0, 11}}) {
    TcpClient client(server.endpoint());
    REQUIRE(client.send(framed(question(web, 5)) + end + framed(question(web, 6))));
    CHECK(id_of(client.message().value()) == 5);
    CHECK_FALSE(client.message());
  }
}

TEST_CASE("what waits for an upstream holds up nothing else of the connection") {
  Silent outside;
  Server server(&outside, patient());
  TcpClient client(server.endpoint());
  REQUIRE(client.send(framed(question("example.com", 1)) + framed(question(web, 2)) +
                      framed(question("example.org", 3)) + framed(question(web, 4))));
  CHECK(id_of(client.message().value()) == 2);
  CHECK(id_of(client.message().value()) == 4);
  outside.answer_one(0x101);
  CHECK(id_of(client.message().value()) == 0x101);
  REQUIRE(client.send(framed(question(web, 5))));
  CHECK(id_of(client.message().value()) == 5);
  client.half_close();
  outside.answer_one(0x103);
  CHECK(id_of(client.message().value()) == 0x103);
  CHECK_FALSE(client.message());
}

TEST_CASE("the rest of a message is waited for no longer because of late answers") {
  TcpSettings settings = patient();
  settings.message = milliseconds(200);
  Silent outside;
  Server server(&outside, settings);
  TcpClient client(server.endpoint());
  constexpr std::size_t count = 50;
  REQUIRE(client.send(many_questions("example.com", count) + Bytes{0xFF}));
  while (outside.count() < count) std::this_thread::yield();
  std::size_t answered = 0;
  for (; answered < count; ++answered) {
    if (client.readable(20)) break;
    outside.answer_one();
    if (!client.message()) break;
  }
  CHECK(answered < count); // closed, though answers are owed and came
  check_served(server);
}

TEST_CASE("late answers wait behind those that the client does not read") {
  Silent outside;
  Server server(&outside, patient());
  TcpClient client(server.endpoint());
  REQUIRE(client.send(many_questions("example.com", 3)));
  while (outside.count() < 3) std::this_thread::yield();
  client.fill(many_questions("big.default.svc.cluster.local", 200));
  for (std::uint16_t id = 0x7001; id <= 0x7003; ++id) {
    outside.answer_one(id);
    check_served(server); // the loop has had its turn
  }
  std::uint16_t next = 0x7001;
  while (next <= 0x7003) {
    const Bytes message = client.message().value();
    if (id_of(message) == next)
      ++next;
    else if (answers_of(message) != 80) // nothing of the stream is lost or mixed up
      FAIL("not an answer");
  }
}

TEST_CASE("many pipelined queries are answered in order, however slowly they are read") {
  TcpSettings settings = patient();
  settings.max_output = 4096;
  Server server(nullptr, settings);
  TcpClient client(server.endpoint());
  constexpr unsigned count = 20000;
  std::thread sender([&] {
    CHECK(client.send(many_questions(web, count)));
    client.half_close();
  });
  unsigned in_order = 0;
  for (unsigned i = 0; i < count; ++i)
    if (const auto message = client.message(); message && id_of(*message) == i) ++in_order;
  CHECK(in_order == count);
  CHECK_FALSE(client.message());
  sender.join();
}

TEST_CASE("who says nothing, or half a message, is closed") {
  SUBCASE("no first octet") {
    TcpSettings settings = patient();
    settings.first = milliseconds(50);
    Server server(nullptr, settings);
    TcpClient client(server.endpoint());
    CHECK_FALSE(client.message());
    check_served(server);
  }
  SUBCASE("a message left half sent, though octets trickle in") {
    TcpSettings settings = patient();
    settings.message = milliseconds(200);
    Server server(nullptr, settings);
    TcpClient client(server.endpoint());
    REQUIRE(client.send({0xFF, 0xFF}));
    while (!client.readable(20)) (void)client.send_raw({0});
    CHECK_FALSE(client.message());
    check_served(server);
  }
  SUBCASE("silence after an answer") {
    TcpSettings settings = patient();
    settings.idle = milliseconds(50);
    Server server(nullptr, settings);
    TcpClient client(server.endpoint());
    REQUIRE(client.send(framed(question(web))));
    CHECK(client.message());
    CHECK_FALSE(client.message());
  }
  SUBCASE("silence, sooner when connections are scarce") {
    TcpSettings settings = patient();
    settings.idle_crowded = milliseconds(50);
    settings.max_connections = 3;
    Server server(nullptr, settings);
    TcpClient one(server.endpoint()), two(server.endpoint());
    REQUIRE(one.send(framed(question(web))));
    CHECK(one.message());
    REQUIRE(two.send(framed(question(web))));
    CHECK(two.message());
    CHECK_FALSE(one.message());
  }
  SUBCASE("answers that nobody reads") {
    TcpSettings settings = patient();
    settings.write = milliseconds(100);
    Server server(nullptr, settings);
    TcpClient client(server.endpoint());
    const Bytes many = many_questions("big.default.svc.cluster.local", 1000);
    while (client.send_raw(many) > 0) { // until the server has closed
    }
    check_served(server);
  }
}

TEST_CASE("the buffers of all connections together have a budget") {
  TcpSettings settings = patient();
  settings.max_buffered = 100000;
  Server server(nullptr, settings);
  TcpClient greedy(server.endpoint());
  REQUIRE(greedy.send({0xFF, 0xFF})); // a message of 65,535 octets …
  TcpClient other(server.endpoint());
  REQUIRE(other.send({0xFF, 0xFF}));
  const Bytes most(60000, 7);
  (void)greedy.send_raw(most); // … of which most comes, twice
  (void)other.send_raw(most);
  int closed = 0;
  while (closed == 0) {
    for (TcpClient* client : {&greedy, &other})
      if (client->readable(5)) ++closed;
  }
  CHECK(closed == 1);
  check_served(server);
}

TEST_CASE("queries that wait for an upstream are bounded") {
  TcpSettings settings = patient();
  settings.max_in_flight = 4;
  settings.write = milliseconds(50);
  Silent outside;
  Server server(&outside, settings);
  TcpClient client(server.endpoint());
  Bytes many;
  for (std::uint16_t i = 0; i < 10; ++i) many = many + framed(question("example.com", i));
  REQUIRE(client.send(many));
  for (std::size_t answered = 0; answered < 6; ++answered) {
    while (outside.count() < 4) std::this_thread::yield();
    check_served(server); // the loop had its turn: no fifth came
    CHECK(outside.count() == 4);
    outside.answer_one();
    CHECK(client.message());
  }
}

TEST_CASE("when connections run out, the one silent for longest makes room") {
  TcpSettings settings = patient();
  SUBCASE("in all") { settings.max_connections = 3; }
  SUBCASE("from one source") { settings.max_per_source = 3; }
  Server server(nullptr, settings);
  std::vector<std::unique_ptr<TcpClient>> clients;
  for (std::uint16_t i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<TcpClient>(server.endpoint()));
    REQUIRE(clients.back()->send(framed(question(web, i))));
    CHECK(clients.back()->message());
  }
  REQUIRE(clients[0]->send(framed(question(web)))); // the second is the longest silent now
  CHECK(clients[0]->message());
  check_served(server);
  CHECK_FALSE(clients[1]->message());
  for (const std::size_t i : {0u, 2u}) {
    REQUIRE(clients[i]->send(framed(question(web))));
    CHECK(clients[i]->message());
  }
  CHECK(server.listeners->tcp().connections_evicted() == 1);
}

TEST_CASE("without descriptors, the one silent for longest makes room, and new ones are taken later") {
  Server server(nullptr, patient());
  TcpClient silent(server.endpoint());
  REQUIRE(silent.send(framed(question(web))));
  CHECK(silent.message());
  const Socket late(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const SocketAddress address(server.endpoint());
  const int connected = ::connect(late.fd(), address.get(), address.length);
  std::uint8_t octet;
  const ssize_t end = ::recv(silent.fd(), &octet, 1, 0); // the server has met the limit
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(connected == 0);
  CHECK(end == 0);
  const Bytes query = framed(question(web, 9));
  REQUIRE(::send(late.fd(), query.data(), query.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(query.size()));
  std::array<std::uint8_t, 4> answer{};
  CHECK(::recv(late.fd(), answer.data(), answer.size(), MSG_WAITALL) == 4);
  CHECK(answer[3] == 9);
}

TEST_CASE("connections that are owed an answer are not evicted for a new one") {
  TcpSettings settings = patient();
  settings.max_connections = 2;
  settings.write = milliseconds(50);
  Silent outside;
  Server server(&outside, settings);
  TcpClient one(server.endpoint()), two(server.endpoint());
  REQUIRE(one.send(framed(question("example.com"))));
  REQUIRE(two.send(framed(question("example.com"))));
  while (outside.count() < 2) std::this_thread::yield();
  TcpClient third(server.endpoint());
  CHECK_FALSE(third.message());
  outside.answer_one();
  outside.answer_one();
  CHECK(one.message());
  CHECK(two.message());
}

TEST_CASE("the idle time-out that a client is told shrinks as connections become scarce") {
  TcpSettings settings = patient();
  settings.idle = milliseconds(20000);
  settings.idle_crowded = milliseconds(7000);
  settings.max_connections = 4;
  Server server(nullptr, settings);
  const auto told = [&](TcpClient& client) -> unsigned {
    Bytes query = question(web);
    query[11] = 1; // an OPT record with an empty edns-tcp-keepalive option (RFC 7828 3.1)
    REQUIRE(client.send(framed(query + Bytes{0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 4, 0, 11, 0, 0})));
    const Bytes reply = client.message().value();
    const Bytes option(reply.end() - 6, reply.end() - 2);
    CHECK(option == Bytes{0, 11, 0, 2});
    return reply[reply.size() - 2] * 256u + reply[reply.size() - 1];
  };
  TcpClient one(server.endpoint()), two(server.endpoint());
  CHECK(told(one) == 200);
  CHECK(told(two) == 200);
  TcpClient three(server.endpoint());
  CHECK(told(three) == 70);
  CHECK(told(one) == 70);
}

TEST_CASE("who does not read makes room, sooner than it is closed") {
  TcpSettings settings = patient();
  settings.write_crowded = milliseconds(1);
  SUBCASE("in all") { settings.max_connections = 3; }
  SUBCASE("from one source") { settings.max_per_source = 3; }
  Server server(nullptr, settings);
  std::vector<std::unique_ptr<TcpClient>> stalled;
  for (int i = 0; i < 3; ++i) {
    stalled.push_back(std::make_unique<TcpClient>(server.endpoint()));
    stalled.back()->fill(many_questions("big.default.svc.cluster.local", 200));
  }
  check_served(server);
  CHECK(server.listeners->tcp().connections_evicted() >= 1);
}

TEST_CASE("connections stalled in every way do not hold up a new one") {
  TcpSettings settings = patient();
  settings.write_crowded = milliseconds(1);
  settings.max_connections = 50;
  Server server(nullptr, settings);
  const Bytes many = many_questions("big.default.svc.cluster.local", 200);
  std::vector<std::unique_ptr<TcpClient>> stalled;
  for (int i = 0; i < 100; ++i) {
    stalled.push_back(std::make_unique<TcpClient>(server.endpoint()));
    TcpClient& client = *stalled.back();
    switch (i % 4) {
    case 0: break;                                               // silent
    case 1: (void)client.send_raw({0xFF}); break;                // half a length
    case 2: (void)client.send_raw({0xFF, 0xFF, 1, 2, 3}); break; // part of a message
    default: client.fill(many);                                  // reads nothing
    }
  }
  check_served(server);
  CHECK(server.listeners->tcp().connections_open() <= 50);
  CHECK(answers_of(UdpClient(server.endpoint()).ask(question(web))) == 1);
}
