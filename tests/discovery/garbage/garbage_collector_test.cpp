#include "discovery/garbage/garbage_collector.hpp"

#include <doctest/doctest.h>

#include "tests/discovery/registry/harness.hpp"

namespace signpost::garbage {
namespace {

using model::Kind;
using registry::test::Cluster;
using registry::test::eventually;
using registry::test::Json;
using registry::test::json_of;

struct House : Cluster {
  House() : Cluster({"10.96.0.0/16"}), collector(store, registry) {}

  GarbageCollector collector;

  /// Gives the uid.
  std::string service(const std::string& name, const Json& finalizers = Json::array()) {
    const auto made = client.create(
        Kind::service, "default",
        {{"metadata", {{"name", name}, {"finalizers", finalizers}}}, {"spec", {{"ports", {{{"port", 80}}}}}}});
    REQUIRE(made);
    return json_of(*made)["metadata"]["uid"];
  }

  static Json reference(const std::string& name, const std::string& uid, const std::string& kind = "Service",
                        const std::string& version = "v1") {
    return {{"apiVersion", version}, {"kind", kind}, {"name", name}, {"uid", uid}, {"blockOwnerDeletion", true}};
  }

  void lease(const std::string& name, const Json& owners, const Json& finalizers = Json::array()) {
    REQUIRE(client.create(Kind::lease, "default",
                          {{"metadata", {{"name", name}, {"ownerReferences", owners}, {"finalizers", finalizers}}},
                           {"spec", Json::object()}}));
  }

  bool has(Kind kind, const std::string& name) {
    const auto found = client.get(kind, "default", name);
    return found.has_value();
  }
  bool goes(Kind kind, const std::string& name) {
    return eventually([&] { return !has(kind, name); });
  }
  Json metadata(Kind kind, const std::string& name) {
    return json_of(client.get(kind, "default", name).value())["metadata"];
  }
  void remove(const std::string& name, const std::string& policy) {
    model::DeleteOptions options;
    options.propagation_policy = policy;
    REQUIRE(client.remove(Kind::service, "default", name, false, options));
  }
  /// Everything before is done when this one is gone.
  void settle() {
    lease("marker", Json::array({reference("nobody", "no-such-uid")}));
    REQUIRE(goes(Kind::lease, "marker"));
  }
};

TEST_CASE("what is owned goes after its owner") {
  House house;
  REQUIRE(house.collector.start());
  const std::string uid = house.service("web");
  house.lease("owned", Json::array({House::reference("web", uid)}));
  house.lease("free", Json::array());
  house.settle();
  CHECK(house.has(Kind::lease, "owned"));
  house.remove("web", "Background");
  CHECK(house.goes(Kind::lease, "owned"));
  CHECK(house.has(Kind::lease, "free"));
}

TEST_CASE("of several owners the last one decides") {
  House house;
  REQUIRE(house.collector.start());
  const std::string a = house.service("a"), b = house.service("b");
  house.lease("owned", {House::reference("a", a), House::reference("b", b)});
  house.remove("a", "Background");
  CHECK(eventually([&] { return house.metadata(Kind::lease, "owned")["ownerReferences"].size() == 1; }));
  CHECK(house.metadata(Kind::lease, "owned")["ownerReferences"][0]["name"] == "b");
  house.remove("b", "Background");
  CHECK(house.goes(Kind::lease, "owned"));
}

TEST_CASE("another object of the owner's name is another owner; kinds that are not kept here count as there") {
  House house;
  REQUIRE(house.collector.start());
  house.service("web");
  house.lease("old", Json::array({House::reference("web", "uid-of-an-earlier-one")}));
  house.lease("foreign", Json::array({House::reference("web", "some-uid", "ReplicaSet", "apps/v1")}));
  CHECK(house.goes(Kind::lease, "old"));
  house.settle();
  CHECK(house.has(Kind::lease, "foreign"));
}

TEST_CASE("orphans stay and forget their owner") {
  House house;
  REQUIRE(house.collector.start());
  const std::string uid = house.service("web");
  house.lease("owned", Json::array({House::reference("web", uid)}));
  house.remove("web", "Orphan");
  CHECK(house.goes(Kind::service, "web"));
  house.settle();
  REQUIRE(house.has(Kind::lease, "owned"));
  CHECK_FALSE(house.metadata(Kind::lease, "owned").contains("ownerReferences"));
}

TEST_CASE("in the foreground the owner goes last") {
  House house;
  REQUIRE(house.collector.start());
  const std::string uid = house.service("web");
  house.lease("owned", Json::array({House::reference("web", uid)}), Json::array({"example.com/hold"}));
  house.remove("web", "Foreground");
  CHECK(eventually([&] { return house.metadata(Kind::lease, "owned").contains("deletionTimestamp"); }));
  house.settle();
  CHECK(house.metadata(Kind::service, "web")["finalizers"] == Json::array({"foregroundDeletion"}));
  REQUIRE(house.client.patch(Kind::lease, "default", "owned", {{"metadata", {{"finalizers", nullptr}}}}));
  CHECK(house.goes(Kind::lease, "owned"));
  CHECK(house.goes(Kind::service, "web"));
}

TEST_CASE("what happened while nobody looked is made up for at the start") {
  House house;
  const std::string uid = house.service("web"), kept = house.service("kept");
  house.lease("owned", Json::array({House::reference("web", uid)}));
  house.lease("other", Json::array({House::reference("kept", kept)}));
  house.remove("web", "Background");
  house.remove("kept", "Orphan");
  REQUIRE(house.collector.start());
  CHECK(house.goes(Kind::lease, "owned"));
  CHECK(house.goes(Kind::service, "kept"));
  CHECK(house.has(Kind::lease, "other"));
}

} // namespace
} // namespace signpost::garbage
