#include <doctest/doctest.h>

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

} // namespace

TEST_CASE("a replacement erases what was not put again and says nothing of what stayed as it was") {
  catalog::Catalog catalog;
  catalog::Changes changes;
  for (const char* name : {"same", "changed", "gone"}) catalog.put(service(name, "10.0.0.1"), changes);
  catalog.put(slice("same-1", "same", "10.1.0.1"), changes);
  catalog.put(slice("same-2", "same", "10.1.0.2"), changes);
  catalog.put(name_space("default"), changes);
  catalog.put(name_space("old"), changes);

  for (int round = 0; round < 3; ++round) { // the second and third change nothing
    changes = {};
    catalog.begin_replace();
    catalog.put(service("same", "10.0.0.1"), changes);
    catalog.put(service("changed", "10.0.0.2"), changes);
    catalog.put(slice("same-1", "same", "10.1.0.1"), changes);
    catalog.put(slice("same-2", "same", "10.1.0.2"), changes);
    catalog.put(name_space("default"), changes);
    catalog.end_replace(changes);
    if (round == 0) {
      CHECK(names(changes) == std::vector<std::string>{"changed", "gone"});
      CHECK(changes.namespaces == std::vector<std::string>{"old"});
    } else {
      CHECK(changes.services.empty());
      CHECK(changes.namespaces.empty());
    }
  }
  CHECK(catalog.service_count() == 2);
  CHECK(catalog.view({"default", "same"})->groups.size() == 2);
  CHECK_FALSE(catalog.view({"default", "gone"}));
  CHECK_FALSE(catalog.has_namespace("old"));

  changes = {};
  catalog.begin_replace();
  catalog.put(service("same", "10.0.0.1"), changes);
  catalog.put(slice("same-2", "same", "10.1.0.2"), changes);
  catalog.end_replace(changes);
  CHECK(names(changes) == std::vector<std::string>{"same", "changed"});
  CHECK(catalog.view({"default", "same"})->groups.size() == 1);
}
