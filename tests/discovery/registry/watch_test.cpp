#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>

#include "tests/discovery/registry/harness.hpp"

namespace signpost::registry::test {
namespace {

/// Collects the events of a stream; the tests wait for a revision, never for a time.
class Watcher {
public:
  Watcher(Cluster& cluster, Kind kind, const std::string& name_space, store::Revision after) {
    auto stream =
        cluster.registry.watch(kind, name_space, after, [this](const std::shared_ptr<const EventBatch>& batch) {
          const std::lock_guard lock(mutex_);
          for (const Event& event : batch->events) {
            const Json json = json_of(event.object);
            lines_.push_back((event.deleted               ? "DELETED "
                              : event.previous == nullptr ? "ADDED "
                                                          : "MODIFIED ") +
                             json["metadata"]["name"].get<std::string>());
            objects_.push_back(json);
          }
          revision_ = batch->revision;
          arrived_.notify_all();
        });
    REQUIRE(stream);
    stream_ = std::move(*stream);
  }

  std::vector<std::string> up_to(std::size_t events) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, std::chrono::seconds(20), [&] { return lines_.size() >= events; });
    return lines_;
  }
  std::vector<Json> objects() {
    const std::lock_guard lock(mutex_);
    return objects_;
  }

private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::string> lines_;
  std::vector<Json> objects_;
  store::Revision revision_ = 0;
  std::unique_ptr<EventStream> stream_;
};

Json service(const std::string& name) {
  return {{"metadata", {{"name", name}}}, {"spec", {{"ports", {{{"port", 80}}}}}}};
}

Json slice(const std::string& name, const std::string& of, const std::string& address) {
  return {{"metadata", {{"name", name}, {"labels", {{"kubernetes.io/service-name", of}}}}},
          {"addressType", "IPv4"},
          {"endpoints", {{{"addresses", {address}}}}}};
}

using Lines = std::vector<std::string>;

TEST_CASE("a watch tells what happened, in order, with the revision of each change") {
  Cluster cluster({"10.96.0.0/16"});
  const store::Revision start = cluster.registry.revision();
  REQUIRE(cluster.client.create(Kind::service, "default", service("early")));
  Watcher watcher(cluster, Kind::service, "default", start);
  REQUIRE(cluster.client.create(Kind::service, "default", service("web")));
  REQUIRE(cluster.client.create(Kind::service, "kube-system", service("elsewhere")));
  REQUIRE(cluster.client.patch(Kind::service, "default", "web", {{"metadata", {{"labels", {{"a", "b"}}}}}}));
  REQUIRE(cluster.client.remove(Kind::service, "default", "web"));
  CHECK(watcher.up_to(4) == Lines{"ADDED early", "ADDED web", "MODIFIED web", "DELETED web"});
  const auto objects = watcher.objects();
  CHECK(objects[3]["metadata"]["labels"]["a"] == "b"); // its last state
  CHECK(objects[3]["metadata"]["resourceVersion"] == std::to_string(cluster.registry.revision()));
}

TEST_CASE("endpoints follow their slices") {
  Cluster cluster({"10.96.0.0/16"});
  REQUIRE(cluster.client.create(Kind::endpoint_slice, "default", slice("web-a", "web", "10.1.0.1")));
  Watcher watcher(cluster, Kind::endpoints, "", cluster.registry.revision());
  REQUIRE(cluster.client.create(Kind::endpoint_slice, "default", slice("web-b", "web", "10.1.0.2")));
  REQUIRE(cluster.client.create(Kind::endpoint_slice, "default", slice("dns-a", "dns", "10.1.0.3")));
  REQUIRE(cluster.client.patch(Kind::endpoint_slice, "default", "web-b", {{"metadata", {{"labels", {{"x", "y"}}}}}}));
  REQUIRE(cluster.client.remove(Kind::endpoint_slice, "default", "web-a"));
  REQUIRE(cluster.client.patch(Kind::endpoint_slice, "default", "web-b",
                               {{"metadata", {{"labels", {{"kubernetes.io/service-name", "dns"}}}}}}));
  CHECK(watcher.up_to(5) == Lines{"MODIFIED web", "ADDED dns", "MODIFIED web", "MODIFIED dns", "DELETED web"});
}

