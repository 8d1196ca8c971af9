#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/client/cli/command_line.hpp"
#include "tests/client/http_responder.hpp"

using nlohmann::json;
using testing::HttpAnswer;
using testing::HttpAsked;
using testing::HttpResponder;
using testing::run;

namespace {

json service(const std::string& name, const json& ips) {
  return {{"metadata", {{"name", name}, {"namespace", "default"}}}, {"spec", {{"clusterIPs", ips}}}};
}

json address(const std::string& ip, const std::string& resource, const std::string& name, bool managed = true) {
  json one{{"metadata", {{"name", ip}, {"labels", json::object()}}},
           {"spec", {{"parentRef", {{"resource", resource}, {"namespace", "default"}, {"name", name}}}}}};
  if (managed) one["metadata"]["labels"]["ipaddress.kubernetes.io/managed-by"] = "ipallocator.k8s.io";
  return one;
}

json cidr(const std::string& name, const json& prefixes) {
  return {{"metadata", {{"name", name}}}, {"spec", {{"cidrs", prefixes}}}};
}

struct Cluster {
  json services = json::array(), addresses = json::array(), cidrs = {cidr("kubernetes", {"10.96.0.0/28", "fd00::/64"})};

  HttpResponder server{[this](const HttpAsked& asked) {
    const json& items = asked.target.find("services") != std::string::npos      ? services
                        : asked.target.find("ipaddresses") != std::string::npos ? addresses
                                                                                : cidrs;
    return HttpAnswer{.body = json{{"kind", "List"}, {"metadata", json::object()}, {"items", items}}.dump()};
  }};

  testing::Ran vip(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--server", server.url(), "vip"});
    return run(std::move(arguments));
  }
};

} // namespace

TEST_CASE("vip ls tells how full the ranges are, and who has which address") {
  Cluster cluster;
  cluster.addresses = {address("10.96.0.5", "services", "web"), address("192.0.2.1", "gateways", "edge", false)};
  json going = cidr("going", {"10.97.0.0/24"});
  going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  cluster.cidrs.push_back(going);
  CHECK(cluster.vip({"ls"}).out ==
        "SERVICECIDR   PREFIX         STATE         USED   FREE                   AGE\n"
        "kubernetes    10.96.0.0/28   Ready         1      13                     <unknown>\n"
        "kubernetes    fd00::/64      Ready         0      18446744073709551615   <unknown>\n"
        "going         10.97.0.0/24   Terminating   0      254                    <unknown>\n");
  CHECK(cluster.vip({"ls", "--addresses", "--no-headers"}).out == "10.96.0.5   service default/web     <unknown>\n"
                                                                  "192.0.2.1   gateways default/edge   <unknown>\n");
  const json told = json::parse(cluster.vip({"ls", "-o", "json"}).out);
  CHECK(told[0]["used"] == 1);
  CHECK(json::parse(cluster.vip({"ls", "--addresses", "-o", "json"}).out)[0]["name"] == "default/web");
}

TEST_CASE("vip check finds nothing where all fits") {
  Cluster cluster;
  cluster.services = {service("web", {"10.96.0.5", "fd00::5"}), service("old", {"010.096.0.06"}),
                      service("headless", {"None"})};
  cluster.addresses = {address("10.96.0.5", "services", "web"), address("fd00::5", "services", "web"),
                       address("10.96.0.6", "services", "old"), address("10.96.0.9", "gateways", "edge", false)};
  const auto ran = cluster.vip({"check"});
  CHECK(ran.out == "all fits: 2 services with 3 addresses, 4 IPAddresses, 2 prefixes\n");
  CHECK(ran.code == 0);
}

TEST_CASE("vip check says what does not fit, and what to do") {
  Cluster cluster;
  const auto says = [&](const std::string& text) {
    const auto ran = cluster.vip({"check"});
    CHECK(ran.code == 1);
    CHECK(ran.out == text + "\n");
  };
  SUBCASE("two services with one address") {
    cluster.services = {service("a", {"10.96.0.5"}), service("b", {"10.96.0.5"})};
    cluster.addresses = {address("10.96.0.5", "services", "b")};
    says("10.96.0.5 is given more than once, to the services default/a and default/b: delete all of them but one");
  }
  SUBCASE("nobody holds it") {
    cluster.services = {service("a", {"10.96.0.5"})};
    says("service default/a has 10.96.0.5, but no IPAddress holds it: delete the service and create it again with "
         "this clusterIP");
  }
  SUBCASE("somebody else holds it") {
    cluster.services = {service("a", {"10.96.0.5"})};
    cluster.addresses = {address("10.96.0.5", "gateways", "edge", false)};
    says("service default/a has 10.96.0.5, but its IPAddress is held by gateways default/edge: delete one of the two");
  }
  SUBCASE("outside of every prefix") {
    cluster.services = {service("a", {"10.98.0.5"})};
    cluster.addresses = {address("10.98.0.5", "services", "a")};
    says("service default/a has 10.98.0.5, which is in no ServiceCIDR: create one that holds it");
  }
  SUBCASE("lost") {
    cluster.addresses = {address("10.96.0.5", "services", "gone")};
    says("IPAddress 10.96.0.5 is held by service default/gone, which does not have it: delete the IPAddress");
  }
}

TEST_CASE("vip check forgives what changes while it looks") {
  int looks = 0;
  HttpResponder server([&](const HttpAsked& asked) {
    json items = json::array();
    if (asked.target.find("services") != std::string::npos) items.push_back(service("web", {"10.96.0.5"}));
    // The service's address is seen from the second look on.
    if (asked.target.find("ipaddresses") != std::string::npos && looks++ > 0)
      items.push_back(address("10.96.0.5", "services", "web"));
    if (asked.target.find("servicecidrs") != std::string::npos) items.push_back(cidr("kubernetes", {"10.96.0.0/28"}));
    return HttpAnswer{.body = json{{"kind", "List"}, {"metadata", json::object()}, {"items", items}}.dump()};
  });
  CHECK(run({"--server", server.url(), "vip", "check"}).code == 0);
}

TEST_CASE("vip without a server, or with a word it does not know") {
  CHECK(run({"--server", "http://127.0.0.1:1", "vip", "ls"}).code == 4);
  CHECK(run({"--server", "http://127.0.0.1:1", "vip", "check"}).code == 4);
  CHECK(run({"vip", "fly"}).code == 2);
}
