#include <doctest/doctest.h>

#include "tests/discovery/registry/harness.hpp"

namespace signpost::registry::test {

TEST_CASE("service default/kubernetes is made again when it is deleted, on its address") {
  Cluster cluster({"10.96.0.0/16"});
  const auto now = [&] { return json_of(cluster.client.get(Kind::service, "default", "kubernetes").value()); };
  const Json before = now();
  REQUIRE(cluster.client.remove(Kind::service, "default", "kubernetes"));
  const Json after = now();
  CHECK(after["spec"]["clusterIP"] == "10.96.0.1");
  CHECK(after["metadata"]["uid"] != before["metadata"]["uid"]);
  // A service of that name elsewhere is like any other.
  const auto other = cluster.client.create(
      Kind::service, "kube-system", {{"metadata", {{"name", "kubernetes"}}}, {"spec", {{"ports", {{{"port", 80}}}}}}});
  REQUIRE(other);
  REQUIRE(cluster.client.remove(Kind::service, "kube-system", "kubernetes"));
  CHECK_FALSE(cluster.client.get(Kind::service, "kube-system", "kubernetes"));
}

} // namespace signpost::registry::test
