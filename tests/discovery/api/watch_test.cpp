#include "tests/discovery/api/api_fixture.hpp"

using namespace signpost;
using nlohmann::json;
using test::Answer;
using test::ApiFixture;
using test::HttpClient;

namespace {

const std::string services = "/api/v1/namespaces/default/services";
const std::string merge = "Content-Type: application/merge-patch+json\r\n";

std::string seen(const json& line) {
  if (line.is_discarded()) return "end";
  return line["type"].get<std::string>() + " " + line["object"]["metadata"].value("name", "");
}

std::string revision_of(ApiFixture& api) { return api.ask("GET", services).json()["metadata"]["resourceVersion"]; }

TEST_CASE("a watch goes on from a list") {
  ApiFixture api;
  const std::string revision = revision_of(api);
  HttpClient client(api.server->port());
  client.request("GET", services + "?watch=true&resourceVersion=" + revision);
  REQUIRE(client.read_head().status == 200);
  CHECK(client.quiet(50));
  const Answer created = api.create("web");
  json line = client.read_line();
  CHECK(seen(line) == "ADDED web");
  CHECK(line["object"] == created.json());
  REQUIRE(api.ask("PATCH", services + "/web", R"({"metadata":{"labels":{"a":"b"}}})", merge).status == 200);
  CHECK(seen(client.read_line()) == "MODIFIED web");
  REQUIRE(api.ask("DELETE", services + "/web").status == 200);
  line = client.read_line();
  CHECK(seen(line) == "DELETED web");
  CHECK(std::stol(line["object"]["metadata"]["resourceVersion"].get<std::string>()) > std::stol(revision));

  // Another one resumes in the middle and sees the same.
  HttpClient late(api.server->port());
  late.request("GET", services + "?watch=true&resourceVersion=" +
                          created.json()["metadata"]["resourceVersion"].get<std::string>());
  REQUIRE(late.read_head().status == 200);
  CHECK(seen(late.read_line()) == "MODIFIED web");
  CHECK(seen(late.read_line()) == "DELETED web");
  CHECK(api.server->statistics().watches == 2);
}

TEST_CASE("a watch without a revision begins with what there is") {
  ApiFixture api;
  REQUIRE(api.create("web").status == 201);
  for (const char* query : {"?watch=1", "?watch=1&resourceVersion=0"}) {
    HttpClient client(api.server->port());
    client.request("GET", services + query);
    REQUIRE(client.read_head().status == 200);
    CHECK(seen(client.read_line()) == "ADDED kubernetes");
    CHECK(seen(client.read_line()) == "ADDED web");
    CHECK(client.quiet(50));
  }
  HttpClient client(api.server->port());
  client.request("GET", "/apis/discovery.k8s.io/v1/endpointslices?allowWatchBookmarks=true&resourceVersionMatch="
                        "NotOlderThan&sendInitialEvents=true&timeout=5m35s&timeoutSeconds=335&watch=true");
  REQUIRE(client.read_head().status == 200);
  const json bookmark = client.read_line();
  CHECK(bookmark["type"] == "BOOKMARK");
  CHECK(bookmark["object"]["kind"] == "EndpointSlice");
  CHECK(bookmark["object"]["apiVersion"] == "discovery.k8s.io/v1");
  CHECK(bookmark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"] == "true");
  CHECK(bookmark["object"]["metadata"]["resourceVersion"].is_string());
}

TEST_CASE("sendInitialEvents: objects, the bookmark that ends them, then changes") {
  ApiFixture api;
  REQUIRE(api.create("web").status == 201);
  HttpClient client(api.server->port());
  client.request("GET", "/api/v1/services?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&"
                        "allowWatchBookmarks=true");
  REQUIRE(client.read_head().status == 200);
  CHECK(seen(client.read_line()) == "ADDED kubernetes");
  CHECK(seen(client.read_line()) == "ADDED web");
  CHECK(client.read_line()["type"] == "BOOKMARK");
  REQUIRE(api.create("next").status == 201);
  CHECK(seen(client.read_line()) == "ADDED next");

  HttpClient future(api.server->port());
  future.request("GET", "/api/v1/services?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&"
                        "resourceVersion=999999");
  const Answer answer = future.read_answer();
  CHECK(answer.json()["type"] == "ERROR");
  CHECK(answer.json()["object"]["code"] == 504);
}

TEST_CASE("selectors turn changes into appearing and vanishing") {
  ApiFixture api;
  const std::string revision = revision_of(api);
  HttpClient client(api.server->port());
  client.request("GET", services + "?watch=true&labelSelector=x%3D1&resourceVersion=" + revision);
  REQUIRE(client.read_head().status == 200);
  REQUIRE(api.create("other").status == 201);
  REQUIRE(api.create("web").status == 201);
  REQUIRE(api.ask("PATCH", services + "/web", R"({"metadata":{"labels":{"x":"1"}}})", merge).status == 200);
  CHECK(seen(client.read_line()) == "ADDED web");
  REQUIRE(api.ask("PATCH", services + "/web", R"({"metadata":{"labels":{"y":"1"}}})", merge).status == 200);
  CHECK(seen(client.read_line()) == "MODIFIED web");
  const Answer left = api.ask("PATCH", services + "/web", R"({"metadata":{"labels":{"x":"2"}}})", merge);
  const json line = client.read_line();
  CHECK(seen(line) == "DELETED web");
  CHECK(line["object"]["metadata"]["labels"]["x"] == "1"); // the last state that matched …
  CHECK(line["object"]["metadata"]["resourceVersion"] == left.json()["metadata"]["resourceVersion"]); // … as of now
  CHECK(client.quiet(50));

  HttpClient by_field(api.server->port());
  by_field.request("GET",
                   "/api/v1/services?watch=true&fieldSelector=spec.clusterIP!%3DNone&resourceVersion=" + revision);
  REQUIRE(by_field.read_head().status == 200);
  CHECK(seen(by_field.read_line()) == "ADDED other");
}

TEST_CASE("bookmarks come in time and before the end, which is clean") {
  api::Settings settings;
  settings.bookmark_every = std::chrono::milliseconds(100);
  ApiFixture api("10.96.0.0/16", settings);
  const std::string revision = revision_of(api);
  HttpClient client(api.server->port());
  client.request("GET", services + "?watch=true&allowWatchBookmarks=true&timeoutSeconds=1&resourceVersion=" + revision);
  REQUIRE(client.read_head().status == 200);
  int bookmarks = 0;
  while (true) {
    const json line = client.read_line();
    if (line.is_discarded()) break;
    CHECK(line["type"] == "BOOKMARK");
    CHECK(line["object"]["metadata"]["resourceVersion"] == revision);
    ++bookmarks;
  }
  CHECK(bookmarks >= 2);
  CHECK(client.ended_cleanly());
}

TEST_CASE("a revision that history no longer reaches is expired") {
  ApiFixture api("10.96.0.0/16", {}, {}, {.history = {.revisions = 3, .age = std::chrono::seconds(0)}});
  for (int i = 0; i < 200; ++i)
    REQUIRE(api.ask("PATCH", services + "/kubernetes", R"({"metadata":{"labels":{"n":")" + std::to_string(i) + "\"}}}",
                    merge)
                .status == 200);
  REQUIRE(api.store.compacted() >= 1);
  HttpClient client(api.server->port());
  client.request("GET", services + "?watch=true&resourceVersion=1");
  const Answer answer = client.read_answer();
  CHECK(answer.status == 410);
  CHECK(answer.json()["reason"] == "Expired");
}

TEST_CASE("tables of watches have rows") {
  ApiFixture api;
  const std::string revision = revision_of(api);
  HttpClient client(api.server->port());
  client.request("GET", services + "?watch=true&resourceVersion=" + revision, "",
                 "Accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/json\r\n");
  REQUIRE(client.read_head().status == 200);
  REQUIRE(api.create("web").status == 201);
  REQUIRE(api.ask("DELETE", services + "/web").status == 200);
  json line = client.read_line();
  CHECK(line["type"] == "ADDED");
  CHECK(line["object"]["kind"] == "Table");
  CHECK(line["object"]["columnDefinitions"].size() == 7);
  CHECK(line["object"]["rows"][0]["cells"][0] == "web");
  line = client.read_line();
  CHECK(line["type"] == "DELETED");
  CHECK(line["object"]["columnDefinitions"].is_null());
}

TEST_CASE("a watcher that does not read is cut, others are not") {
  api::Settings settings;
  settings.watch_backlog_events = 64;
  settings.write_timeout = std::chrono::milliseconds(1500);
  ApiFixture api("10.96.0.0/16", settings);
  const std::string revision = revision_of(api);
  HttpClient lazy(api.server->port(), 4096), busy(api.server->port());
  lazy.request("GET", services + "?watch=true&resourceVersion=" + revision);
  busy.request("GET", services + "?watch=true&resourceVersion=" + revision);
  REQUIRE(busy.read_head().status == 200);
  const std::string filler(100'000, 'x');
  for (int i = 0; i < 100; ++i) {
    REQUIRE(api.ask("PATCH", services + "/kubernetes",
                    R"({"metadata":{"annotations":{"n":")" + std::to_string(i) + R"(","x":")" + filler + "\"}}}", merge)
                .status == 200);
    CHECK(seen(busy.read_line()) == "MODIFIED kubernetes");
  }
  CHECK(lazy.closes());
}

TEST_CASE("stop ends watches cleanly and refuses what comes after") {
  ApiFixture api;
  HttpClient client(api.server->port()), idle(api.server->port());
  client.request("GET", services + "?watch=true&resourceVersion=" + revision_of(api));
  REQUIRE(client.read_head().status == 200);
  const auto port = api.server->port();
  api.server->stop();
  CHECK_FALSE(client.read_chunk());
  CHECK(client.ended_cleanly());
  CHECK(idle.closes());
  HttpClient late(port);
  CHECK_FALSE(late.connected());
}

TEST_CASE("connections that come while the server stops are closed, too") {
  api::Settings settings;
  settings.loops = 16; // some of their threads will not have begun
  for (int round = 0; round < 30; ++round) {
    ApiFixture api("10.96.0.0/16", settings);
    std::vector<std::unique_ptr<HttpClient>> clients;
    for (int i = 0; i < 16; ++i) clients.push_back(std::make_unique<HttpClient>(api.server->port()));
    api.server->stop();
    for (const auto& client : clients) REQUIRE(client->closes());
  }
}

} // namespace
