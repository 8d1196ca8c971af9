#include <doctest/doctest.h>

#include <regex>

#include "discovery/registry/event_retention.hpp"
#include "tests/discovery/registry/harness.hpp"

namespace signpost::registry::test {
namespace {

const std::vector<std::string> dual{"10.96.0.0/16", "fd00:10:96::/112"};

Json service(const std::string& name, const Json& spec = Json::object()) {
  Json body{{"metadata", {{"name", name}}}, {"spec", {{"ports", {{{"port", 80}}}}}}};
  body["spec"].update(spec);
  return body;
}

Json slice(const std::string& name, const std::string& of, const std::string& address) {
  return {{"metadata", {{"name", name}, {"labels", {{"kubernetes.io/service-name", of}}}}},
          {"addressType", "IPv4"},
          {"endpoints", {{{"addresses", {address}}}}},
          {"ports", {{{"name", "http"}, {"port", 8080}}}}};
}

Json name_space(const std::string& name) { return {{"metadata", {{"name", name}}}}; }

TEST_CASE("a new cluster has its namespaces, its service and its prefixes") {
  Cluster cluster(dual);
  for (const char* name : {"default", "kube-system"}) {
    const Json json = json_of(cluster.client.get(Kind::name_space, "", name).value());
    CHECK(json["metadata"]["labels"]["kubernetes.io/metadata.name"] == name);
    CHECK(json["status"]["phase"] == "Active");
    CHECK(json["spec"]["finalizers"] == Json{"kubernetes"});
  }
  const Json kubernetes = json_of(cluster.client.get(Kind::service, "default", "kubernetes").value());
  CHECK(kubernetes["spec"]["clusterIP"] == "10.96.0.1");
  CHECK(kubernetes["spec"]["ports"][0]["name"] == "https");
  CHECK(kubernetes["spec"]["ports"][0]["port"] == 443);
  CHECK(kubernetes["spec"]["ipFamilyPolicy"] == "SingleStack");
  const Json cidr = json_of(cluster.client.get(Kind::service_cidr, "", "kubernetes").value());
  CHECK(cidr["spec"]["cidrs"] == Json{"10.96.0.0/16", "fd00:10:96::/112"});
  CHECK(cidr["status"]["conditions"][0]["type"] == "Ready");
  CHECK(cidr["status"]["conditions"][0]["status"] == "True");
}

TEST_CASE("what a created object gets") {
  Cluster cluster(dual);
  const Stored stored = cluster.client.create(Kind::service, "default", service("web")).value();
  const Json json = json_of(stored);
  CHECK(json["metadata"]["namespace"] == "default");
  CHECK(json["metadata"]["resourceVersion"] == std::to_string(stored.revision));
  CHECK(std::regex_match(json["metadata"]["uid"].get<std::string>(),
                         std::regex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")));
  CHECK(std::regex_match(json["metadata"]["creationTimestamp"].get<std::string>(),
                         std::regex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")));
  CHECK(stored.text->find("resourceVersion") == std::string::npos);
  CHECK(json_of(cluster.client.get(Kind::service, "default", "web").value()) == json);
  CHECK(cluster.registry.revision() == stored.revision); // one transaction for everything
}

TEST_CASE("generated names") {
  Cluster cluster(dual);
  Json body = service("");
  body["metadata"] = {{"generateName", std::string(62, 'a') + "-"}};
  CHECK(cluster.client.create(Kind::service, "default", body).value().json().find(std::string(58, 'a')) !=
        std::string::npos);
  body["metadata"] = {{"generateName", "web-"}};
  const Json json = json_of(cluster.client.create(Kind::service, "default", body).value());
  CHECK(std::regex_match(json["metadata"]["name"].get<std::string>(),
                         std::regex("web-[bcdfghjklmnpqrstvwxz2456789]{5}")));
  Json spaces{{"metadata", {{"generateName", "team-"}}}};
  const Json made = json_of(cluster.client.create(Kind::name_space, "", spaces).value());
  CHECK(made["metadata"]["labels"]["kubernetes.io/metadata.name"] == made["metadata"]["name"]);
}

TEST_CASE("updates: no-op, stale, unconditional, create by PUT") {
  Cluster cluster(dual);
  const Stored first = cluster.client.create(Kind::service, "default", service("web")).value();
  const auto same = cluster.client.put(Kind::service, "default", "web", service("web")).value();
  CHECK(same.first.revision == first.revision);
  CHECK_FALSE(same.second);
  const Stored patched =
      cluster.client.patch(Kind::service, "default", "web", {{"metadata", {{"labels", {{"a", "b"}}}}}}).value();
  CHECK(patched.revision > first.revision);
  Json stale = service("web");
  stale["metadata"]["resourceVersion"] = std::to_string(first.revision);
  CHECK(cluster.client.put(Kind::service, "default", "web", stale).error().reason == "Conflict");
  CHECK(cluster.client.put(Kind::service, "default", "new", service("new")).value().second);
  CHECK(cluster.client.put(Kind::endpoint_slice, "default", "s", slice("s", "web", "10.1.0.1")).error().code == 404);
  CHECK(cluster.client.put(Kind::name_space, "", "n", name_space("n")).error().code == 404);
  CHECK(cluster.client.patch(Kind::service, "default", "no", {{"metadata", {{"labels", nullptr}}}}).error().code ==
        404);
  CHECK(cluster.client.patch(Kind::service, "default", "web", {{"metadata", {{"uid", "other"}}}}).error().code == 422);
}

TEST_CASE("leases are taken, renewed by who knows their revision, and go with their namespace") {
  Cluster cluster(dual);
  const Json free = {{"metadata", {{"name", "leader"}}}, {"spec", {{"leaseDurationSeconds", 15}}}};
  const auto created = cluster.client.put(Kind::lease, "default", "leader", free);
  REQUIRE(created);
  CHECK(created->second);
  Json held = json_of(created->first);
  held["spec"]["holderIdentity"] = "a";
  held["spec"]["renewTime"] = "2026-01-01T00:00:00.000001Z";
  const auto taken = cluster.client.put(Kind::lease, "default", "leader", held);
  REQUIRE(taken);
  CHECK(json_of(taken->first)["spec"]["renewTime"] == "2026-01-01T00:00:00.000001Z");
  held["spec"]["holderIdentity"] = "b";
  CHECK(cluster.client.put(Kind::lease, "default", "leader", held).error().reason == "Conflict");
  held["metadata"].erase("resourceVersion");
  CHECK(cluster.client.put(Kind::lease, "default", "leader", held).error().message ==
        "leases.coordination.k8s.io \"leader\" is invalid: metadata.resourceVersion: Invalid value: 0: must be "
        "specified for an update");
  CHECK(cluster.client.patch(Kind::lease, "default", "leader", {{"spec", {{"holderIdentity", "c"}}}}));
  CHECK(
      cluster.client
          .patch(Kind::lease, "default", "leader", {{"spec", {{"leaseDurationSeconds", 0}, {"leaseTransitions", -1}}}})
          .error()
          .causes.size() == 2);
  CHECK_FALSE(json_of(*cluster.client.patch(Kind::lease, "default", "leader", {{"spec", {{"strategy", "x"}}}}))["spec"]
                  .contains("strategy"));

  REQUIRE(cluster.client.create(Kind::name_space, "", {{"metadata", {{"name", "shop"}}}}));
  REQUIRE(cluster.client.create(Kind::lease, "shop", free));
  REQUIRE(cluster.client.remove(Kind::name_space, "", "shop"));
  CHECK(cluster.client.list(Kind::lease).items.size() == 1);
}

TEST_CASE("events go when they are old, and the oldest when there are too many") {
  Cluster cluster(dual);
  const auto tell = [&](const std::string& name) {
    return cluster.client.create(
        Kind::event, "default",
        {{"metadata", {{"name", name}}}, {"involvedObject", {{"kind", "Service"}, {"namespace", "default"}}}});
  };
  const auto names = [&] {
    std::string all;
    for (const Stored& stored : cluster.client.list(Kind::group_event).items) {
      all += json_of(stored)["metadata"]["name"].get<std::string>();
    }
    return all;
  };
  EventRetention retention(cluster.store, {.age = std::chrono::seconds(100), .count = 3});
  REQUIRE(tell("a"));
  REQUIRE(retention.start());
  for (const char* name : {"b", "c"}) REQUIRE(tell(name));
  const auto now = EventRetention::Clock::now();
  retention.sweep(now);
  CHECK(names() == "abc");
  REQUIRE(cluster.client.patch(Kind::event, "default", "a", {{"count", 2}}));
  REQUIRE(tell("d"));
  CHECK(retention.too_many());
  retention.sweep(now);
  REQUIRE(tell("e")); // is written behind what the sweep deletes
  CHECK(names() == "acde");
  retention.sweep(now + std::chrono::seconds(200));
  REQUIRE(tell("f"));
  CHECK(names() == "f");
}

TEST_CASE("pods and nodes: spec by who makes them, status by who runs them") {
  Cluster cluster(dual);
  const Json pod = {{"metadata", {{"name", "web-1"}}},
                    {"spec", {{"containers", {{{"name", "c"}, {"image", "i"}, {"ports", {{{"containerPort", 80}}}}}}}}},
                    {"status", {{"podIP", "10.1.0.1"}}}};
  Json made = json_of(cluster.client.create(Kind::pod, "default", pod).value());
  CHECK(made["status"] == Json{{"phase", "Pending"}});
  CHECK(made["spec"]["containers"][0]["image"] == "i");
  CHECK(made["spec"]["containers"][0]["ports"][0]["protocol"] == "TCP");
  const auto status = [&](const Json& change) {
    return cluster.client.patch_status(Kind::pod, "default", "web-1", change);
  };
  made = json_of(status({{"status", {{"phase", "Running"}, {"podIP", "10.1.0.1"}}}}).value());
  CHECK(made["status"]["podIPs"][0]["ip"] == "10.1.0.1");
  const Json twice = {{{"ip", "10.1.0.1"}}, {{"ip", "10.1.0.2"}}};
  CHECK(status({{"status", {{"podIPs", twice}}}}).error().causes[0].field == "status.podIPs[1]");
  CHECK(status({{"status", {{"podIPs", {{{"ip", "ten"}}}}}}}).error().causes[0].field == "status.podIPs[0]");
  made = json_of(cluster.client.patch(Kind::pod, "default", "web-1", {{"status", {{"phase", "Failed"}}}}).value());
  CHECK(made["status"]["phase"] == "Running");

  const Json wrong = {
      {"metadata", {{"name", "x"}}},
      {"spec",
       {{"hostname", "A.b"},
        {"subdomain", "-"},
        {"containers",
         {{{"name", "c"}, {"ports", {{{"name", "p"}, {"containerPort", 0}}, {{"name", "p"}, {"containerPort", 1}}}}},
          {{"name", "c"}}}}}}};
  std::string fields;
  const auto refused = cluster.client.create(Kind::pod, "default", wrong);
  for (const Cause& cause : refused.error().causes) fields += cause.field + " ";
  CHECK(fields == "spec.containers[0].ports[0].containerPort spec.containers[0].ports[1].name spec.containers[1].name "
                  "spec.hostname spec.subdomain ");
  CHECK(cluster.client.create(Kind::pod, "default", {{"metadata", {{"name", "x"}}}}).error().causes[0].field ==
        "spec.containers");

  const Json node = {
      {"metadata", {{"name", "n"}}}, {"spec", {{"providerID", "p"}}}, {"status", {{"capacity", {{"cpu", "4"}}}}}};
  CHECK(json_of(cluster.client.create(Kind::node, "", node).value())["status"]["capacity"]["cpu"] == "4");
  const Json address = {{"type", "InternalIP"}, {"address", "192.0.2.1"}};
  CHECK(cluster.client.patch_status(Kind::node, "", "n", {{"status", {{"addresses", {address}}}}}));
  CHECK(cluster.client.patch_status(Kind::node, "", "n", {{"status", {{"addresses", {address, address}}}}})
            .error()
            .causes[0]
            .message == "Duplicate value: \"192.0.2.1\"");
}

TEST_CASE("status is written on its own") {
  Cluster cluster(dual);
  REQUIRE(cluster.client.create(Kind::service, "default", service("lb", {{"type", "LoadBalancer"}})));
  const Json change{{"status", {{"loadBalancer", {{"ingress", {{{"ip", "192.0.2.1"}}}}}}}},
                    {"spec", {{"sessionAffinity", "ClientIP"}}}};
  const Json json = json_of(cluster.client.patch_status(Kind::service, "default", "lb", change).value());
  CHECK(json["status"]["loadBalancer"]["ingress"][0]["ip"] == "192.0.2.1");
  CHECK(json["status"]["loadBalancer"]["ingress"][0]["ipMode"] == "VIP");
  CHECK(json["spec"]["sessionAffinity"] == "None");
  const Json plain = json_of(cluster.client.patch(Kind::service, "default", "lb", {{"status", nullptr}}).value());
  CHECK(plain["status"] == json["status"]);
  const Json bad{{"status", {{"loadBalancer", {{"ingress", {{{"ip", "192.0.2.256"}}}}}}}}};
  CHECK(cluster.client.patch_status(Kind::service, "default", "lb", bad).error().code == 422);
  CHECK(cluster.client.patch_status(Kind::endpoint_slice, "default", "x", bad).error().code == 404);
}

TEST_CASE("metadata is refused as upstream does") {
  Cluster cluster({"10.96.0.0/16"});
  auto& client = cluster.client;
  const auto refused = [&](const Json& metadata) {
    Json body{{"metadata", metadata}, {"spec", {{"ports", {{{"port", 80}}}}}}};
    body["metadata"]["name"] = metadata.value("name", "web");
    const auto made = client.create(Kind::service, "default", body);
    return made ? std::string() : made.error().causes.at(0).field + ": " + made.error().causes.at(0).message;
  };
  CHECK(refused({{"finalizers", {"x"}}}) == "metadata.finalizers[0]: Invalid value: \"x\": name is neither a standard "
                                            "finalizer name nor is it fully qualified");
  CHECK(refused({{"ownerReferences", {{{"kind", "Pod"}}}}}) ==
        "metadata.ownerReferences.apiVersion: Invalid value: \"\": version must not be empty");
  CHECK(refused({{"name", std::string(64, 'a')}}).ends_with("must be no more than 63 characters"));
  CHECK(refused({{"labels", {{"a", std::string(64, 'a')}}}}).ends_with("must be no more than 63 bytes"));
  CHECK(client.create(Kind::name_space, "", {{"metadata", {{"name", "a.b"}}}}).error().causes.at(0).message ==
        "Invalid value: \"a.b\": must not contain dots");

  REQUIRE(refused(Json::object()).empty());
  Json web = json_of(client.get(Kind::service, "default", "web").value());
  const auto put = [&](const char* member, const Json& value, const std::string& name = "web") {
    Json body = web;
    body["metadata"][member] = value;
    body["metadata"]["name"] = name;
    return client.put(Kind::service, "default", name, body);
  };
  CHECK(json_of(put("creationTimestamp", "2020-01-01T00:00:00Z").value().first)["metadata"]["creationTimestamp"] ==
        web["metadata"]["creationTimestamp"]);
  CHECK(put("resourceVersion", "soon").error().code == 422);
  CHECK(put("resourceVersion", "soon").error().causes.at(0).field == "metadata.resourceVersion");
  CHECK(put("uid", "mine", "fresh").error().code == 409); // it is not there, so it is not that one
  model::DeleteOptions other;
  other.precondition_uid = "x";
  const Status conflict = client.remove(Kind::service, "default", "web", false, other).error();
  CHECK(conflict.code == 409);
  CHECK(conflict.kind == "Service");
  CHECK(
      conflict.message.starts_with("Operation cannot be fulfilled on Service \"web\": the UID in the precondition (x) "
                                   "does not match the UID in record ("));
  CHECK(client.patch_status(Kind::name_space, "", "default", {{"status", {{"phase", "Terminating"}}}})
            .error()
            .causes.at(0)
            .field == "status.Phase");
  CHECK(client.create(Kind::node, "", {{"metadata", {{"name", "n"}}}, {"spec", {{"podCIDR", "x"}}}})
            .error()
            .causes.at(0)
            .field == "spec.podCIDRs[0]");
}

TEST_CASE("what a service no longer needs goes") {
  Cluster cluster({"10.96.0.0/16"});
  auto& client = cluster.client;
  const Json ports = Json::array({{{"port", 80}}});
  REQUIRE(client.create(Kind::service, "default",
                        {{"metadata", {{"name", "lb"}}}, {"spec", {{"type", "LoadBalancer"}, {"ports", ports}}}}));
  // Whoever wants no node ports and names none has none.
  const Json without{{"spec", {{"ports", ports}, {"allocateLoadBalancerNodePorts", false}}}};
  CHECK_FALSE(
      json_of(client.patch(Kind::service, "default", "lb", without).value())["spec"]["ports"][0].contains("nodePort"));
  CHECK(cluster.claims() == std::vector<std::string>{"ip/10.96.0.1", cluster.claims().back()}); // and no claim on one

  const Json outside{{"spec",
                      {{"type", "ClusterIP"},
                       {"externalIPs", {"1.2.3.4"}},
                       {"externalTrafficPolicy", "Local"},
                       {"allocateLoadBalancerNodePorts", nullptr}}}};
  REQUIRE(client.patch(Kind::service, "default", "lb", outside));
  const auto inside = client.patch(Kind::service, "default", "lb", {{"spec", {{"externalIPs", nullptr}}}});
  REQUIRE(inside);
  CHECK_FALSE(json_of(*inside)["spec"].contains("externalTrafficPolicy"));
}

TEST_CASE("Endpoints that are computed have no place for who is going") {
  Cluster cluster({"10.96.0.0/16"});
  auto& client = cluster.client;
  const auto endpoint = [](const char* address, bool ready, bool terminating) {
    return Json{{"addresses", {address}},
                {"conditions", {{"ready", ready}, {"serving", true}, {"terminating", terminating}}}};
  };
  Json body{{"metadata", {{"name", "s"}, {"labels", {{"kubernetes.io/service-name", "web"}}}}},
            {"addressType", "IPv4"},
            {"ports", {{{"port", 80}}}},
            {"endpoints",
             {endpoint("10.0.0.1", true, false), endpoint("10.0.0.2", false, true), endpoint("10.0.0.3", false, false),
              endpoint("10.0.0.4", true, true)}}};
  REQUIRE(client.create(Kind::endpoint_slice, "default", body));
  const Json subsets = json_of(client.get(Kind::endpoints, "default", "web").value())["subsets"];
  REQUIRE(subsets.size() == 1);
  CHECK(subsets[0]["addresses"] ==
        Json{{{"ip", "10.0.0.1"}}, {{"ip", "10.0.0.4"}}}); // told to be sent to, all the same
  CHECK(subsets[0]["notReadyAddresses"] == Json::array({{{"ip", "10.0.0.3"}}}));
  REQUIRE(client.patch(Kind::endpoint_slice, "default", "s", {{"endpoints", {endpoint("10.0.0.2", false, true)}}}));
  CHECK_FALSE(json_of(client.get(Kind::endpoints, "default", "web").value()).contains("subsets"));
}

TEST_CASE("a slice that is not changed is not judged again, and keeps no old topology") {
  Cluster cluster({"10.96.0.0/16"});
  auto& client = cluster.client;
  Json body{{"metadata", {{"name", "s"}}},
            {"addressType", "IPv6"},
            {"endpoints", {{{"addresses", {"FD00::1"}}, {"deprecatedTopology", {{"a", "b"}}}}}}};
  CHECK(client.create(Kind::endpoint_slice, "default", body).error().causes.at(0).message ==
        "Invalid value: \"FD00::1\": must be in canonical form (\"fd00::1\")");
  body["endpoints"][0]["addresses"] = {"fd00::1"};
  const Json made = json_of(client.create(Kind::endpoint_slice, "default", body).value());
  CHECK_FALSE(made["endpoints"][0].contains("deprecatedTopology"));
  const Status refused = client.patch(Kind::endpoint_slice, "default", "s", {{"addressType", "IPv4"}}).error();
  CHECK(refused.causes.size() == 1);
  CHECK(refused.causes.at(0).field == "addressType");
}

TEST_CASE("metadata can be written with the status") {
  // Controllers of load balancers do: they put their finalizer on, and take it away, in one patch with the status.
  Cluster cluster({"10.96.0.0/16"});
  auto& client = cluster.client;
  REQUIRE(client.create(
      Kind::service, "default",
      {{"metadata", {{"name", "lb"}}}, {"spec", {{"type", "LoadBalancer"}, {"ports", {{{"port", 80}}}}}}}));
  const auto status = [&](const Json& metadata) {
    return client.patch_status(Kind::service, "default", "lb",
                               {{"metadata", metadata}, {"spec", {{"type", "ClusterIP"}}}});
  };
  const Json held = json_of(status({{"finalizers", {"example.com/held"}}, {"labels", {{"a", "b"}}}}).value());
  CHECK(held["metadata"]["finalizers"] == Json{"example.com/held"});
  CHECK(held["metadata"]["labels"]["a"] == "b");
  CHECK(held["spec"]["type"] == "LoadBalancer");
  CHECK(status({{"labels", {{"-", "b"}}}}).error().causes[0].field == "metadata.labels");
  CHECK(status({{"uid", "x"}}).error().causes[0].field == "metadata.uid");
  REQUIRE(client.remove(Kind::service, "default", "lb"));
  CHECK(status({{"finalizers", {"example.com/held", "example.com/new"}}}).error().causes[0].field ==
        "metadata.finalizers");
  REQUIRE(status({{"finalizers", nullptr}}));
  CHECK(client.get(Kind::service, "default", "lb").error().code == 404);

  // Not the owners of a Pod.
  REQUIRE(
      client.create(Kind::pod, "default",
                    {{"metadata", {{"name", "p"}}}, {"spec", {{"containers", {{{"name", "c"}, {"image", "i"}}}}}}}));
  const Json owner{{"apiVersion", "v1"}, {"kind", "Node"}, {"name", "n"}, {"uid", "u"}};
  const Json pod = json_of(
      client
          .patch_status(Kind::pod, "default", "p",
                        {{"metadata", {{"ownerReferences", Json::array({owner})}, {"annotations", {{"x", "y"}}}}}})
          .value());
  CHECK_FALSE(pod["metadata"].contains("ownerReferences"));
  CHECK(pod["metadata"]["annotations"]["x"] == "y");
}

TEST_CASE("deletion releases at once, preconditions hold it back, dry runs do nothing") {
  Cluster cluster(dual);
  const Json spec{{"clusterIP", "10.96.0.80"}, {"type", "NodePort"}};
  const Json made = json_of(cluster.client.create(Kind::service, "default", service("web", spec)).value());
  CHECK(cluster.claims().size() == 3);
  model::DeleteOptions wrong;
  wrong.precondition_uid = "other";
  CHECK(cluster.client.remove(Kind::service, "default", "web", false, wrong).error().reason == "Conflict");
  wrong = {};
  wrong.precondition_resource_version = "1";
  CHECK(cluster.client.remove(Kind::service, "default", "web", false, wrong).error().reason == "Conflict");
  REQUIRE(cluster.client.remove(Kind::service, "default", "web", true));
  CHECK(cluster.claims().size() == 3);
  Json gone = json_of(cluster.client.remove(Kind::service, "default", "web").value());
  CHECK(gone["metadata"]["uid"] == made["metadata"]["uid"]);
  CHECK(cluster.claims() == std::vector<std::string>{"ip/10.96.0.1"});
  CHECK(cluster.client.remove(Kind::service, "default", "web").error().code == 404);
  CHECK(cluster.client.create(Kind::service, "default", service("other", spec)));
}

TEST_CASE("finalizers hold an object and its address until they are gone") {
  Cluster cluster(dual);
  Json body = service("web", {{"clusterIP", "10.96.0.80"}});
  body["metadata"]["finalizers"] = {"example.com/hold"};
  REQUIRE(cluster.client.create(Kind::service, "default", body));
  const Json marked = json_of(cluster.client.remove(Kind::service, "default", "web").value());
  CHECK(marked["metadata"].contains("deletionTimestamp"));
  CHECK(cluster.claims().size() == 2);
  CHECK(json_of(cluster.client.remove(Kind::service, "default", "web").value()) == marked);
  const Json more{{"metadata", {{"finalizers", {"example.com/hold", "example.com/more"}}}}};
  const auto refused = cluster.client.patch(Kind::service, "default", "web", more);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().causes.at(0).field == "metadata.finalizers");
  CHECK(refused.error().causes.at(0).reason == "FieldValueForbidden");
  REQUIRE(cluster.client.patch(Kind::service, "default", "web", {{"metadata", {{"finalizers", nullptr}}}}));
  CHECK(cluster.client.get(Kind::service, "default", "web").error().code == 404);
  CHECK(cluster.claims().size() == 1);
}

TEST_CASE("a namespace goes with everything in it") {
  Cluster cluster(dual);
  REQUIRE(cluster.client.create(Kind::name_space, "", name_space("team")));
  REQUIRE(cluster.client.create(Kind::name_space, "", name_space("team2")));
  for (int i = 0; i < 50; ++i) {
    REQUIRE(cluster.client.create(Kind::service, "team", service("s" + std::to_string(i), {{"type", "NodePort"}})));
    REQUIRE(cluster.client.create(Kind::endpoint_slice, "team", slice("s" + std::to_string(i), "s1", "10.1.0.1")));
  }
  REQUIRE(cluster.client.create(Kind::service, "team2", service("stays")));
  const Json gone = json_of(cluster.client.remove(Kind::name_space, "", "team").value());
  CHECK(gone["status"]["phase"] == "Terminating");
  CHECK(cluster.client.get(Kind::name_space, "", "team").error().code == 404);
  CHECK(cluster.client.list(Kind::service, "team").items.empty());
  CHECK(cluster.client.list(Kind::endpoint_slice).items.empty());
  CHECK(cluster.client.list(Kind::service).items.size() == 2);
  CHECK(cluster.claims().size() == 2);
  CHECK(cluster.client.create(Kind::service, "team", service("late")).error().code == 404);
  REQUIRE(cluster.client.create(Kind::name_space, "", name_space("team")));
  CHECK(cluster.client.create(Kind::service, "team", service("again")));
  for (const char* name : {"default", "kube-system"}) {
    CHECK(cluster.client.remove(Kind::name_space, "", name).error().message ==
          "namespaces \"" + std::string(name) + "\" is forbidden: this namespace may not be deleted");
  }
}

TEST_CASE("a namespace waits for what finalizers hold in it") {
  Cluster cluster(dual);
  REQUIRE(cluster.client.create(Kind::name_space, "", name_space("team")));
  Json held = service("held");
  held["metadata"]["finalizers"] = {"example.com/hold"};
  REQUIRE(cluster.client.create(Kind::service, "team", held));
  REQUIRE(cluster.client.create(Kind::service, "team", service("free")));
  REQUIRE(cluster.client.remove(Kind::name_space, "", "team"));
  CHECK(cluster.client.list(Kind::service, "team").items.size() == 1);
  const auto refused = cluster.client.create(Kind::service, "team", service("late"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == 403);
  CHECK(refused.error().causes.at(0).reason == "NamespaceTerminating");
  REQUIRE(cluster.client.patch(Kind::service, "team", "held", {{"metadata", {{"finalizers", nullptr}}}}));
  REQUIRE(cluster.client.create(Kind::name_space, "", name_space("other"))); // the worker has its turn
  for (int i = 0; i < 1000 && cluster.client.get(Kind::name_space, "", "team"); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CHECK(cluster.client.get(Kind::name_space, "", "team").error().code == 404);
}

TEST_CASE("the generation of a slice counts changes of endpoints, ports and labels") {
  Cluster cluster(dual);
  Json body = slice("s", "web", "10.1.0.1");
  CHECK(json_of(cluster.client.create(Kind::endpoint_slice, "default", body).value())["metadata"]["generation"] == 1);
  const Json label{{"metadata", {{"labels", {{"a", "b"}}}}}};
  const auto labelled = cluster.client.patch(Kind::endpoint_slice, "default", "s", label);
  CHECK(json_of(labelled.value())["metadata"]["generation"] == 2);
  const Json note{{"metadata", {{"annotations", {{"a", "b"}}}}}};
  CHECK(json_of(cluster.client.patch(Kind::endpoint_slice, "default", "s", note).value())["metadata"]["generation"] ==
        2);
  const Json moved{{"endpoints", {{{"addresses", {"10.1.0.2"}}}}}};
  const auto changed = cluster.client.patch(Kind::endpoint_slice, "default", "s", moved);
  CHECK(json_of(changed.value())["metadata"]["generation"] == 3);
  const Json family{{"addressType", "IPv6"}, {"endpoints", Json::array()}};
  CHECK(cluster.client.patch(Kind::endpoint_slice, "default", "s", family).error().code == 422);
}

TEST_CASE("what slices may not hold") {
  struct Row {
    Json change;
    std::string field;
  };
  const Json many(std::vector<std::string>(101, "10.0.0.1"));
  const std::vector<Row> rows{
      {{{"addressType", ""}}, "addressType"},
      {{{"addressType", "IPX"}}, "addressType"},
      {{{"endpoints", {{{"addresses", Json::array()}}}}}, "endpoints[0].addresses"},
      {{{"endpoints", {{{"addresses", many}}}}}, "endpoints[0].addresses"},
      {{{"endpoints", {{{"addresses", {"fd00::1"}}}}}}, "endpoints[0].addresses"},
      {{{"endpoints", {{{"addresses", {"10.1.0.1.2"}}}}}}, "endpoints[0].addresses[0]"},
      {{{"endpoints", {{{"addresses", {"127.0.0.1"}}}}}}, "endpoints[0].addresses[0]"},
      {{{"endpoints", {{{"addresses", {"0.0.0.0"}}}}}}, "endpoints[0].addresses[0]"},
      {{{"endpoints", {{{"addresses", {"169.254.0.1"}}}}}}, "endpoints[0].addresses[0]"},
      {{{"endpoints", {{{"addresses", {"224.0.0.5"}}}}}}, "endpoints[0].addresses[0]"},
      {{{"endpoints", {{{"addresses", {"10.1.0.1"}}, {"hostname", "A_b"}}}}}, "endpoints[0].hostname"},
      {{{"ports", {{{"name", "a"}, {"port", 1}}, {{"name", "a"}, {"port", 2}}}}}, "ports[1].name"},
      {{{"ports", {{{"name", "A"}, {"port", 1}}}}}, "ports[0].name"},
      {{{"ports", {{{"protocol", "ICMP"}, {"port", 1}}}}}, "ports[0].protocol"},
      {{{"metadata", {{"name", "A"}}}}, "metadata.name"},
      {{{"metadata", {{"name", "s"}, {"labels", {{"a", "-"}}}}}}, "metadata.labels"},
      {{{"metadata", {{"name", "s"}, {"annotations", {{"a", std::string(300000, 'x')}}}}}}, "metadata.annotations"},
      {{{"metadata", {{"name", "s"}, {"finalizers", {"no/t/ok"}}}}}, "metadata.finalizers"},
  };
  Cluster cluster(dual);
  for (const Row& row : rows) {
    Json body = slice("s", "web", "10.1.0.1");
    body.update(row.change);
    CAPTURE(body.dump().substr(0, 300));
    const auto refused = cluster.client.create(Kind::endpoint_slice, "default", body);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == 422);
    REQUIRE_FALSE(refused.error().causes.empty());
    CHECK(refused.error().causes[0].field == row.field);
  }
  Json many_endpoints = slice("s", "web", "10.1.0.1");
  for (int i = 0; i < 1000; ++i) many_endpoints["endpoints"].push_back(many_endpoints["endpoints"][0]);
  CHECK(cluster.client.create(Kind::endpoint_slice, "default", many_endpoints).error().causes.at(0).reason ==
        "FieldValueTooMany");
}

TEST_CASE("node ports: shared, taken, refused as upstream does") {
  Cluster cluster(dual);
  const auto ask = [&](const std::string& name, const Json& ports) {
    return cluster.client.create(Kind::service, "default", service(name, {{"type", "NodePort"}, {"ports", ports}}));
  };
  const Json crossed{{{"name", "a"}, {"port", 1}, {"nodePort", 30100}},
                     {{"name", "b"}, {"port", 2}, {"nodePort", 30100}}};
  CHECK(ask("crossed", crossed).error().causes.at(0).message ==
        "Invalid value: 30100: provided port is already allocated");
  REQUIRE(ask("one", {{{"port", 1}, {"nodePort", 30100}}}));
  CHECK(ask("two", {{{"port", 1}, {"nodePort", 30100}}}).error().code == 422);
  // What a failed create held is free again.
  CHECK(cluster.claims().size() == 3);
  const Json health{{"type", "LoadBalancer"}, {"externalTrafficPolicy", "Local"}, {"healthCheckNodePort", -1}};
  const auto refused = cluster.client.create(Kind::service, "default", service("health", health));
  CHECK(refused.error().code == 422);
  CHECK(refused.error().causes.at(0).field == "spec.healthCheckNodePort");
}

TEST_CASE("only who owns a port can give it back") {
  Cluster cluster(dual);
  const Json ports{{{"port", 80}, {"nodePort", 30080}}};
  REQUIRE(cluster.client.create(Kind::service, "default", service("owner", {{"type", "NodePort"}, {"ports", ports}})));
  const Json alias{{"type", "ExternalName"}, {"externalName", "example.com"}, {"ports", ports}};
  REQUIRE(cluster.client.create(Kind::service, "default", service("alias", alias)));
  REQUIRE(cluster.client.remove(Kind::service, "default", "alias"));
  CHECK(cluster.claims().back() == "port/30080");
  REQUIRE(cluster.client.create(Kind::service, "default", service("alias", alias)));
  const Json plain{{"type", "ClusterIP"}, {"externalName", nullptr}, {"ports", {{{"port", 80}}}}};
  REQUIRE(cluster.client.patch(Kind::service, "default", "alias", {{"spec", plain}}));
  CHECK(cluster.claims().back() == "port/30080");
}

TEST_CASE("a port that moves within one service stays its own") {
  Cluster cluster(dual);
  const Json spec{{"type", "LoadBalancer"}, {"externalTrafficPolicy", "Local"}, {"healthCheckNodePort", 30118}};
  REQUIRE(cluster.client.create(Kind::service, "default", service("lb", spec)));
  const Json moved{{"externalTrafficPolicy", "Cluster"},
                   {"healthCheckNodePort", nullptr},
                   {"ports", {{{"port", 80}, {"nodePort", 30118}}}}};
  REQUIRE(cluster.client.patch(Kind::service, "default", "lb", {{"spec", moved}}));
  CHECK(cluster.claims() == std::vector<std::string>{"ip/10.96.0.1", cluster.claims()[1], "port/30118"});
  REQUIRE(cluster.client.remove(Kind::service, "default", "lb"));
  CHECK(cluster.claims().size() == 1);
}

TEST_CASE("spelling of addresses: the claim is canonical, the object keeps what was typed") {
  Cluster cluster(dual);
  const Json typed = json_of(
      cluster.client.create(Kind::service, "default", service("six", {{"clusterIP", "fd00:10:96:0::0099"}})).value());
  CHECK(typed["spec"]["clusterIP"] == "fd00:10:96:0::0099");
  CHECK(cluster.claims().back() == "ip/fd00:10:96::99");
  CHECK(cluster.client.create(Kind::service, "default", service("same", {{"clusterIP", "fd00:10:96::99"}}))
            .error()
            .code == 422);
  CHECK(cluster.client.create(Kind::service, "default", service("four", {{"clusterIP", "010.96.0.50"}})));
  CHECK(cluster.client.create(Kind::service, "default", service("other", {{"clusterIP", "10.96.0.50"}})).error().code ==
        422);
}

TEST_CASE("the address of the DNS is given last, or to who asks for it") {
  Cluster cluster({"10.96.0.0/28"}); // 14 usable, one is kubernetes', one is kept
  for (int i = 0; i < 12; ++i) {
    const Json json =
        json_of(cluster.client.create(Kind::service, "default", service("s" + std::to_string(i))).value());
    CHECK(json["spec"]["clusterIP"] != "10.96.0.10");
  }
  SUBCASE("asked for") {
    CHECK(cluster.client.create(Kind::service, "kube-system", service("dns", {{"clusterIP", "10.96.0.10"}})));
  }
  SUBCASE("last") {
    const Json last = json_of(cluster.client.create(Kind::service, "default", service("last")).value());
    CHECK(last["spec"]["clusterIP"] == "10.96.0.10");
  }
  CHECK(cluster.client.create(Kind::service, "default", service("full")).error().code == 500);
}

TEST_CASE("views show slices and claims") {
  Cluster cluster(dual);
  REQUIRE(cluster.client.create(Kind::service, "default", service("web", {{"clusterIP", "10.96.0.80"}})));
  REQUIRE(cluster.client.create(Kind::endpoint_slice, "default", slice("web-b", "web", "10.1.0.2")));
  Json not_ready = slice("web-a", "web", "10.1.0.1");
  not_ready["endpoints"][0]["conditions"] = {{"ready", false}};
  REQUIRE(cluster.client.create(Kind::endpoint_slice, "default", not_ready));
  REQUIRE(cluster.client.create(Kind::endpoint_slice, "kube-system", slice("dns-a", "dns", "10.1.0.3")));

  const Json endpoints = json_of(cluster.client.get(Kind::endpoints, "default", "web").value());
  CHECK(endpoints["metadata"]["name"] == "web");
  REQUIRE(endpoints["subsets"].size() == 1);
  CHECK(endpoints["subsets"][0]["addresses"] == Json{{{"ip", "10.1.0.2"}}});
  CHECK(endpoints["subsets"][0]["notReadyAddresses"] == Json{{{"ip", "10.1.0.1"}}});
  CHECK(endpoints["subsets"][0]["ports"] == Json{{{"name", "http"}, {"port", 8080}, {"protocol", "TCP"}}});
  CHECK(cluster.client.list(Kind::endpoints).items.size() == 2);
  CHECK(cluster.client.list(Kind::endpoints, "default").items.size() == 1);
  CHECK(cluster.client.get(Kind::endpoints, "default", "none").error().code == 404);

  const Json address = json_of(cluster.client.get(Kind::ip_address, "", "10.96.0.80").value());
  CHECK(address["spec"]["parentRef"] == Json{{"resource", "services"}, {"namespace", "default"}, {"name", "web"}});
  CHECK(address["metadata"]["labels"]["ipaddress.kubernetes.io/ip-family"] == "IPv4");
  CHECK(address["metadata"]["labels"]["ipaddress.kubernetes.io/managed-by"] == "ipallocator.k8s.io");
  CHECK(cluster.client.list(Kind::ip_address).items.size() == 2);

  CHECK(cluster.client.remove(Kind::endpoints, "default", "web").error().code == 409);
}

Json endpoints(const std::string& name, const std::string& ip) {
  return {{"metadata", {{"name", name}}},
          {"subsets", {{{"addresses", {{{"ip", ip}}}}, {"ports", {{{"port", 8080}}}}}}}};
}

TEST_CASE("Endpoints that somebody wrote stand before those that are computed") {
  Cluster cluster(dual);
  REQUIRE(cluster.client.create(Kind::endpoint_slice, "default", slice("web-a", "web", "10.1.0.1")));
  const auto ip_of = [&] {
    return json_of(cluster.client.get(Kind::endpoints, "default", "web").value())["subsets"][0]["addresses"][0]["ip"];
  };
  CHECK(ip_of() == "10.1.0.1");

  SUBCASE("created") { REQUIRE(cluster.client.create(Kind::endpoints, "default", endpoints("web", "10.1.0.9"))); }
  SUBCASE("put, with what was read") {
    Json body = json_of(cluster.client.get(Kind::endpoints, "default", "web").value());
    body["subsets"][0]["addresses"][0]["ip"] = "10.1.0.9";
    const auto written = cluster.client.put(Kind::endpoints, "default", "web", body);
    REQUIRE(written);
    CHECK_FALSE(written->second); // 200: there was one to be seen
    CHECK(cluster.client.put(Kind::endpoints, "default", "web", body).error().code == 409); // an old one by now
  }
  SUBCASE("patched") {
    const Json subsets = endpoints("web", "10.1.0.9")["subsets"];
    REQUIRE(cluster.client.patch(Kind::endpoints, "default", "web", {{"subsets", subsets}}));
  }
  CHECK(ip_of() == "10.1.0.9");
  const Listing all = cluster.client.list(Kind::endpoints);
  REQUIRE(all.items.size() == 1);
  CHECK(all.items[0].json() == cluster.client.get(Kind::endpoints, "default", "web")->json());
  CHECK(cluster.client.create(Kind::endpoints, "default", endpoints("web", "10.1.0.9")).error().code == 409);

  REQUIRE(cluster.client.remove(Kind::endpoints, "default", "web"));
  CHECK(ip_of() == "10.1.0.1");
}

TEST_CASE("Endpoints go with the service of their name, and with their namespace") {
  Cluster cluster(dual);
  REQUIRE(cluster.client.create(Kind::name_space, "", name_space("team")));
  REQUIRE(cluster.client.create(Kind::service, "default", service("web")));
  REQUIRE(cluster.client.create(Kind::service, "team", service("web")));
  for (const char* where : {"default", "team"}) {
    for (const char* name : {"alone", "web"}) {
      REQUIRE(cluster.client.create(Kind::endpoints, where, endpoints(name, "10.1.0.9")));
    }
  }
  REQUIRE(cluster.client.remove(Kind::service, "default", "web"));
  CHECK(cluster.client.get(Kind::endpoints, "default", "web").error().code == 404);
  CHECK(cluster.client.get(Kind::endpoints, "default", "alone"));
  REQUIRE(cluster.client.remove(Kind::name_space, "", "team"));
  CHECK(cluster.client.list(Kind::endpoints, "team").items.empty());
}

TEST_CASE("Endpoints are checked as upstream checks them") {
  Cluster cluster(dual);
  const auto refused = [&](const Json& subsets) {
    const auto result = cluster.client.create(Kind::endpoints, "default",
                                              {{"metadata", {{"name", "web"}}}, {"subsets", subsets}}, true);
    return result ? Json("accepted") : json_of(result.error())["details"]["causes"][0];
  };
  CHECK(refused(Json::parse(R"([{"addresses":[{"ip":"10.1.0.1"}],"ports":[{"port":80}]}])")) == "accepted");
  CHECK(refused(Json::parse(R"([{"ports":[{"port":80}]}])")) ==
        Json{{"reason", "FieldValueRequired"},
             {"message", "Required value: must specify `addresses` or `notReadyAddresses`"},
             {"field", "subsets[0]"}});
  CHECK(
      refused(Json::parse(R"([{"addresses":[{"ip":"10.1.0.999"}]}])")) ==
      Json{{"reason", "FieldValueInvalid"},
           {"message", "Invalid value: \"10.1.0.999\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"},
           {"field", "subsets[0].addresses[0].ip"}});
  CHECK(refused(Json::parse(R"([{"notReadyAddresses":[{"ip":"127.0.0.1"}]}])"))["field"] ==
        "subsets[0].notReadyAddresses[0].ip");
  CHECK(refused(Json::parse(R"([{"addresses":[{"ip":"10.1.0.1","hostname":"a.b"}]}])"))["field"] ==
        "subsets[0].addresses[0].hostname");
  CHECK(refused(Json::parse(R"([{"addresses":[{"ip":"10.1.0.1"}],"ports":[{"port":0}]}])"))["field"] ==
        "subsets[0].ports[0].port");
  CHECK(refused(Json::parse(R"([{"addresses":[{"ip":"10.1.0.1"}],"ports":[{"port":1},{"port":2}]}])"))["field"] ==
        "subsets[0].ports[0].name");
  CHECK(refused(Json::parse(R"([{"addresses":[{"ip":"10.1.0.1"}],"ports":[{"port":1,"protocol":"ICMP"}]}])")) ==
        Json{{"reason", "FieldValueNotSupported"},
             {"message", "Unsupported value: \"ICMP\": supported values: \"SCTP\", \"TCP\", \"UDP\""},
             {"field", "subsets[0].ports[0].protocol"}});
}

TEST_CASE("a list in pages is a list of one revision") {
  Cluster cluster(dual);
  for (int i = 0; i < 7; ++i) {
    REQUIRE(cluster.client.create(Kind::service, "default", service("s" + std::to_string(i))));
    REQUIRE(cluster.client.create(Kind::endpoint_slice, "default",
                                  slice("s" + std::to_string(i), "s" + std::to_string(i), "10.1.0.1")));
  }
  for (const Kind kind : {Kind::service, Kind::endpoints, Kind::ip_address}) {
    CAPTURE(model::info(kind).name);
    const Listing whole = cluster.client.list(kind);
    ListRequest request{.kind = kind, .limit = 3};
    std::vector<std::string> seen;
    while (true) {
      const Listing page = cluster.registry.list(request).value();
      for (const Stored& stored : page.items) seen.push_back(stored.json());
      CHECK(page.revision == whole.revision);
      CHECK(page.remaining == whole.items.size() - seen.size());
      if (page.next.empty()) break;
      REQUIRE(page.items.size() == 3);
      request.from = page.next;
      request.revision = page.revision;
      if (request.kind == Kind::service && seen.size() == 3) {
        REQUIRE(cluster.client.create(Kind::service, "default", service("late")));
      }
    }
    REQUIRE(seen.size() == whole.items.size());
    for (std::size_t i = 0; i < seen.size(); ++i) CHECK(seen[i] == whole.items[i].json());
  }
}

TEST_CASE("pages of what was chosen are full, and go on behind the last one") {
  Cluster cluster(dual);
  for (int i = 0; i < 30; ++i) {
    const std::string name = "s" + std::to_string(10 + i);
    REQUIRE(cluster.client.create(Kind::service, "default", service(name)));
    REQUIRE(cluster.client.create(Kind::endpoint_slice, "default", slice(name, name, "10.1.0.1")));
  }
  for (const Kind kind : {Kind::service, Kind::endpoints}) {
    CAPTURE(model::info(kind).name);
    ListRequest request{.kind = kind, .limit = 2};
    request.chosen = [](const Stored& stored) {
      return json_of(stored)["metadata"]["name"].get<std::string>()[2] == '5';
    };
    std::string seen;
    std::size_t pages = 0;
    while (true) {
      const Listing page = cluster.registry.list(request).value();
      ++pages;
      for (const Stored& stored : page.items) seen += json_of(stored)["metadata"]["name"].get<std::string>() + " ";
      CHECK(page.remaining == 0);
      if (page.next.empty()) break;
      CHECK(page.items.size() == 2);
      request.from = page.next;
      request.revision = page.revision;
    }
    CHECK(seen == "s15 s25 s35 ");
    CHECK(pages == 2);
    request.from.clear();
    request.limit = 0;
    CHECK(cluster.registry.list(request).value().items.size() == 3);
  }
}

TEST_CASE("a registry of files cannot be written") {
  store::MemoryStore store;
  Settings settings = settings_for(dual);
  settings.read_only = true;
  Registry registry(store, settings);
  REQUIRE(registry.open());
  Client client(registry);
  CHECK(client.create(Kind::service, "default", service("web")).error().code == 405);
  CHECK(client.put(Kind::service, "default", "web", service("web")).error().code == 405);
  CHECK(client.remove(Kind::service, "default", "web").error().code == 405);
  CHECK(registry.revision() == 0);
}

} // namespace
} // namespace signpost::registry::test
