// Watches that resume from far back: every change since, once, in order, and then those to come; or 410. The depths go
// past every bound between the store and the watcher (the tail of 512 that all have seen, pages of 500, batches of 256,
// the backlog's events and bytes).
#include <future>
#include <thread>

#include "discovery/api/channel.hpp"
#include "tests/discovery/api/api_fixture.hpp"

using namespace signpost;
using nlohmann::json;
using test::Answer;
using test::ApiFixture;
using test::HttpClient;

namespace {

const std::string merge = "Content-Type: application/merge-patch+json\r\n";
using Revisions = std::vector<long>;

long revision_of(const json& object) { return std::stol(object["metadata"]["resourceVersion"].get<std::string>()); }

/// An object of a kind that is changed again and again.
struct Subject {
  std::string collection, object, create; // `create` in `into`, unless it is there from the start
  std::string into;
};

const std::vector<Subject>& subjects() {
  const std::string core = "/api/v1/namespaces/default/", slices = "/apis/discovery.k8s.io/v1/";
  static const std::vector<Subject> all{
      {"/api/v1/services", core + "services/kubernetes", "", ""},
      {"/api/v1/namespaces", "/api/v1/namespaces/default", "", ""},
      {"/apis/networking.k8s.io/v1/servicecidrs", "/apis/networking.k8s.io/v1/servicecidrs/kubernetes", "", ""},
      {"/apis/networking.k8s.io/v1/ipaddresses", "/apis/networking.k8s.io/v1/ipaddresses/10.96.7.7",
       R"({"metadata":{"name":"10.96.7.7"},"spec":{"parentRef":{"resource":"gateways","name":"edge"}}})",
       "/apis/networking.k8s.io/v1/ipaddresses"},
      {slices + "endpointslices", slices + "namespaces/default/endpointslices/a",
       R"({"metadata":{"name":"a","labels":{"kubernetes.io/service-name":"web"}},"addressType":"IPv4","endpoints":[{"addresses":["10.1.0.1"]}],"ports":[{"port":80}]})",
       slices + "namespaces/default/endpointslices"},
      {"/api/v1/endpoints", core + "endpoints/db",
       R"({"metadata":{"name":"db"},"subsets":[{"addresses":[{"ip":"10.1.0.9"}],"ports":[{"port":80}]}]})",
       core + "endpoints"},
      {"/apis/coordination.k8s.io/v1/leases", "/apis/coordination.k8s.io/v1/namespaces/default/leases/l",
       R"({"metadata":{"name":"l"},"spec":{"holderIdentity":"x"}})",
       "/apis/coordination.k8s.io/v1/namespaces/default/leases"},
      {"/api/v1/pods", core + "pods/p", R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}})",
       core + "pods"},
      {"/api/v1/nodes", "/api/v1/nodes/n", R"({"metadata":{"name":"n"}})", "/api/v1/nodes"},
      {"/api/v1/events", core + "events/e",
       R"({"metadata":{"name":"e"},"involvedObject":{"namespace":"default","name":"web","kind":"Service"},"reason":"R","message":"m","type":"Normal"})",
       core + "events"},
      {"/apis/events.k8s.io/v1/events", core + "events/e", "", ""},
  };
  return all;
}

/// Changes the object so often; the revisions of the changes.
Revisions change(HttpClient& client, const Subject& subject, std::size_t times) {
  static int changes = 0; // no change is like the one before
  Revisions revisions;
  for (std::size_t i = 0; i < times; ++i, ++changes) {
    const Answer answer = client.ask("PATCH", subject.object,
                                     R"({"metadata":{"labels":{"k":"v","n":")" + std::to_string(changes % 2) +
                                         R"(","kubernetes.io/service-name":"web"},"annotations":{"i":")" +
                                         std::to_string(changes) + "\"}}}",
                                     merge);
    REQUIRE_MESSAGE(answer.status == 200, answer.body);
    revisions.push_back(revision_of(answer.json()));
  }
  return revisions;
}

/// What a watch shows: the revisions of its events until `last`, without bookmarks.
Revisions seen(HttpClient& client, long last) {
  Revisions revisions;
  while (revisions.empty() || revisions.back() < last) {
    const json line = client.read_line();
    if (line.is_discarded() || line["type"] == "ERROR") break;
    if (line["type"] == "BOOKMARK") continue;
    const json& object = line["object"];
    revisions.push_back(revision_of(object["kind"] == "Table" ? object["rows"][0]["object"] : object));
  }
  return revisions;
}

std::string watch_of(const std::string& collection, long after, const std::string& more = "") {
  return collection + "?watch=true&resourceVersion=" + std::to_string(after) + more;
}

