#include "discovery/endpoints/endpoints_controller.hpp"

#include <doctest/doctest.h>

#include <set>

#include "discovery/endpoints/desired_slices.hpp"
#include "tests/discovery/registry/harness.hpp"

namespace signpost::endpoints {
namespace {

using model::Kind;
using registry::test::Cluster;
using registry::test::eventually;
using registry::test::Json;
using registry::test::json_of;

struct House : Cluster {
  House() : Cluster({"10.96.0.0/16", "fd00:96::/112"}), controller(store, registry) {}

  EndpointsController controller;

  void service(const std::string& name, const Json& spec = Json::object(), const std::string& where = "default") {
    Json body = {{"metadata", {{"name", name}}},
                 {"spec", {{"ports", {{{"name", "http"}, {"port", 80}, {"targetPort", "web"}}}}}}};
    body["spec"].update(spec);
    REQUIRE(client.create(Kind::service, where, body));
  }

  void pod(const std::string& name, const std::string& ip, bool ready = true, const std::string& app = "web") {
    REQUIRE(client.create(
        Kind::pod, "default",
        {{"metadata", {{"name", name}, {"labels", {{"app", app}}}}},
         {"spec",
          {{"nodeName", "node-a"},
           {"containers", {{{"name", "c"}, {"ports", {{{"name", "web"}, {"containerPort", 8080}}}}}}}}}}));
    const Json status = {{"phase", "Running"},
                         {"podIP", ip},
                         {"podIPs", {{{"ip", ip}}}},
                         {"conditions", {{{"type", "Ready"}, {"status", ready ? "True" : "False"}}}}};
    REQUIRE(client.patch_status(Kind::pod, "default", name, {{"status", status}}));
  }

  std::vector<Json> slices(const std::string& service) {
    std::vector<Json> found;
    for (const auto& stored : client.list(Kind::endpoint_slice, "default").items) {
      Json json = json_of(stored);
      if (json["metadata"]["labels"]["kubernetes.io/service-name"] == service) found.push_back(std::move(json));
    }
    return found;
  }

  /// "10.1.0.1+ 10.1.0.2-": all endpoints of the service, sorted, ready or not.
  std::string endpoints(const std::string& service) {
    std::set<std::string> all;
    for (const Json& slice : slices(service)) {
      for (const Json& one : slice["endpoints"]) {
        all.insert(one["addresses"][0].get<std::string>() + (one["conditions"]["ready"] == true ? "+" : "-"));
      }
    }
    std::string line;
    for (const std::string& one : all) line += (line.empty() ? "" : " ") + one;
    return line;
  }

