#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "tests/discovery/registry/harness.hpp"

// What is in an object never passes for what the object is: words in annotations, long lists, many of one kind.

namespace signpost::registry::test {
namespace {

const std::vector<std::string> prefixes{"10.96.0.0/16"};

Json slice(const std::string& name, const Json& metadata) {
  Json body{{"metadata", {{"name", name}}},
            {"addressType", "IPv4"},
            {"endpoints", Json::array({{{"addresses", Json::array({"10.1.0.1"})}}})},
            {"ports", Json::array({{{"name", "http"}, {"port", 80}}})}};
  body["metadata"].update(metadata);
  return body;
}

TEST_CASE("a slice belongs to the service that its label names, not an annotation") {
  Cluster cluster(prefixes);
  const Json annotation{{"annotations", {{"kubernetes.io/service-name", "web"}}}};
  REQUIRE(cluster.client.create(Kind::endpoint_slice, "default", slice("noted", annotation)));
  CHECK_FALSE(cluster.client.get(Kind::endpoints, "default", "web").has_value());
  CHECK(cluster.client.list(Kind::endpoints, "default").items.empty());

  Json both = annotation;
  both["labels"] = {{"kubernetes.io/service-name", "shop"}};
  REQUIRE(cluster.client.create(Kind::endpoint_slice, "default", slice("both", both)));
  CHECK_FALSE(cluster.client.get(Kind::endpoints, "default", "web").has_value());
  CHECK(cluster.client.get(Kind::endpoints, "default", "shop").has_value());
  CHECK(cluster.client.list(Kind::endpoints, "default").items.size() == 1);
}

TEST_CASE("a watch of Endpoints takes a slice's service from its label, too") {
  Cluster cluster(prefixes);
  std::atomic<int> events{0};
  auto stream = cluster.registry.watch(Kind::endpoints, "default", cluster.registry.revision(),
                                       [&](const std::shared_ptr<const EventBatch>& batch) {
                                         if (batch != nullptr) events += static_cast<int>(batch->events.size());
                                       });
  REQUIRE(stream);
  const Json noted = slice("noted", {{"annotations", {{"kubernetes.io/service-name", "web"}}}});
  REQUIRE(cluster.client.create(Kind::endpoint_slice, "default", noted));
  REQUIRE(cluster.client.create(Kind::endpoint_slice, "default",
                                slice("real", {{"labels", {{"kubernetes.io/service-name", "shop"}}}})));
  CHECK(eventually([&] { return events >= 1; }));
  CHECK(events == 1);
}

TEST_CASE("an IPAddress is read as it was created, whatever words are in it") {
  Cluster cluster(prefixes);
  const Json body{
      {"metadata",
       {{"name", "10.96.7.7"},
        {"annotations", {{"note", "default web 0b1c 2026-01-31T12:00:00Z"}, {"writer", "ipallocator.k8s.io"}}}}},
      {"spec", {{"parentRef", {{"resource", "nodes"}, {"name", "n 1 2 3"}}}}}};
  const auto made = cluster.client.create(Kind::ip_address, "", body);
  REQUIRE(made);
  const auto read = cluster.client.get(Kind::ip_address, "", "10.96.7.7");
  REQUIRE(read);
  CHECK(json_of(*read) == json_of(*made));
  CHECK(json_of(cluster.client.list(Kind::ip_address).items.back()) == json_of(*made));
  const auto refused =
      cluster.client.create(Kind::service, "default",
                            {{"metadata", {{"name", "web"}}},
                             {"spec", {{"clusterIP", "10.96.7.7"}, {"ports", Json::array({{{"port", 80}}})}}}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("held by nodes n 1 2 3") != std::string::npos);
}

TEST_CASE("an object has one controller") {
  Cluster cluster(prefixes);
  const auto owner = [](const char* name, bool controller) {
    return Json{{"apiVersion", "v1"}, {"kind", "Node"}, {"name", name}, {"uid", name}, {"controller", controller}};
  };
  const auto make = [&](const Json& owners) {
    return cluster.client.create(Kind::service, "default",
                                 {{"metadata", {{"name", "web"}, {"ownerReferences", owners}}},
                                  {"spec", {{"ports", Json::array({{{"port", 80}}})}}}});
  };
  const auto two = make({owner("a", true), owner("b", false), owner("c", true)});
  REQUIRE_FALSE(two);
  CHECK(two.error().code == 422);
  CHECK(two.error().causes.at(0).field == "metadata.ownerReferences");
  CHECK(two.error().message.find("Only one reference can have Controller set to true. Found \"true\" in references for "
                                 "Node/a and Node/c") != std::string::npos);
  REQUIRE(make({owner("a", true), owner("b", false)}));
  CHECK(cluster.client
            .patch(Kind::service, "default", "web",
                   {{"metadata", {{"ownerReferences", {owner("a", true), owner("b", true)}}}}})
            .error()
            .code == 422);
}

TEST_CASE("the generateName of an event is judged in both groups") {
  Cluster cluster(prefixes);
  const auto make = [&](const char* prefix) {
    return cluster.client.create(Kind::group_event, "default",
                                 {{"metadata", {{"generateName", prefix}, {"namespace", "default"}}},
                                  {"eventTime", "2026-01-31T12:00:00.000000Z"},
                                  {"type", "Normal"},
                                  {"reason", "Tested"},
                                  {"action", "Testing"},
                                  {"reportingController", "example.com/test"},
                                  {"reportingInstance", "test-1"},
                                  {"regarding", {{"kind", "Service"}, {"namespace", "default"}, {"name", "web"}}}});
  };
  const auto bad = make("Not_A_Name-");
  REQUIRE_FALSE(bad);
  CHECK(bad.error().code == 422);
  CHECK(bad.error().causes.at(0).field == "metadata.generateName");
  CHECK(make("fine-").has_value());
}

TEST_CASE("writers who name no resourceVersion never hear of a race") {
  Cluster cluster(prefixes);
  REQUIRE(
      cluster.client.create(Kind::service, "default",
                            {{"metadata", {{"name", "web"}}}, {"spec", {{"ports", Json::array({{{"port", 80}}})}}}}));
  constexpr int writers = 8, patches = 10;
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int writer = 0; writer < writers; ++writer)
    threads.emplace_back([&, writer] {
      for (int i = 0; i < patches; ++i) {
        const std::string label = "w" + std::to_string(writer) + "-" + std::to_string(i);
        if (!cluster.client.patch(Kind::service, "default", "web", {{"metadata", {{"labels", {{label, "x"}}}}}}))
          ++failed;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(failed == 0);
  CHECK(json_of(cluster.client.get(Kind::service, "default", "web").value())["metadata"]["labels"].size() ==
        writers * patches);
}

TEST_CASE("a refusal of a long list is short, and says how much it leaves out") {
  Cluster cluster(prefixes);
  Json ports = Json::array();
  for (int i = 0; i < 40'000; ++i) ports.push_back({{"port", 80}});
  const auto refused =
      cluster.client.create(Kind::service, "default", {{"metadata", {{"name", "web"}}}, {"spec", {{"ports", ports}}}});
  REQUIRE_FALSE(refused);
  std::size_t size = refused.error().message.size();
  for (const Cause& cause : refused.error().causes) size += cause.message.size() + cause.field.size();
  CHECK(size < 200'000);
  CHECK(refused.error().message.find("further errors") != std::string::npos);
}

} // namespace
} // namespace signpost::registry::test