TEST_CASE("a watch resumes from beyond the common tail, on every kind") {
  ApiFixture api;
  HttpClient writer(api.server->port());
  for (const Subject& subject : subjects()) {
    CAPTURE(subject.collection);
    if (!subject.create.empty()) {
      const Answer created = writer.ask("POST", subject.into, subject.create, "Content-Type: application/json\r\n");
      REQUIRE_MESSAGE(created.status == 201, created.body);
    }
    Revisions due = change(writer, subject, 700);
    for (const std::size_t back : {std::size_t{1}, std::size_t{511}, std::size_t{513}, std::size_t{699}}) {
      CAPTURE(back);
      HttpClient client(api.server->port());
      const long after = due[due.size() - back] - 1;
      client.request("GET", watch_of(subject.collection, after));
      REQUIRE(client.read_head().status == 200);
      const Revisions live = change(writer, subject, 1);
      due.insert(due.end(), live.begin(), live.end());
      CHECK(seen(client, due.back()) == Revisions(due.end() - static_cast<long>(back) - 1, due.end()));
    }
  }
}

TEST_CASE("far back, whatever the watch asks for") {
  ApiFixture api;
  HttpClient writer(api.server->port());
  const Subject& subject = subjects().front();
  Revisions due = change(writer, subject, 1200);
  const std::string table = "Accept: application/json;as=Table;v=v1;g=meta.k8s.io\r\n";
  const std::string partial = "Accept: application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io\r\n";
  struct Wish {
    std::string query, headers;
  };
  for (const Wish& wish : {Wish{"&allowWatchBookmarks=true", ""}, Wish{"&labelSelector=k%3Dv"},
                           Wish{"&fieldSelector=metadata.name%3Dkubernetes", ""}, Wish{"", table}, Wish{"", partial}}) {
    CAPTURE(wish.query);
    CAPTURE(wish.headers);
    HttpClient client(api.server->port());
    client.request("GET", watch_of(subject.collection, due[100] - 1, wish.query), "", wish.headers);
    REQUIRE(client.read_head().status == 200);
    const Revisions live = change(writer, subject, 1);
    due.insert(due.end(), live.begin(), live.end());
    CHECK(seen(client, due.back()) == Revisions(due.begin() + 100, due.end()));
  }

  // Every second change leaves the selector, and every second comes back.
  HttpClient half(api.server->port());
  half.request("GET", watch_of(subject.collection, due[100] - 1, "&labelSelector=n%3D1"));
  REQUIRE(half.read_head().status == 200);
  CHECK(half.read_line()["type"] == "DELETED");
  CHECK(half.read_line()["type"] == "ADDED");

  // Protobuf: one frame a change, each with its length before it.
  HttpClient binary(api.server->port());
  binary.request("GET", watch_of(subject.collection, due[100] - 1), "",
                 "Accept: application/vnd.kubernetes.protobuf;stream=watch\r\n");
  REQUIRE(binary.read_head().status == 200);
  std::size_t frames = 0;
  std::string input;
  while (frames < due.size() - 100) {
    auto chunk = binary.read_chunk();
    REQUIRE(chunk);
    input += *chunk;
    while (input.size() >= 4) {
      std::size_t length = 0;
      for (int i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(input[static_cast<std::size_t>(i)]);
      if (input.size() < 4 + length) break;
      input.erase(0, 4 + length);
      ++frames;
    }
  }
  CHECK(input.empty());
}

TEST_CASE("many watches resume from different depths while others write") {
  ApiFixture api;
  const Subject& subject = subjects().front();
  Revisions due;
  {
    HttpClient writer(api.server->port());
    due = change(writer, subject, 2000);
  }
  std::vector<std::unique_ptr<HttpClient>> clients;
  const std::vector<std::size_t> from{1999, 1500, 1480, 700, 1000, 1400, 300, 0};
  std::thread writing([&] {
    HttpClient writer(api.server->port());
    const Revisions more = change(writer, subject, 800);
    due.insert(due.end(), more.begin(), more.end());
  });
  for (const std::size_t index : from) {
    clients.push_back(std::make_unique<HttpClient>(api.server->port()));
    clients.back()->request("GET", watch_of(subject.collection, static_cast<long>(index) + due[0] - 1));
  }
  writing.join();
  for (std::size_t i = 0; i < from.size(); ++i) {
    CAPTURE(from[i]);
    const int status = clients[i]->read_head().status;
    if (status == 410) continue; // more depths at once than are read at once
    REQUIRE(status == 200);
    CHECK(seen(*clients[i], due.back()) == Revisions(due.begin() + static_cast<long>(from[i]), due.end()));
  }
}

TEST_CASE("what there is, read slowly while more changes come than the tail holds, goes on without a gap") {
  ApiFixture api;
  const Subject& subject = subjects().front();
  const std::string filler(200'000, 'x');
  for (int i = 0; i < 40; ++i)
    REQUIRE(
        api.create("big" + std::to_string(i), R"("ports":[{"port":80}])", R"(,"annotations":{"x":")" + filler + "\"}")
            .status == 201);
  HttpClient slow(api.server->port(), 4096), writer(api.server->port());
  slow.request("GET", subject.collection + "?watch=true");
  REQUIRE(slow.read_head().status == 200);
  CHECK(slow.read_line()["type"] == "ADDED");
  const Revisions due = change(writer, subject, 1100);
  for (int i = 0; i < 40; ++i) REQUIRE(slow.read_line()["type"] == "ADDED");
  CHECK(seen(slow, due.back()) == due);
}

TEST_CASE("more than a backlog holds is expired, never silence") {
  api::Settings settings;
  settings.watch_backlog_events = 600;
  settings.watch_backlog_bytes = 1 << 20;
  ApiFixture api("10.96.0.0/16", settings);
  HttpClient writer(api.server->port());
  const Subject& subject = subjects().front();
  const Revisions due = change(writer, subject, 700);
  const auto status = [&](long after) {
    HttpClient client(api.server->port());
    client.request("GET", watch_of(subject.collection, after));
    const Answer head = client.read_head();
    if (head.status == 200) CHECK(seen(client, due.back()).size() == static_cast<std::size_t>(due.back() - after));
    return head.status;
  };
  CHECK(status(due.back() - 590) == 200);
  CHECK(status(due.back() - 601) == 410);
  CHECK(status(due.back() - 690) == 410);

  const Answer big = writer.ask("PATCH", subject.object,
                                R"({"metadata":{"annotations":{"x":")" + std::string(200'000, 'x') + "\"}}}", merge);
  REQUIRE(big.status == 200);
  const Revisions heavy = change(writer, subject, 20);
  HttpClient client(api.server->port());
  client.request("GET", watch_of(subject.collection, heavy.front() - 1));
  const Answer refused = client.read_answer();
  CHECK(refused.status == 410);
  CHECK(refused.json()["reason"] == "Expired");
}