  bool comes_to(const std::string& service, const std::string& wanted) {
    const bool holds = eventually([&] { return endpoints(service) == wanted; });
    if (!holds) MESSAGE("endpoints of " << service << ": " << endpoints(service));
    return holds;
  }
};

const Json selecting = {{"selector", {{"app", "web"}}}};

TEST_CASE("the Pods that a service selects are its endpoints") {
  House house;
  REQUIRE(house.controller.start());
  house.service("web", selecting);
  house.pod("p1", "10.1.0.1");
  house.pod("p2", "10.1.0.2", false);
  house.pod("other", "10.1.0.3", true, "other");
  CHECK(house.comes_to("web", "10.1.0.1+ 10.1.0.2-"));
  const Json slice = house.slices("web").at(0);
  CHECK(house.slices("web").size() == 1);
  CHECK(slice["addressType"] == "IPv4");
  CHECK(slice["ports"] == Json{{{"name", "http"}, {"port", 8080}, {"protocol", "TCP"}}});
  CHECK(slice["metadata"]["generateName"] == "web-");
  CHECK(json_of(house.client.get(Kind::endpoints, "default", "web").value())["subsets"][0]["addresses"][0]["ip"] ==
        "10.1.0.1");
  CHECK(slice["metadata"]["labels"][managed_by_label] == "endpointslice-controller.k8s.io");

  SUBCASE("readiness, labels and Pods come and go") {
    REQUIRE(house.client.patch_status(Kind::pod, "default", "p2",
                                      {{"status", {{"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}}));
    CHECK(house.comes_to("web", "10.1.0.1+ 10.1.0.2+"));
    REQUIRE(house.client.patch(Kind::pod, "default", "other", {{"metadata", {{"labels", {{"app", "web"}}}}}}));
    CHECK(house.comes_to("web", "10.1.0.1+ 10.1.0.2+ 10.1.0.3+"));
    REQUIRE(house.client.remove(Kind::pod, "default", "p1"));
    CHECK(house.comes_to("web", "10.1.0.2+ 10.1.0.3+"));
    REQUIRE(house.client.patch_status(Kind::pod, "default", "p2", {{"status", {{"phase", "Succeeded"}}}}));
    CHECK(house.comes_to("web", "10.1.0.3+"));
    REQUIRE(house.client.remove(Kind::pod, "default", "other"));
    REQUIRE(house.client.remove(Kind::pod, "default", "p2"));
    CHECK(eventually([&] { return house.slices("web").empty(); })); // none matches: no slice
  }
  SUBCASE("another selector, another port") {
    REQUIRE(house.client.patch(Kind::service, "default", "web", {{"spec", {{"selector", {{"app", "other"}}}}}}));
    CHECK(house.comes_to("web", "10.1.0.3+"));
    REQUIRE(house.client.put(
        Kind::service, "default", "web",
        {{"metadata", {{"name", "web"}}},
         {"spec", {{"ports", {{{"port", 80}, {"targetPort", 9999}}}}, {"selector", {{"app", "web"}}}}}}));
    CHECK(eventually([&] {
      const auto now = house.slices("web");
      return now.size() == 1 && now[0]["ports"][0]["port"] == 9999 && now[0]["endpoints"].size() == 2;
    }));
  }
  SUBCASE("the service goes, its slices go") {
    REQUIRE(house.client.remove(Kind::service, "default", "web"));
    CHECK(eventually([&] { return house.slices("web").empty(); }));
  }
  SUBCASE("without a selector its slices stay as they are") {
    REQUIRE(house.client.patch(Kind::service, "default", "web", {{"spec", {{"selector", nullptr}}}}));
    house.service("later", selecting);
    house.pod("p9", "10.1.0.9");
    CHECK(house.comes_to("later", "10.1.0.1+ 10.1.0.2- 10.1.0.9+"));
    CHECK(house.endpoints("web") == "10.1.0.1+ 10.1.0.2-");
  }
  SUBCASE("what somebody else does to its slices is put right") {
    const std::string name = slice["metadata"]["name"];
    REQUIRE(house.client.patch(Kind::endpoint_slice, "default", name, {{"endpoints", Json::array()}}));
    CHECK(house.comes_to("web", "10.1.0.1+ 10.1.0.2-"));
    REQUIRE(house.client.remove(Kind::endpoint_slice, "default", name));
    CHECK(house.comes_to("web", "10.1.0.1+ 10.1.0.2-"));
  }
  SUBCASE("a node's zone is told") {
    REQUIRE(house.client.create(
        Kind::node, "", {{"metadata", {{"name", "node-a"}, {"labels", {{"topology.kubernetes.io/zone", "west"}}}}}}));
    CHECK(eventually([&] { return house.slices("web").at(0)["endpoints"][0]["zone"] == "west"; }));
  }
}

TEST_CASE("a service that selects nothing costs no pass") {
  House house;
  REQUIRE(house.controller.start());
  house.service("idle", selecting);
  house.pod("p1", "10.1.0.1");
  CHECK(house.comes_to("idle", "10.1.0.1+"));
  const auto passes = house.controller.counters().passes;
  for (int i = 0; i < 20; ++i) house.service("s" + std::to_string(i), {{"selector", {{"app", "nobody"}}}});
  house.pod("p2", "10.1.0.2");
  CHECK(house.comes_to("idle", "10.1.0.1+ 10.1.0.2+"));
  CHECK(house.controller.counters().passes < passes + 20);
}

TEST_CASE("slices of others are left alone") {
  House house;
  REQUIRE(house.client.create(Kind::endpoint_slice, "default",
                              {{"metadata", {{"name", "foreign"}, {"labels", {{"kubernetes.io/service-name", "web"}}}}},
                               {"addressType", "IPv4"},
                               {"endpoints", {{{"addresses", {"10.9.0.9"}}, {"conditions", {{"ready", true}}}}}}}));
  const std::string before = house.client.get(Kind::endpoint_slice, "default", "foreign")->json();
  REQUIRE(house.controller.start());
  house.service("web", selecting);
  house.pod("p1", "10.1.0.1");
  CHECK(house.comes_to("web", "10.1.0.1+ 10.9.0.9+"));
  REQUIRE(house.client.remove(Kind::service, "default", "web"));
  CHECK(house.comes_to("web", "10.9.0.9+"));
  CHECK(house.client.get(Kind::endpoint_slice, "default", "foreign")->json() == before);
}

TEST_CASE("what happened while nobody looked is made up for at the start") {
  House house;
  house.service("web", selecting);
  house.service("gone", selecting);
  house.pod("p1", "10.1.0.1");
  {
    EndpointsController earlier(house.store, house.registry);
    REQUIRE(earlier.start());
    CHECK(house.comes_to("web", "10.1.0.1+"));
    CHECK(house.comes_to("gone", "10.1.0.1+"));
  }
  REQUIRE(house.client.remove(Kind::service, "default", "gone"));
  house.pod("p2", "10.1.0.2");
  REQUIRE(house.controller.start());
  CHECK(house.comes_to("web", "10.1.0.1+ 10.1.0.2+"));
  CHECK(house.comes_to("gone", ""));
}

TEST_CASE("many Pods need few slices, and a second look writes nothing") {
  House house;
  house.service("web", selecting);
  for (int i = 0; i < 230; ++i) house.pod("p" + std::to_string(i), "10.1.1." + std::to_string(i + 1));
  REQUIRE(house.controller.start());
  REQUIRE(eventually([&] {
    std::size_t count = 0;
    for (const Json& slice : house.slices("web")) count += slice["endpoints"].size();
    return count == 230;
  }));
  CHECK(house.slices("web").size() == 3);
  const auto writes = house.controller.counters().writes;
  EndpointsController second(house.store, house.registry);
  REQUIRE(second.start());
  REQUIRE(eventually([&] { return second.counters().passes >= 1; }));
  CHECK(second.counters().writes == 0);
  CHECK(house.controller.counters().writes == writes);
  CHECK(house.controller.counters().failures == 0);
}

Json written(const std::string& name, const std::string& ip) {
  return {{"metadata", {{"name", name}, {"labels", {{"team", "a"}}}}},
          {"subsets", {{{"addresses", {{{"ip", ip}}}}, {"ports", {{{"name", "http"}, {"port", 9000}}}}}}}};
}

TEST_CASE("Endpoints that were written for a service without a selector are mirrored") {
  House house;
  REQUIRE(house.controller.start());
  house.service("db");
  REQUIRE(house.client.create(Kind::endpoints, "default", written("db", "10.2.0.1")));
  CHECK(house.comes_to("db", "10.2.0.1+"));
  const Json slice = house.slices("db").at(0);
  CHECK(slice["metadata"]["labels"][managed_by_label] == "endpointslicemirroring-controller.k8s.io");
  CHECK(slice["metadata"]["labels"]["team"] == "a");
  CHECK(slice["metadata"]["ownerReferences"][0]["kind"] == "Endpoints");
  CHECK(slice["ports"] == Json{{{"name", "http"}, {"port", 9000}, {"protocol", "TCP"}}});

  SUBCASE("and follow it") {
    Json more = written("db", "10.2.0.1");
    more["subsets"].push_back({{"notReadyAddresses", {{{"ip", "10.2.0.2"}}, {{"ip", "fd00::2"}}}}});
    REQUIRE(house.client.put(Kind::endpoints, "default", "db", more));
    CHECK(house.comes_to("db", "10.2.0.1+ 10.2.0.2- fd00::2-"));
    CHECK(house.slices("db").size() == 3);
    REQUIRE(house.client.remove(Kind::endpoints, "default", "db"));
    CHECK(house.comes_to("db", ""));
  }
  SUBCASE("unless they say no") {
    REQUIRE(house.client.patch(Kind::endpoints, "default", "db",
                               {{"metadata", {{"labels", {{"endpointslice.kubernetes.io/skip-mirror", "true"}}}}}}));
    CHECK(house.comes_to("db", ""));
  }
  SUBCASE("until the service selects Pods: then these are its endpoints") {
    house.pod("p1", "10.1.0.1");
    REQUIRE(house.client.patch(Kind::service, "default", "db", {{"spec", selecting}}));
    CHECK(house.comes_to("db", "10.1.0.1+"));
    CHECK(eventually([&] {
      const Json now = json_of(house.client.get(Kind::endpoints, "default", "db").value());
      return now["subsets"][0]["addresses"][0]["ip"] == "10.1.0.1";
    }));
  }
  SUBCASE("and go with the service") {
    REQUIRE(house.client.remove(Kind::service, "default", "db"));
    CHECK(house.comes_to("db", ""));
    CHECK(house.client.get(Kind::endpoints, "default", "db").error().code == 404);
  }
}

TEST_CASE("without a service nothing is mirrored") {
  House house;
  REQUIRE(house.controller.start());
  REQUIRE(house.client.create(Kind::endpoints, "default", written("alone", "10.2.0.1")));
  house.service("db");
  REQUIRE(house.client.create(Kind::endpoints, "default", written("db", "10.2.0.2")));
  CHECK(house.comes_to("db", "10.2.0.2+"));
  CHECK(house.slices("alone").empty());
  house.service("alone");
  CHECK(house.comes_to("alone", "10.2.0.1+"));
}

TEST_CASE("two controllers on one store come to one result") {
  House house;
  EndpointsController second(house.store, house.registry);
  REQUIRE(house.controller.start());
  REQUIRE(second.start());
  house.service("web", selecting);
  for (int i = 0; i < 20; ++i) house.pod("p" + std::to_string(i), "10.1.1." + std::to_string(i + 1));
  CHECK(eventually([&] {
    std::size_t count = 0;
    for (const Json& slice : house.slices("web")) count += slice["endpoints"].size();
    return count == 20;
  }));
}

} // namespace
} // namespace signpost::endpoints
