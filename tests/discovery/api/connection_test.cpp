#include <algorithm>
#include <thread>

#include "tests/discovery/api/api_fixture.hpp"

using namespace signpost;
using test::Answer;
using test::ApiFixture;
using test::HttpClient;

namespace {

const std::string services = "/api/v1/namespaces/default/services";

TEST_CASE("malformed requests get an answer and the connection ends") {
  ApiFixture api;
  const std::string host = "Host: localhost\r\n";
  struct Case {
    std::string text;
    int status;
  };
  for (const Case& c : {
           Case{"GET /healthz HTTP/1.1\r\n" + host + "Content-Length: +5\r\n\r\nhello", 400},
           {"GET /healthz HTTP/1.1\r\n" + host + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400},
           {"GET /healthz HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
           {"GET /healthz HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
           {"GET /healthz HTTP/1.1\r\n" + host + "A: b\r\n c\r\n\r\n", 400},
           {"GET /healthz HTTP/1.1\n" + host + "\n", 400},
           {"GET /healthz HTTP/1.1\r\n" + host + host + "\r\n", 400},
           {"GET /healthz HTTP/1.1\r\n\r\n", 400},
           {"GET http://user:pass@localhost/healthz HTTP/1.1\r\n" + host + "\r\n", 400},
           {"GET /healthz\r\n", 400},
           {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
           {"\x16\x03\x01\x02\x01", 400},
           {"GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n" + host + "\r\n", 414},
           {"GET /healthz HTTP/1.1\r\n" + host + "A: " + std::string(20'000, 'a'), 431},
           {"POST " + services + " HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
           {"POST " + services + " HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1;" +
                std::string(20'000, 'x'),
            400},
           {"POST " + services + " HTTP/1.1\r\n" + host + "Content-Length: 9999999\r\n\r\n", 413},
           {"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403},
           {"GET /healthz HTTP/1.1\r\n" + host + "Origin: http://localhost\r\n\r\n", 403},
       }) {
    CAPTURE(c.text.substr(0, 100));
    HttpClient client(api.server->port());
    client.send(c.text);
    const Answer answer = client.read_answer();
    CHECK(answer.status == c.status);
    CHECK(answer.headers.at("connection") == "close");
    CHECK(client.closes());
  }
}

TEST_CASE("bodies: limits, chunks and 100-continue") {
  ApiFixture api;
  HttpClient big(api.server->port());
  const Answer refused = big.ask("POST", services, std::string((3 << 20) + 1, 'x'));
  CHECK(refused.status == 413);
  CHECK(refused.json()["reason"] == "RequestEntityTooLarge");

  HttpClient client(api.server->port());
  const std::string body = R"({"metadata":{"name":"c"},"spec":{"ports":[{"port":80}]}})";
  client.send("POST " + services + " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (const char c : body) client.send(std::string("1\r\n") + c + "\r\n");
  client.send("0\r\n\r\n");
  CHECK(client.read_answer().status == 201);

  const std::string second = R"({"metadata":{"name":"d"},"spec":{"ports":[{"port":80}]}})";
  client.send("POST " + services + " HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: " +
              std::to_string(second.size()) + "\r\n\r\n");
  CHECK(client.read_head().status == 100);
  client.send(second);
  CHECK(client.read_answer().status == 201);
}

TEST_CASE("pipelined requests are answered in order") {
  ApiFixture api;
  HttpClient client(api.server->port());
  std::string text;
  for (int i = 0; i < 1000; ++i)
    text += i % 2 == 0 ? "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
                       : "GET " + services + "/kubernetes HTTP/1.1\r\nHost: localhost\r\n\r\n";
  std::thread sender([&] { client.send(text); });
  for (int i = 0; i < 1000; ++i) {
    const Answer answer = client.read_answer();
    REQUIRE(answer.status == 200);
    REQUIRE((answer.body == "ok") == (i % 2 == 0));
  }
  sender.join();
}

TEST_CASE("HTTP/1.0 and Connection: close end after one answer, half-closed requests are answered") {
  ApiFixture api;
  HttpClient old(api.server->port());
  old.send("GET /healthz HTTP/1.0\r\n\r\n");
  CHECK(old.read_answer().body == "ok");
  CHECK(old.closes());
  HttpClient closing(api.server->port());
  CHECK(closing.ask("GET", "/healthz", "", "Connection: close\r\n").body == "ok");
  CHECK(closing.closes());
  HttpClient half(api.server->port());
  half.request("GET", "/healthz");
  ::shutdown(half.descriptor(), SHUT_WR);
  CHECK(half.read_answer().body == "ok");
  CHECK(half.closes());
}

TEST_CASE("slow heads, slow bodies and idle connections are ended") {
  api::Settings settings;
  settings.header_timeout = settings.body_timeout = settings.idle_timeout = std::chrono::milliseconds(300);
  ApiFixture api("10.96.0.0/16", settings);
  HttpClient head(api.server->port()), body(api.server->port()), idle(api.server->port());
  head.send("GET /hea");
  body.send("POST " + services + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
  CHECK(head.closes());
  CHECK(body.closes());
  CHECK(idle.closes());
}

TEST_CASE("the longest silent connection makes room, whether it ever said anything or not") {
  api::Settings settings;
  settings.max_connections = 8;
  ApiFixture api("10.96.0.0/16", settings);
  const auto count = [&] { return api.server->statistics().connections_total; };
  std::vector<std::unique_ptr<HttpClient>> crowd;
  for (std::uint64_t i = 1; i <= 8; ++i) {
    crowd.push_back(std::make_unique<HttpClient>(api.server->port()));
    if (i % 2 == 0) CHECK(crowd.back()->ask("GET", "/healthz").status == 200);
    if (i % 4 == 3) crowd.back()->send("GET /healthz HT");
    while (count() < i) std::this_thread::yield();
  }
  for (int i = 0; i < 40; ++i) CHECK(api.ask("GET", "/healthz").body == "ok");
  CHECK(crowd.front()->closes());
  CHECK(api.server->statistics().connections_dropped >= 1);
  CHECK(api.server->statistics().connections_refused == 0);
}

TEST_CASE("who is served is not dropped; where nobody is idle, more connections are told so") {
  api::Settings settings;
  settings.max_connections = 2;
  ApiFixture api("10.96.0.0/16", settings);
  HttpClient a(api.server->port()), b(api.server->port());
  for (HttpClient* client : {&a, &b}) {
    client->request("GET", services + "?watch=1&resourceVersion=" + std::to_string(api.registry.revision()));
    CHECK(client->read_head().status == 200);
  }
  while (api.server->statistics().watches < 2) std::this_thread::yield();
  HttpClient c(api.server->port());
  CHECK(c.read_answer().status == 503);
  CHECK(api.server->statistics().connections_refused == 1);
  CHECK(api.server->statistics().watches == 2);
}

/// Whether the connection has ended with RST, or does so within the time.
bool is_reset(HttpClient& client, int milliseconds = 10'000) {
  pollfd wait{client.descriptor(), 0, 0}; // POLLERR and POLLHUP are always told of
  ::poll(&wait, 1, milliseconds);
  return (wait.revents & POLLERR) != 0;
}

TEST_CASE("answers that wait for readers are bounded together; who takes nothing is reset") {
  api::Settings settings;
  settings.max_held_bytes = 1 << 20;
  settings.patience = std::chrono::milliseconds(200);
  ApiFixture api("10.96.0.0/16", settings);
  const std::string note = R"(,"annotations":{"note":")" + std::string(100'000, 'x') + "\"}";
  for (int i = 0; i < 30; ++i)
    REQUIRE(api.create("s" + std::to_string(i), R"("ports":[{"port":80}])", note).status == 201);
  std::vector<std::unique_ptr<HttpClient>> unread;
  for (int i = 0; i < 40; ++i) {
    unread.push_back(std::make_unique<HttpClient>(api.server->port(), 4096));
    unread.back()->request("GET", services + (i % 2 == 0 ? "?watch=1" : "?limit=29"), "",
                           i % 4 == 1 ? "Accept: application/yaml\r\n" : "");
  }
  const auto reset = [&] {
    return std::count_if(unread.begin(), unread.end(), [](const auto& client) { return is_reset(*client, 0); });
  };
  for (int i = 0; i < 1000 && reset() < 25; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(reset() >= 25); // each of them holds 100 KB
  // Who reads gets all of it meanwhile, and a large answer.
  for (int i = 0; i < 3; ++i) {
    HttpClient client(api.server->port());
    const Answer answer = client.ask("GET", services);
    REQUIRE(client.ended_cleanly());
    CHECK(answer.json()["items"].size() == 31);
  }
  CHECK(api.server->statistics().connections_dropped > 0);
}

TEST_CASE("a watch that is not read is reset when it is cut") {
  api::Settings settings;
  settings.watch_backlog_events = 8;
  settings.write_timeout = std::chrono::milliseconds(300);
  ApiFixture api("10.96.0.0/16", settings);
  const std::string note = R"(,"annotations":{"note":")" + std::string(200'000, 'x') + "\"}";
  HttpClient watch(api.server->port(), 4096);
  watch.request("GET", services + "?watch=1");
  while (api.server->statistics().watches < 1) std::this_thread::yield();
  for (int i = 0; i < 20; ++i)
    REQUIRE(api.create("s" + std::to_string(i), R"("ports":[{"port":80}])", note).status == 201);
  CHECK(is_reset(watch));
}

TEST_CASE("stopping does not wait for who does not read, nor for work that is queued for him") {
  ApiFixture api;
  const std::string note = R"(,"annotations":{"note":")" + std::string(100'000, 'x') + "\"}";
  for (int i = 0; i < 30; ++i)
    REQUIRE(api.create("s" + std::to_string(i), R"("ports":[{"port":80}])", note).status == 201);
  std::vector<std::unique_ptr<HttpClient>> unread;
  for (int i = 0; i < 60; ++i) {
    unread.push_back(std::make_unique<HttpClient>(api.server->port(), 4096));
    unread.back()->request("GET", services + (i % 2 == 0 ? "?watch=1" : ""));
  }
  while (api.server->statistics().requests < 60) std::this_thread::yield();
  api.server->stop();
  CHECK(api.server->statistics().connections == 0);
  for (const auto& client : unread) CHECK(client->closes());
}

TEST_CASE("a start that cannot succeed says why") {
  store::MemoryStore store;
  registry::Registry registry(store,
                              registry::Settings{.vips = {*model::Prefix::parse("10.96.0.0/16")}, .reserved = {}});
  REQUIRE(registry.open());
  api::Server first(registry, {.address = *model::Address::parse("127.0.0.1"), .port = 0});
  REQUIRE(first.start());
  api::Server second(registry, {.address = *model::Address::parse("127.0.0.1"), .port = first.port()});
  const auto taken = second.start();
  REQUIRE_FALSE(taken);
  CHECK(taken.error() == "cannot serve the API on 127.0.0.1:" + std::to_string(first.port()) + ": the port is in use");
  api::Server open(registry, {.address = *model::Address::parse("0.0.0.0"), .port = 0});
  const auto refused = open.start();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().find("only loopback addresses") != std::string::npos);
}

} // namespace