TEST_CASE("a backlog of the default size, and one change more") {
  ApiFixture api;
  const Subject& subject = subjects().front();
  const long before = api.registry.revision();
  for (int i = 0; i < 16'385; ++i) {
    std::promise<bool> done;
    api.registry.update(
        model::Kind::service, "default", "kubernetes",
        [i](const model::Object& current, const registry::Stored&) -> registry::Result<model::Object> {
          auto service = std::get<model::Service>(current);
          service.metadata.labels["n"] = std::to_string(i);
          return service;
        },
        std::nullopt, {}, [&](const auto& result) { done.set_value(result.has_value()); });
    REQUIRE(done.get_future().get());
  }
  HttpClient beyond(api.server->port());
  beyond.request("GET", watch_of(subject.collection, before));
  CHECK(beyond.read_answer().status == 410);
  HttpClient within(api.server->port());
  within.request("GET", watch_of(subject.collection, before + 1));
  REQUIRE(within.read_head().status == 200);
  CHECK(seen(within, before + 16'385).size() == 16'384);
}

TEST_CASE("who has caught up moves to the common channel; depths at once are bounded") {
  ApiFixture api;
  HttpClient writer(api.server->port());
  const Revisions due = change(writer, subjects().front(), 1500);
  api::Hub hub(api.registry, {.events = 16'384, .bytes = 64 << 20, .deeper = 2}, [] {});
  auto common = hub.join(model::Kind::service, due.back());
  REQUIRE(common);
  auto deep = hub.join(model::Kind::service, due[700] - 1);
  REQUIRE(deep);
  CHECK((*deep)->channel() != (*common)->channel());
  auto beside = hub.join(model::Kind::service, due[800] - 1); // joins the deep one
  REQUIRE(beside);
  CHECK((*beside)->channel() == (*deep)->channel());
  auto deepest = hub.join(model::Kind::service, due[0] - 1);
  REQUIRE(deepest);
  const auto refused = hub.join(model::Kind::service, due[0] - 2);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == 410);

  CHECK((*deep)->read(10'000).events.size() == 800);
  const auto rest = (*deep)->read(10'000);
  CHECK(rest.events.empty());
  CHECK(hub.settle(model::Kind::service, rest.revision, *deep));
  CHECK((*deep)->channel() == (*common)->channel());
  beside->reset(); // the last of the deep channel: there is room again
  CHECK(hub.join(model::Kind::service, due[0] - 2).has_value());

  const Revisions live = change(writer, subjects().front(), 1);
  const auto read = (*deep)->read(10);
  REQUIRE(read.events.size() == 1);
  CHECK(read.events[0]->revision() == live[0]);
  hub.close();
}

} // namespace
