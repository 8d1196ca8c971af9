// A server of pages alone: without a registry, for whoever reaches its address.
#include <doctest/doctest.h>

#include "discovery/api/server.hpp"
#include "tests/discovery/api/http_client.hpp"

using namespace signpost;
using test::HttpClient;

namespace {

api::Pages pages() {
  api::Pages all;
  all["/metrics"] = {"text/plain; version=0.0.4", [] { return std::string("up 1\n"); }};
  all["/ready"] = {"text/plain", [] { return api::PageText(503, "registry"); }};
  return all;
}

} // namespace

TEST_CASE("pages without a registry, whatever Host and Origin are, and nothing to write") {
  for (const char* address : {"127.0.0.1", "0.0.0.0"}) {
    api::Server server({.address = *model::Address::parse(address), .local_only = false, .port = 0, .loops = 1},
                       pages());
    REQUIRE(server.start());
    HttpClient client(server.port());
    const auto metrics = client.ask("GET", "/metrics", "", "Origin: http://dashboard.example\r\n");
    CHECK(metrics.status == 200);
    CHECK(metrics.body == "up 1\n");
    CHECK(metrics.headers.at("content-type") == "text/plain; version=0.0.4");
    client.send("GET /ready HTTP/1.1\r\nHost: dns.example:8181\r\n\r\n");
    const auto ready = client.read_answer(false);
    CHECK(ready.status == 503);
    CHECK(ready.body == "registry");
    CHECK(client.ask("HEAD", "/metrics").status == 200);
    CHECK(client.ask("POST", "/metrics", "x").status == 405);
    CHECK(client.ask("GET", "/api/v1/services").status == 404);
    CHECK(client.ask("GET", "/").status == 404);
    CHECK(server.statistics().requests == 6);
    server.stop();
  }
}

TEST_CASE("an address that is taken is a sentence") {
  api::Server first({.address = *model::Address::parse("127.0.0.1"), .local_only = false, .port = 0}, pages());
  REQUIRE(first.start());
  api::Server second({.address = *model::Address::parse("127.0.0.1"), .local_only = false, .port = first.port()},
                     pages());
  const auto started = second.start();
  REQUIRE_FALSE(started);
  CHECK(started.error() ==
        "cannot serve pages on 127.0.0.1:" + std::to_string(first.port()) + ": the port is in use");
}
