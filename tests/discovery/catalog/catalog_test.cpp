#include "discovery/catalog/catalog.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>

using namespace signpost;
using catalog::Catalog;
using catalog::Changes;
using model::Address;
using model::Protocol;
using model::ServiceKey;
using Form = model::ServiceView::Form;

namespace {

model::Service service(std::string name, std::vector<std::string> ips = {"10.96.0.10"}) {
  model::Service object;
  object.metadata.name = std::move(name);
  object.metadata.name_space = "shop";
  if (!ips.empty()) object.spec.cluster_ip = ips.front();
  object.spec.cluster_ips = std::move(ips);
  model::ServicePort port;
  port.name = "http";
  port.port = 80;
  object.spec.ports = {port};
  return object;
}

model::EndpointSlice slice(std::string name, std::string of_service, std::vector<std::string> addresses) {
  model::EndpointSlice object;
  object.metadata.name = std::move(name);
  object.metadata.name_space = "shop";
  object.metadata.labels[model::service_name_label] = std::move(of_service);
  object.address_type = "IPv4";
  model::EndpointPort port;
  port.name = "http";
  port.port = 8080;
  object.ports = {port};
  for (auto& address : addresses) object.endpoints.emplace_back().addresses = {std::move(address)};
  return object;
}

model::Namespace name_space(std::string name) {
  model::Namespace object;
  object.metadata.name = std::move(name);
  return object;
}

std::vector<std::string> put(Catalog& catalog, const model::Object& object) {
  Changes changes;
  catalog.put(object, changes);
  std::vector<std::string> names = changes.namespaces;
  for (const auto& key : changes.services) names.push_back(key.name_space + "/" + key.name);
  return names;
}

std::vector<std::string> erase(Catalog& catalog, model::Kind kind, std::string_view space, std::string_view name) {
  Changes changes;
  catalog.erase(kind, space, name, changes);
  std::vector<std::string> names = changes.namespaces;
  for (const auto& key : changes.services) names.push_back(key.name_space + "/" + key.name);
  return names;
}

std::vector<std::string> endpoint_ips(const Catalog& catalog, const std::string& name) {
  std::vector<std::string> ips;
  auto const view = catalog.view({"shop", name});
  REQUIRE(view);
  for (const auto& group : view->groups) {
    for (const auto& endpoint : group.endpoints) {
      for (const auto& address : endpoint.addresses) ips.push_back(address.to_string());
    }
  }
  return ips;
}

using Names = std::vector<std::string>;

} // namespace

TEST_CASE("a service with cluster IPs is seen with its ports and addresses") {
  Catalog catalog;
  auto object = service("web", {"10.96.0.10", "fd00:10:96::a"});
  object.spec.ports.resize(4);
  object.spec.ports[1].name = "dns";
  object.spec.ports[1].protocol = "UDP";
  object.spec.ports[1].port = 53;
  object.spec.ports[2].protocol = "QUIC"; // no such protocol
  object.spec.ports[2].port = 1;
  object.spec.ports[3].port = 70000; // no such port
  CHECK(put(catalog, object) == Names{"shop/web"});
  auto const view = catalog.view({"shop", "web"});
  REQUIRE(view);
  CHECK(view->key == ServiceKey{"shop", "web"});
  CHECK(view->form == Form::cluster_ip);
  CHECK(view->cluster_ips == std::vector{*Address::parse("10.96.0.10"), *Address::parse("fd00:10:96::a")});
  CHECK(view->ports == std::vector<model::PortView>{{"http", Protocol::tcp, 80}, {"dns", Protocol::udp, 53}});
  CHECK_FALSE(view->publish_not_ready);
  CHECK(view->groups.empty());
  CHECK(view->external_name.empty());
}

