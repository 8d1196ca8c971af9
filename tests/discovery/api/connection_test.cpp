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

TEST_CASE("more connections than allowed are told so") {
  api::Settings settings;
  settings.max_connections = 2;
  ApiFixture api("10.96.0.0/16", settings);
  HttpClient a(api.server->port()), b(api.server->port());
  CHECK(a.ask("GET", "/healthz").status == 200);
  CHECK(b.ask("GET", "/healthz").status == 200);
  HttpClient c(api.server->port());
  CHECK(c.read_answer().status == 503);
  CHECK(api.server->statistics().connections_refused == 1);
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
