#include <doctest/doctest.h>

#include <algorithm>

#include "discovery/catalog/catalog.hpp"

using namespace signpost;

namespace {

model::Service service(const std::string& name, const std::string& ip) {
  model::Service s;
  s.metadata.name_space = "default";
  s.metadata.name = name;
  s.spec.type = "ClusterIP";
  s.spec.cluster_ip = ip;
  s.spec.cluster_ips = {ip};
  s.spec.ports.push_back({.protocol = "TCP", .port = 80});
  return s;
}

model::EndpointSlice slice(const std::string& name, const std::string& of, const std::string& ip) {
  model::EndpointSlice s;
  s.metadata.name_space = "default";
  s.metadata.name = name;
  s.metadata.labels[model::service_name_label] = of;
  s.address_type = "IPv4";
  s.endpoints.push_back({.addresses = {ip}});
  return s;
}

model::Namespace name_space(const std::string& name) {
  model::Namespace n;
  n.metadata.name = name;
  return n;
}

std::vector<std::string> names(const catalog::Changes& changes) {
  std::vector<std::string> all;
  for (const auto& key : changes.services) all.push_back(key.name);
  return all;
}

catalog::Catalog catalog_of(const std::vector<model::Object>& objects) {
  catalog::Catalog catalog;
  catalog::Changes unused;
  for (const auto& object : objects) catalog.put(object, unused);
  return catalog;
}

catalog::Changes between(const std::vector<model::Object>& before, const std::vector<model::Object>& now) {
  catalog::Changes changes;
  catalog_of(now).differences(catalog_of(before), changes);
  return changes;
}

} // namespace

TEST_CASE("two catalogs differ in what appeared, changed or vanished, and in nothing else") {
  const model::Object same = service("same", "10.0.0.1"), one = slice("same-1", "same", "10.1.0.1"),
                      two = slice("same-2", "same", "10.1.0.2");
  struct Row {
    const char* what;
    std::vector<model::Object> before, now;
    std::vector<std::string> services, namespaces;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"nothing at all", {}, {}, {}, {}},
           {"the first list", {}, {same, one, name_space("default")}, {"same"}, {"default"}},
           {"the same again", {same, one, two}, {same, one, two}, {}, {}},
           {"in another order", {same, one, two}, {two, one, same}, {}, {}},
           {"a service changed", {same}, {service("same", "10.0.0.2")}, {"same"}, {}},
           {"a service vanished", {same, service("gone", "10.0.0.2")}, {same}, {"gone"}, {}},
           {"a service whose slices stay vanished", {same, one}, {one}, {"same"}, {}},
           {"a service came to its slices", {one}, {one, same}, {"same"}, {}},
           {"slices without a service", {one}, {two}, {}, {}},
           {"a first slice came", {same}, {same, one}, {"same"}, {}},
           {"a further slice came", {same, one}, {same, one, two}, {"same"}, {}},
           {"the first of two slices went", {same, one, two}, {same, two}, {"same"}, {}},
           {"the second of two slices went", {same, one, two}, {same, one}, {"same"}, {}},
           {"a slice changed", {same, one, two}, {same, one, slice("same-2", "same", "10.1.0.3")}, {"same"}, {}},
           {"a slice moved",
            {same, service("to", "10.0.0.2"), one},
            {same, service("to", "10.0.0.2"), slice("same-1", "to", "10.1.0.1")},
            {"same", "to"},
            {}},
           {"the last of a name counts", {same}, {service("same", "10.0.0.9"), same}, {}, {}},
           {"namespaces",
            {name_space("old"), name_space("kept")},
            {name_space("kept"), name_space("new")},
            {},
            {"new", "old"}},
       }) {
    CAPTURE(row.what);
    const auto changes = between(row.before, row.now);
    auto services = names(changes);
    std::sort(services.begin(), services.end());
    CHECK(services == row.services);
    CHECK(changes.namespaces == row.namespaces);
  }
}

TEST_CASE("catalogs that number their namespaces differently are compared by name") {
  auto elsewhere = service("web", "10.0.0.2");
  elsewhere.metadata.name_space = "other";
  CHECK(between({service("web", "10.0.0.1"), elsewhere}, {elsewhere, service("web", "10.0.0.1")}).services.empty());
  const auto changes = between({service("web", "10.0.0.1"), elsewhere}, {elsewhere});
  REQUIRE(changes.services.size() == 1);
  CHECK(changes.services[0] == model::ServiceKey{"default", "web"});
}

TEST_CASE("a catalog that took another's place is that one, and goes on from there") {
  auto catalog = catalog_of({service("old", "10.0.0.1")});
  catalog = catalog_of({service("same", "10.0.0.1"), slice("same-1", "same", "10.1.0.1")});
  CHECK_FALSE(catalog.view({"default", "old"}));
  CHECK(catalog.service_count() == 1);
  catalog::Changes changes;
  catalog.put(slice("same-2", "same", "10.1.0.2"), changes);
  CHECK(names(changes) == std::vector<std::string>{"same"});
  CHECK(catalog.view({"default", "same"})->groups.size() == 2);
}