TEST_CASE("the form of a service follows its type and cluster IP") {
  Catalog catalog;
  CHECK(put(catalog, service("web", {"None"})) == Names{"shop/web"});
  CHECK(catalog.view({"shop", "web"})->form == Form::headless);
  CHECK(catalog.view({"shop", "web"})->cluster_ips.empty());

  auto external = service("web", {});
  external.spec.type = "ExternalName";
  external.spec.external_name = "foo.example.com.";
  CHECK(put(catalog, external) == Names{"shop/web"});
  CHECK(catalog.view({"shop", "web"})->form == Form::external_name);
  CHECK(catalog.view({"shop", "web"})->external_name == "foo.example.com.");

  CHECK(put(catalog, service("web", {})) == Names{"shop/web"});
  CHECK(catalog.view({"shop", "web"})->form == Form::cluster_ip);
  CHECK(catalog.view({"shop", "web"})->cluster_ips.empty());

  CHECK(put(catalog, service("web", {"not-an-ip", "10.96.0.11", "10.96.0.11"})) == Names{"shop/web"});
  CHECK(catalog.view({"shop", "web"})->cluster_ips == std::vector{*Address::parse("10.96.0.11")});
}

TEST_CASE("what DNS does not show changes nothing") {
  Catalog catalog;
  auto object = service("web");
  CHECK(put(catalog, object) == Names{"shop/web"});
  CHECK(put(catalog, object).empty());
  object.metadata.labels["a"] = "b";
  object.metadata.resource_version = "17";
  object.spec.selector["app"] = "web";
  object.spec.ports[0].node_port = 30000;
  object.spec.ports[0].target_port = model::IntOrString{8080};
  object.status.load_balancer.ingress.emplace_back().ip = "1.2.3.4";
  CHECK(put(catalog, object).empty());
  object.spec.publish_not_ready_addresses = true;
  CHECK(put(catalog, object) == Names{"shop/web"});

  auto endpoints = slice("web-1", "web", {"10.0.0.1"});
  CHECK(put(catalog, endpoints) == Names{"shop/web"});
  endpoints.endpoints[0].node_name = "n";
  endpoints.endpoints[0].conditions.ready = true; // absent counts as ready
  endpoints.endpoints[0].conditions.serving = false;
  endpoints.metadata.annotations["x"] = "y";
  CHECK(put(catalog, endpoints).empty());
  endpoints.endpoints[0].conditions.ready = false;
  CHECK(put(catalog, endpoints) == Names{"shop/web"});
  CHECK_FALSE(catalog.view({"shop", "web"})->groups.at(0).endpoints.at(0).ready);
}

TEST_CASE("slices may come before their service and stay after it") {
  Catalog catalog;
  CHECK(put(catalog, slice("web-1", "web", {"10.0.0.1"})).empty());
  CHECK_FALSE(catalog.view({"shop", "web"}));
  CHECK(catalog.service_count() == 0);
  CHECK(put(catalog, service("web", {"None"})) == Names{"shop/web"});
  CHECK(endpoint_ips(catalog, "web") == Names{"10.0.0.1"});
  CHECK(catalog.view({"shop", "web"})->groups.at(0).ports ==
        std::vector<model::PortView>{{"http", Protocol::tcp, 8080}});
  CHECK(erase(catalog, model::Kind::service, "shop", "web") == Names{"shop/web"});
  CHECK_FALSE(catalog.view({"shop", "web"}));
  CHECK(erase(catalog, model::Kind::service, "shop", "web").empty());
  CHECK(put(catalog, service("web", {"None"})) == Names{"shop/web"});
  CHECK(endpoint_ips(catalog, "web") == Names{"10.0.0.1"});
}

TEST_CASE("several slices of a service are merged in the order of their names") {
  Catalog catalog;
  put(catalog, service("web", {"None"}));
  CHECK(put(catalog, slice("web-c", "web", {"10.0.0.3"})) == Names{"shop/web"});
  CHECK(put(catalog, slice("web-a", "web", {"10.0.0.1"})) == Names{"shop/web"});
  CHECK(put(catalog, slice("web-b", "web", {"10.0.0.2", "10.0.0.4"})) == Names{"shop/web"});
  CHECK(endpoint_ips(catalog, "web") == Names{"10.0.0.1", "10.0.0.2", "10.0.0.4", "10.0.0.3"});
  CHECK(put(catalog, slice("web-b", "web", {"10.0.0.5"})) == Names{"shop/web"});
  CHECK(endpoint_ips(catalog, "web") == Names{"10.0.0.1", "10.0.0.5", "10.0.0.3"});
  CHECK(erase(catalog, model::Kind::endpoint_slice, "shop", "web-b") == Names{"shop/web"});
  CHECK(erase(catalog, model::Kind::endpoint_slice, "shop", "web-b").empty());
  CHECK(endpoint_ips(catalog, "web") == Names{"10.0.0.1", "10.0.0.3"});
}

