#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <thread>

#include "tests/discovery/registry/harness.hpp"

namespace signpost::registry::test {
namespace {

Json service(const std::string& name, const Json& spec = Json::object()) {
  Json body{{"metadata", {{"name", name}}}, {"spec", {{"ports", {{{"port", 80}}}}}}};
  body["spec"].update(spec);
  return body;
}

Json cidr(const std::string& name, const std::vector<std::string>& prefixes) {
  return {{"metadata", {{"name", name}}}, {"spec", {{"cidrs", prefixes}}}};
}

Json address(const std::string& ip, const Json& parent = {{"resource", "gateways"}, {"name", "edge"}}) {
  return {{"metadata", {{"name", ip}}}, {"spec", {{"parentRef", parent}}}};
}

/// The address that a service without a wish gets, or the refusal.
std::string given(Cluster& cluster, const std::string& name) {
  const auto made = cluster.client.create(Kind::service, "default", service(name));
  return made ? json_of(*made)["spec"]["clusterIP"].get<std::string>() : made.error().message;
}

int fill(Cluster& cluster) {
  int count = 0;
  while (cluster.client.create(Kind::service, "default", service("fill-" + std::to_string(count)))) ++count;
  return count;
}

Json condition_of(Cluster& cluster, const std::string& name) {
  return json_of(cluster.client.get(Kind::service_cidr, "", name).value())["status"]["conditions"][0];
}

TEST_CASE("the configured prefixes are the ServiceCIDR kubernetes, ready") {
  Cluster cluster({"10.96.0.0/28", "fd00::/112"});
  const Json object = json_of(cluster.client.get(Kind::service_cidr, "", "kubernetes").value());
  CHECK(object["spec"]["cidrs"] == Json{"10.96.0.0/28", "fd00::/112"});
  CHECK(object["status"]["conditions"][0]["status"] == "True");
  CHECK(object["metadata"]["finalizers"] == Json{"networking.k8s.io/service-cidr-finalizer"});
}

TEST_CASE("a ServiceCIDR that is added is used at once") {
  Cluster cluster({"10.96.0.0/29"});
  CHECK(fill(cluster) == 5);
  CHECK(given(cluster, "full").find("range is full") != std::string::npos);
  // A client holds an address there already.
  REQUIRE(cluster.client.create(Kind::ip_address, "", address("10.97.0.1")));
  const auto made = cluster.client.create(Kind::service_cidr, "", cidr("more", {"10.97.0.0/29"}));
  REQUIRE(made);
  CHECK(json_of(*made)["status"]["conditions"][0]["type"] == "Ready");
  std::set<std::string> addresses;
  for (int i = 0; i < 5; ++i) addresses.insert(given(cluster, "more-" + std::to_string(i)));
  CHECK(addresses == std::set<std::string>{"10.97.0.2", "10.97.0.3", "10.97.0.4", "10.97.0.5", "10.97.0.6"});
  CHECK(given(cluster, "full").find("range is full") != std::string::npos);
}

TEST_CASE("explicit addresses may be of any ServiceCIDR, and say who has them") {
  Cluster cluster({"10.96.0.0/28"});
  const auto ask = [&](const std::string& name, const std::string& ip) {
    const auto made = cluster.client.create(Kind::service, "default", service(name, {{"clusterIP", ip}}));
    return made ? std::string("given") : made.error().message;
  };
  CHECK(ask("a", "10.97.0.5").find("does not match the current range") != std::string::npos);
  REQUIRE(cluster.client.create(Kind::service_cidr, "", cidr("more", {"10.97.0.0/30", "fd00::/120"})));
  CHECK(ask("a", "10.97.0.2") == "given");
  CHECK(ask("b", "10.97.0.2").find("already allocated (held by service default/a)") != std::string::npos);
  REQUIRE(cluster.client.create(Kind::ip_address, "", address("10.97.0.1")));
  CHECK(ask("b", "10.97.0.1").find("already allocated (held by gateways edge)") != std::string::npos);
  CHECK(ask("b", "10.97.0.3").find("does not match") != std::string::npos); // its broadcast address
}

TEST_CASE("a ServiceCIDR goes when no address needs it") {
  Cluster cluster({"10.96.0.0/29"});
  REQUIRE(cluster.client.create(Kind::service_cidr, "", cidr("more", {"10.97.0.0/29"})));

  SUBCASE("at once, if there is none") {
    REQUIRE(cluster.client.remove(Kind::service_cidr, "", "more"));
    CHECK(cluster.client.get(Kind::service_cidr, "", "more").error().code == 404);
    CHECK(fill(cluster) == 5);
  }
  SUBCASE("with the last one") {
    REQUIRE(cluster.client.create(Kind::service, "default", service("web", {{"clusterIP", "10.97.0.3"}})));
    const auto removed = cluster.client.remove(Kind::service_cidr, "", "more");
    REQUIRE(removed);
    CHECK(json_of(*removed)["metadata"].contains("deletionTimestamp"));
    CHECK(condition_of(cluster, "more")["status"] == "False");
    CHECK(condition_of(cluster, "more")["reason"] == "Terminating");
    CHECK(fill(cluster) == 5); // nothing more is given from it
    CHECK(cluster.client.create(Kind::service, "default", service("b", {{"clusterIP", "10.97.0.4"}})).error().code ==
          422);
    // Whoever has an address keeps it; clients cannot talk it away.
    REQUIRE(cluster.client.patch(Kind::service_cidr, "", "more", {{"metadata", {{"finalizers", nullptr}}}}));
    CHECK(cluster.client.get(Kind::service_cidr, "", "more"));
    REQUIRE(cluster.client.remove(Kind::service, "default", "web"));
    CHECK(eventually([&] { return !cluster.client.get(Kind::service_cidr, "", "more"); }));
    CHECK(cluster.client.get(Kind::service_cidr, "", "more").error().code == 404);
  }
  SUBCASE("when another one covers its addresses") {
    REQUIRE(cluster.client.create(Kind::service, "default", service("web", {{"clusterIP", "10.97.0.3"}})));
    REQUIRE(cluster.client.remove(Kind::service_cidr, "", "more"));
    REQUIRE(cluster.client.create(Kind::service_cidr, "", cidr("wider", {"10.97.0.0/24"})));
    CHECK(cluster.client.get(Kind::service_cidr, "", "more").error().code == 404);
    CHECK(cluster.client.create(Kind::service, "default", service("b", {{"clusterIP", "10.97.0.3"}})).error().code ==
          422);
  }
  SUBCASE("an address that a client reserved needs none") {
    REQUIRE(cluster.client.create(Kind::ip_address, "", address("10.97.0.3")));
    REQUIRE(cluster.client.remove(Kind::service_cidr, "", "more"));
    CHECK(cluster.client.get(Kind::service_cidr, "", "more").error().code == 404);
  }
}

TEST_CASE("Ready=False keeps a ServiceCIDR from being used") {
  Cluster cluster({"10.96.0.0/29"});
  REQUIRE(cluster.client.create(Kind::service_cidr, "", cidr("more", {"10.97.0.0/29"})));
  const Json conditions = {{{"type", "Ready"}, {"status", "False"}, {"reason", "Maintenance"}}};
  REQUIRE(cluster.client.patch_status(Kind::service_cidr, "", "more", {{"status", {{"conditions", conditions}}}}));
  CHECK(fill(cluster) == 5);
  Json again = conditions;
  again[0]["status"] = "True";
  REQUIRE(cluster.client.patch_status(Kind::service_cidr, "", "more", {{"status", {{"conditions", again}}}}));
  CHECK(given(cluster, "late").substr(0, 7) == "10.97.0");
}

TEST_CASE("overlapping ServiceCIDRs give no address twice") {
  Cluster cluster({"10.96.0.0/29"});
  REQUIRE(cluster.client.create(Kind::service_cidr, "", cidr("half", {"10.96.0.0/28"})));
  CHECK(fill(cluster) == 13); // 14 addresses, one is kubernetes'
  REQUIRE(cluster.client.create(Kind::service_cidr, "", cidr("twin", {"10.96.0.0/28"})));
  CHECK(given(cluster, "full").find("range is full") != std::string::npos);
}

TEST_CASE("additions and deletions of ServiceCIDRs under load lose no address and give none twice") {
  Cluster cluster({"10.96.0.0/24"});
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int worker = 0; worker < 3; ++worker) {
    threads.emplace_back([&, worker] {
      Client client(cluster.registry);
      for (int i = 0; !stop; ++i) {
        const std::string name = "s" + std::to_string(worker) + "-" + std::to_string(i);
        static_cast<void>(client.create(Kind::service, "default", service(name)));
        if (i % 3 != 0) static_cast<void>(client.remove(Kind::service, "default", name));
      }
    });
  }
  Client client(cluster.registry);
  for (int i = 0; i < 30; ++i) {
    static_cast<void>(client.create(Kind::service_cidr, "", cidr("more", {"10.97.0.0/24"})));
    static_cast<void>(client.remove(Kind::service_cidr, "", "more"));
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> used;
  const auto listed = client.list(Kind::service).items;
  for (const Stored& stored : listed) used.insert("ip/" + json_of(stored)["spec"]["clusterIP"].get<std::string>());
  CHECK(used.size() == listed.size());
  const auto claims = cluster.claims();
  CHECK(std::set<std::string>(claims.begin(), claims.end()) == used);
  // Addresses beyond the first prefix are in a ServiceCIDR that is still there.
  const bool beyond = std::any_of(used.begin(), used.end(), [](const auto& ip) { return ip.starts_with("ip/10.97."); });
  if (beyond) CHECK(client.get(Kind::service_cidr, "", "more"));
}

TEST_CASE("ServiceCIDRs are known again after a restart") {
  store::MemoryStore store;
  {
    Registry registry(store, settings_for({"10.96.0.0/29"}));
    REQUIRE(registry.open());
    Client client(registry);
    REQUIRE(client.create(Kind::service_cidr, "", cidr("more", {"10.97.0.0/29"})));
    REQUIRE(client.create(Kind::service, "default", service("web", {{"clusterIP", "10.97.0.3"}})));
    REQUIRE(client.create(Kind::ip_address, "", address("192.0.2.1"))); // of no range
  }
  Registry registry(store, settings_for({"10.96.0.0/29"}));
  REQUIRE(registry.open());
  Client client(registry);
  CHECK(client.create(Kind::service, "default", service("b", {{"clusterIP", "10.97.0.3"}})).error().code == 422);
  CHECK(client.create(Kind::service, "default", service("c", {{"clusterIP", "10.97.0.4"}})));
}

TEST_CASE("IPAddresses are the claims, and can be made by clients") {
  Cluster cluster({"10.96.0.0/28"});
  const auto code = [](const auto& result) { return result ? 0 : result.error().code; };
  REQUIRE(cluster.client.create(Kind::service, "default", service("web", {{"clusterIP", "10.96.0.5"}})));
  CHECK(code(cluster.client.create(Kind::ip_address, "", address("10.96.0.5"))) == 409);
  CHECK(code(cluster.client.remove(Kind::ip_address, "", "10.96.0.5")) == 403);
  // Metadata can be changed, what it stands for cannot.
  REQUIRE(cluster.client.patch(Kind::ip_address, "", "10.96.0.5", {{"metadata", {{"labels", {{"a", "b"}}}}}}));
  CHECK(json_of(cluster.client.get(Kind::ip_address, "", "10.96.0.5").value())["metadata"]["labels"]["a"] == "b");
  CHECK(code(cluster.client.patch(Kind::ip_address, "", "10.96.0.5",
                                  {{"spec", {{"parentRef", {{"name", "other"}}}}}})) == 422);
  CHECK(code(cluster.client.remove(Kind::ip_address, "", "10.96.0.5")) == 403);
  REQUIRE(cluster.client.remove(Kind::service, "default", "web"));
  CHECK(code(cluster.client.get(Kind::ip_address, "", "10.96.0.5")) == 404);

  REQUIRE(cluster.client.create(Kind::ip_address, "", address("10.96.0.5")));
  CHECK(code(cluster.client.create(Kind::service, "default", service("web", {{"clusterIP", "10.96.0.5"}}))) == 422);
  CHECK(fill(cluster) == 12);
  REQUIRE(cluster.client.remove(Kind::ip_address, "", "10.96.0.5"));
  CHECK(given(cluster, "last") == "10.96.0.5");
  CHECK(code(cluster.client.create(Kind::ip_address, "", address("2001:db8::1"))) == 0);
}

TEST_CASE("what may not be a ServiceCIDR or an IPAddress") {
  Cluster cluster({"10.96.0.0/28"});
  const auto refused = [&](Kind kind, const Json& body) {
    const auto made = cluster.client.create(kind, "", body, true);
    return made ? std::string("accepted") : json_of(made.error())["details"]["causes"][0]["field"].get<std::string>();
  };
  CHECK(refused(Kind::service_cidr, cidr("a", {"10.0.0.0/30"})) == "accepted");
  CHECK(refused(Kind::service_cidr, cidr("a", {"10.0.0.0/32"})) == "accepted");
  CHECK(refused(Kind::service_cidr, cidr("a", {"2001:db8::/64"})) == "accepted");
  CHECK(refused(Kind::service_cidr, cidr("a", {"2001:db8::/63"})) == "spec.cidrs[0]");
  CHECK(refused(Kind::service_cidr, cidr("a", {"10.0.0.1/24"})) == "spec.cidrs[0]");
  CHECK(refused(Kind::service_cidr, cidr("a", {"10.0.0.0/24", "nonsense"})) == "spec.cidrs[1]");
  CHECK(refused(Kind::service_cidr, cidr("a", {"10.0.0.0/24", "10.1.0.0/24"})) == "spec.cidrs");
  CHECK(refused(Kind::service_cidr, cidr("a", {})) == "spec.cidrs");
  CHECK(refused(Kind::ip_address, address("10.0.0.1")) == "accepted");
  CHECK(refused(Kind::ip_address, address("10.0.0.01")) == "metadata.name");
  CHECK(refused(Kind::ip_address, address("2001:DB8::1")) == "metadata.name");
  CHECK(refused(Kind::ip_address, address("10.0.0.1", nullptr)) == "spec.parentRef");
  CHECK(refused(Kind::ip_address, address("10.0.0.1", Json::object())) == "spec.parentRef.resource");
  CHECK(refused(Kind::ip_address, address("10.0.0.1", {{"resource", "gateways"}})) == "spec.parentRef.name");
  CHECK(refused(Kind::ip_address, address("10.0.0.1", {{"name", "a/b"}, {"resource", "x"}})) == "spec.parentRef.name");
}

} // namespace
} // namespace signpost::registry::test