TEST_CASE("a watcher of Endpoints sees those that were written as one with those that are computed") {
  Cluster cluster({"10.96.0.0/16"});
  REQUIRE(cluster.client.create(Kind::endpoint_slice, "default", slice("web-a", "web", "10.1.0.1")));
  Watcher watcher(cluster, Kind::endpoints, "default", cluster.registry.revision());
  const Json written = {{"metadata", {{"name", "web"}}}, {"subsets", {{{"addresses", {{{"ip", "10.1.0.9"}}}}}}}};
  REQUIRE(cluster.client.create(Kind::endpoints, "default", written));
  REQUIRE(cluster.client.create(Kind::endpoints, "kube-system", written));
  REQUIRE(cluster.client.remove(Kind::endpoint_slice, "default", "web-a")); // nothing to be seen
  REQUIRE(cluster.client.create(Kind::endpoint_slice, "default", slice("web-a", "web", "10.1.0.1")));
  REQUIRE(cluster.client.remove(Kind::endpoints, "default", "web"));
  REQUIRE(cluster.client.remove(Kind::endpoint_slice, "default", "web-a"));
  CHECK(watcher.up_to(3) == Lines{"MODIFIED web", "MODIFIED web", "DELETED web"});
}

TEST_CASE("addresses appear and go with their services") {
  Cluster cluster({"10.96.0.0/16"});
  Watcher watcher(cluster, Kind::ip_address, "", cluster.registry.revision());
  Json body = service("web");
  body["spec"]["clusterIP"] = "10.96.0.80";
  REQUIRE(cluster.client.create(Kind::service, "default", body));
  REQUIRE(cluster.client.remove(Kind::service, "default", "web"));
  CHECK(watcher.up_to(2) == Lines{"ADDED 10.96.0.80", "DELETED 10.96.0.80"});
  CHECK(watcher.objects()[1]["spec"]["parentRef"]["name"] == "web");
}

TEST_CASE("a namespace's end is one revision for everything in it") {
  Cluster cluster({"10.96.0.0/16"});
  REQUIRE(cluster.client.create(Kind::name_space, "", {{"metadata", {{"name", "team"}}}}));
  for (int i = 0; i < 5; ++i) REQUIRE(cluster.client.create(Kind::service, "team", service("s" + std::to_string(i))));
  Watcher services(cluster, Kind::service, "team", cluster.registry.revision());
  Watcher spaces(cluster, Kind::name_space, "", cluster.registry.revision());
  REQUIRE(cluster.client.remove(Kind::name_space, "", "team"));
  CHECK(services.up_to(5).size() == 5);
  CHECK(spaces.up_to(2) == Lines{"MODIFIED team", "DELETED team"});
  const Json last = spaces.objects()[1]["metadata"]["resourceVersion"];
  for (const Json& object : services.objects()) CHECK(object["metadata"]["resourceVersion"] == last);
}

TEST_CASE("history that is gone is 410, a revision to come is not") {
  store::MemoryStore::Settings little;
  little.history.revisions = 2;
  little.history.age = std::chrono::seconds(0);
  store::MemoryStore store(little);
  Registry registry(store, settings_for({"10.96.0.0/16"}));
  REQUIRE(registry.open());
  Client client(registry);
  for (int i = 0; i < 200; ++i) REQUIRE(client.create(Kind::service, "default", service("s" + std::to_string(i))));
  REQUIRE(store.compacted() > 1);
  for (const Kind kind : {Kind::service, Kind::endpoints}) {
    const auto refused = registry.watch(kind, "", 1, [](const auto&) {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == 410);
    CHECK(refused.error().reason == "Expired");
    CHECK(refused.error().message.substr(0, 30) ==
          "too old resource version: 1 (" + std::to_string(store.compacted() + 1).substr(0, 1));
  }
  CHECK(registry.list({.kind = Kind::service, .revision = 1}).error().code == 410);
  CHECK(registry.list({.kind = Kind::service, .revision = 100000}).error().code == 504);
}

} // namespace
} // namespace signpost::registry::test