TEST_CASE("a label change moves a slice to another service") {
  Catalog catalog;
  put(catalog, service("web", {"None"}));
  put(catalog, service("api", {"None"}));
  put(catalog, slice("s", "web", {"10.0.0.1"}));
  CHECK(put(catalog, slice("s", "api", {"10.0.0.1"})) == Names{"shop/web", "shop/api"});
  CHECK(endpoint_ips(catalog, "web").empty());
  CHECK(endpoint_ips(catalog, "api") == Names{"10.0.0.1"});
  CHECK(put(catalog, slice("s", "nobody", {"10.0.0.1"})) == Names{"shop/api"});
  auto unlabelled = slice("s", "web", {"10.0.0.1"});
  CHECK(put(catalog, unlabelled) == Names{"shop/web"});
  unlabelled.metadata.labels.clear();
  CHECK(put(catalog, unlabelled) == Names{"shop/web"});
  CHECK(put(catalog, unlabelled).empty());
  CHECK(endpoint_ips(catalog, "web").empty());
}

TEST_CASE("what cannot be answered is left out of slices") {
  Catalog catalog;
  put(catalog, service("web", {"None"}));
  auto names = slice("fqdn", "web", {"example.com"});
  names.address_type = "FQDN";
  CHECK(put(catalog, names).empty());
  CHECK(put(catalog, slice("bad", "web", {"nonsense", "fd00::1", ""})).empty());
  CHECK(put(catalog, slice("none", "web", {})).empty());
  CHECK(put(catalog, slice("web-1", "web", {"10.0.0.1", "x", "10.0.0.2"})) == Names{"shop/web"});
  CHECK(endpoint_ips(catalog, "web") == Names{"10.0.0.1", "10.0.0.2"});
  CHECK(put(catalog, slice("web-1", "web", {})) == Names{"shop/web"});
  CHECK(catalog.view({"shop", "web"})->groups.empty());

  auto v6 = slice("six", "web", {"fd00::1", "10.0.0.1"});
  v6.address_type = "IPv6";
  v6.ports[0].port.reset();
  CHECK(put(catalog, v6) == Names{"shop/web"});
  CHECK(endpoint_ips(catalog, "web") == Names{"fd00::1"});
  CHECK(catalog.view({"shop", "web"})->groups.at(0).ports.empty());
}

TEST_CASE("an endpoint listed twice is there once") {
  Catalog catalog;
  put(catalog, service("web", {"None"}));
  auto twice = slice("web-1", "web", {"10.0.0.2", "10.0.0.1", "10.0.0.2"});
  twice.endpoints[1].addresses = {"10.0.0.1", "10.0.0.1", "10.0.0.3"};
  put(catalog, twice);
  auto ips = endpoint_ips(catalog, "web");
  std::sort(ips.begin(), ips.end());
  CHECK(ips == Names{"10.0.0.1", "10.0.0.2", "10.0.0.3"});
}

TEST_CASE("namespaces exist from their object on, whatever is in them") {
  Catalog catalog;
  put(catalog, service("web"));
  CHECK_FALSE(catalog.has_namespace("shop"));
  CHECK(catalog.namespaces().empty());
  CHECK(put(catalog, name_space("shop")) == Names{"shop"});
  CHECK(put(catalog, name_space("shop")).empty());
  CHECK(put(catalog, name_space("empty")) == Names{"empty"});
  CHECK(catalog.has_namespace("shop"));
  CHECK(catalog.namespaces() == Names{"empty", "shop"});
  CHECK(erase(catalog, model::Kind::name_space, "", "shop") == Names{"shop"});
  CHECK(erase(catalog, model::Kind::name_space, "", "shop").empty());
  CHECK_FALSE(catalog.has_namespace("shop"));
  CHECK(catalog.view({"shop", "web"}));
  CHECK(erase(catalog, model::Kind::service, "shop", "web") == Names{"shop/web"});
  CHECK(erase(catalog, model::Kind::name_space, "", "empty") == Names{"empty"});
  CHECK(catalog.namespaces().empty());
}

TEST_CASE("other kinds are not the catalog's") {
  Catalog catalog;
  CHECK(put(catalog, model::Endpoints{}).empty());
  CHECK(put(catalog, model::ServiceCidr{}).empty());
  CHECK(put(catalog, model::IpAddress{}).empty());
  CHECK(erase(catalog, model::Kind::endpoints, "shop", "web").empty());
}

TEST_CASE("services of one name in two namespaces are two") {
  Catalog catalog;
  auto other = service("web", {"10.96.0.99"});
  other.metadata.name_space = "attic";
  put(catalog, service("web"));
  put(catalog, other);
  CHECK(catalog.services() == std::vector<ServiceKey>{{"attic", "web"}, {"shop", "web"}});
  put(catalog, slice("s", "web", {"10.0.0.1"}));
  CHECK(catalog.view({"attic", "web"})->groups.empty());
  CHECK(erase(catalog, model::Kind::service, "attic", "web") == Names{"attic/web"});
  CHECK(catalog.services() == std::vector<ServiceKey>{{"shop", "web"}});
}

// Whatever the order of changes: a service is reported exactly when its view differs, and the view is what a plain
// look over all objects gives.
TEST_CASE("random changes agree with a plain model, and changes with differences") {
  std::mt19937 random(20261123);
  auto const below = [&](unsigned n) { return random() % n; };
  Catalog catalog;
  std::map<std::string, model::Service> services;
  std::map<std::string, model::EndpointSlice> slices;
  auto const views = [&] {
    std::map<ServiceKey, model::ServiceView> all;
    for (const auto& key : catalog.services()) all[key] = *catalog.view(key);
    return all;
  };
  for (int round = 0; round < 4000; ++round) {
    auto const before = views();
    Changes changes;
    auto const name = "s" + std::to_string(below(40));
    switch (below(5)) {
    case 0:
    case 1: {
      auto object = service(name, below(2) == 0 ? std::vector<std::string>{"None"}
                                                : std::vector<std::string>{"10.96.0." + std::to_string(below(3))});
      catalog.put(object, changes);
      services[name] = object;
      break;
    }
    case 2:
      catalog.erase(model::Kind::service, "shop", name, changes);
      services.erase(name);
      break;
    case 3: {
      std::vector<std::string> ips;
      for (auto n = below(3); n-- > 0;) ips.push_back("10.0.0." + std::to_string(n * 3 + below(3)));
      auto object = slice("slice" + std::to_string(below(30)), name, ips);
      catalog.put(object, changes);
      slices[object.metadata.name] = object;
      break;
    }
    default: {
      auto const slice_name = "slice" + std::to_string(below(30));
      catalog.erase(model::Kind::endpoint_slice, "shop", slice_name, changes);
      slices.erase(slice_name);
    }
    }
    auto const after = views();
    std::vector<ServiceKey> differing;
    for (const auto& [key, view] : before) {
      if (!after.contains(key) || after.at(key) != view) differing.push_back(key);
    }
    for (const auto& [key, view] : after) {
      if (!before.contains(key)) differing.push_back(key);
    }
    std::sort(differing.begin(), differing.end());
    std::sort(changes.services.begin(), changes.services.end());
    REQUIRE(changes.services == differing);
    REQUIRE(after.size() == services.size());
    REQUIRE(catalog.service_count() == services.size());
    if (round % 50 != 0) continue;
    for (const auto& [service_name, object] : services) {
      Names expected;
      for (const auto& [slice_name, of] : slices) {
        if (of.metadata.labels.at(model::service_name_label) != service_name) continue;
        for (const auto& endpoint : of.endpoints) expected.push_back(endpoint.addresses[0]);
      }
      REQUIRE(endpoint_ips(catalog, service_name) == expected);
    }
  }
}
