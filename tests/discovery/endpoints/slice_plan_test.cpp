#include "discovery/endpoints/slice_plan.hpp"

#include <doctest/doctest.h>

#include "discovery/registry/service_rules.hpp"

namespace signpost::endpoints {
namespace {

model::Endpoint endpoint(int number, bool ready = true) {
  model::Endpoint one;
  one.addresses = {"10.1." + std::to_string(number / 250) + "." + std::to_string(number % 250 + 1)};
  one.conditions.ready = ready;
  one.target_ref = model::ObjectReference{"Pod", "default", "p" + std::to_string(number), "uid", {}, {}, {}};
  return one;
}

DesiredSlices desired(int from, int to, int port = 80) {
  DesiredSlices wanted;
  wanted.name_space = "default";
  wanted.name_prefix = "web-";
  wanted.labels = {{"kubernetes.io/service-name", "web"}};
  SliceGroup group{"IPv4", {{"http", "TCP", port, std::nullopt}}, {}};
  for (int i = from; i < to; ++i) group.endpoints.push_back(endpoint(i));
  if (from < to) wanted.groups.push_back(std::move(group));
  return wanted;
}

/// What is there after a plan was carried out.
std::vector<ExistingSlice> after(SlicePlan plan, std::vector<ExistingSlice> kept = {}) {
  for (ExistingSlice& one : plan.update) {
    std::erase_if(kept, [&](const auto& old) { return old.slice.metadata.name == one.slice.metadata.name; });
    kept.push_back(std::move(one));
  }
  for (const ExistingSlice& one : plan.remove) {
    std::erase_if(kept, [&](const auto& old) { return old.slice.metadata.name == one.slice.metadata.name; });
  }
  for (model::EndpointSlice& one : plan.create) {
    static int number = 0;
    one.metadata.name = one.metadata.generate_name + std::to_string(++number);
    kept.push_back({std::move(one), 1});
  }
  return kept;
}

std::size_t endpoints_in(const std::vector<ExistingSlice>& slices) {
  std::size_t count = 0;
  for (const ExistingSlice& one : slices) count += one.slice.endpoints.size();
  return count;
}

TEST_CASE("slices hold a hundred endpoints each, and carry what all of them carry") {
  const SlicePlan plan = plan_slices(desired(0, 250), {});
  REQUIRE(plan.create.size() == 3);
  CHECK(plan.create[0].endpoints.size() == 100);
  CHECK(plan.create[2].endpoints.size() == 50);
  CHECK(plan.create[0].metadata.generate_name == "web-");
  CHECK(plan.create[0].metadata.labels.at("kubernetes.io/service-name") == "web");
  CHECK(plan.create[0].ports.front().port == 80);
  CHECK(plan.update.empty());
  CHECK(plan.remove.empty());
}

TEST_CASE("what is as it should be is not written") {
  const auto there = after(plan_slices(desired(0, 250), {}));
  CHECK(plan_slices(desired(0, 250), there).empty());
}

TEST_CASE("one that changed is written where it is, nothing else") {
  const auto there = after(plan_slices(desired(0, 250), {}));
  DesiredSlices wanted = desired(0, 250);
  wanted.groups[0].endpoints[120].conditions.ready = false;
  const SlicePlan plan = plan_slices(wanted, there);
  CHECK(plan.create.empty());
  CHECK(plan.remove.empty());
  REQUIRE(plan.update.size() == 1);
  CHECK(plan.update[0].slice.endpoints.size() == 100);
  CHECK(endpoints_in(after(plan, there)) == 250);
}

TEST_CASE("a new one goes into a slice with room, or into one that is written anyway") {
  const auto there = after(plan_slices(desired(0, 150), {}));
  const SlicePlan grown = plan_slices(desired(0, 151), there);
  CHECK(grown.create.empty());
  REQUIRE(grown.update.size() == 1);
  CHECK(grown.update[0].slice.endpoints.size() == 51);

  DesiredSlices moved = desired(1, 151); // one of the full slice goes, one comes
  const SlicePlan plan = plan_slices(moved, there);
  REQUIRE(plan.update.size() == 1);
  CHECK(plan.update[0].slice.endpoints.size() == 100);
}

TEST_CASE("more than fit anywhere get slices of their own") {
  const auto there = after(plan_slices(desired(0, 60), {}));
  const SlicePlan plan = plan_slices(desired(0, 160), there);
  CHECK(plan.update.empty());
  REQUIRE(plan.create.size() == 1);
  CHECK(plan.create[0].endpoints.size() == 100);
}

TEST_CASE("an empty slice goes, and with the last endpoint all slices") {
  const auto there = after(plan_slices(desired(0, 150), {}));
  const SlicePlan shrunk = plan_slices(desired(0, 100), there);
  CHECK(shrunk.update.empty());
  REQUIRE(shrunk.remove.size() == 1);
  CHECK(shrunk.remove[0].slice.endpoints.empty());
  CHECK(plan_slices({}, there).remove.size() == 2);
}

TEST_CASE("another port is written into the slices there are") {
  const auto there = after(plan_slices(desired(0, 150), {}));
  const SlicePlan plan = plan_slices(desired(0, 150, 81), there);
  CHECK(plan.create.empty());
  CHECK(plan.remove.empty());
  REQUIRE(plan.update.size() == 2);
  CHECK(plan.update[0].slice.ports.front().port == 81);
  CHECK(plan.update[0].slice.metadata.name == there[0].slice.metadata.name);
}

TEST_CASE("a slice that is being deleted is not counted on") {
  auto there = after(plan_slices(desired(0, 10), {}));
  there[0].slice.metadata.deletion_timestamp = "2026-01-01T00:00:00Z";
  const SlicePlan plan = plan_slices(desired(0, 10), there);
  REQUIRE(plan.create.size() == 1);
  CHECK(plan.create[0].endpoints.size() == 10);
  CHECK(plan.update.empty());
}

TEST_CASE("an endpoint that two slices hold stays in one") {
  auto there = after(plan_slices(desired(0, 10), {}));
  there.push_back(there[0]);
  there[1].slice.metadata.name = "web-twin";
  const SlicePlan plan = plan_slices(desired(0, 10), there);
  CHECK(plan.update.empty());
  REQUIRE(plan.remove.size() == 1);
  CHECK(plan.remove[0].slice.metadata.name == "web-twin");
}

model::Service service() {
  model::Service one;
  one.metadata.name = "web";
  one.metadata.name_space = "default";
  one.metadata.uid = "service-uid";
  one.metadata.labels = {{"app", "shop"}};
  one.spec.selector = {{"app", "web"}};
  one.spec.ip_families = {"IPv4", "IPv6"};
  one.spec.cluster_ip = "10.96.0.80";
  model::ServicePort port;
  port.name = "http";
  port.port = 80;
  port.target_port = model::IntOrString{std::string("web")};
  one.spec.ports = {port};
  registry::set_defaults(one);
  return one;
}

PodFacts pod(const std::string& name, int port) {
  PodFacts one;
  one.name = name;
  one.uid = name + "-uid";
  one.labels = {{"app", "web"}};
  one.addresses = {"10.1.0." + std::to_string(name.back() - '0'), "fd00::" + std::string(1, name.back())};
  if (port != 0) one.ports = {{"web", "TCP", port}};
  one.node = "node-a";
  one.ready = true;
  return one;
}

DesiredSlices select(const model::Service& service, const std::vector<PodFacts>& pods) {
  std::vector<const PodFacts*> all;
  for (const PodFacts& one : pods) all.push_back(&one);
  static const std::string zone = "west";
  return select_endpoints(service, all, [](const std::string& node) { return node == "node-a" ? &zone : nullptr; });
}

TEST_CASE("one group per family and per way the target ports resolve") {
  const DesiredSlices slices = select(service(), {pod("p1", 8080), pod("p2", 9090), pod("p3", 8080)});
  REQUIRE(slices.groups.size() == 4);
  CHECK(slices.groups[0].address_type == "IPv4");
  CHECK(slices.groups[0].ports == std::vector<model::EndpointPort>{{"http", "TCP", 8080, std::nullopt}});
  CHECK(slices.groups[0].endpoints.size() == 2);
  CHECK(slices.groups[1].address_type == "IPv6");
  CHECK(slices.groups[1].endpoints[1].addresses == std::vector<std::string>{"fd00::3"});
  CHECK(slices.groups[2].ports.front().port == 9090);
  CHECK(slices.labels == std::map<std::string, std::string>{{"app", "shop"},
                                                            {"kubernetes.io/service-name", "web"},
                                                            {managed_by_label, selecting_writer}});
  REQUIRE(slices.owners.size() == 1);
  CHECK(slices.owners[0] == model::OwnerReference{"v1", "Service", "web", "service-uid", true, true});
}

TEST_CASE("a Pod without the named port is in the group of those without it") {
  const DesiredSlices slices = select(service(), {pod("p1", 0)});
  REQUIRE(slices.groups.size() == 2);
  CHECK(slices.groups[0].ports.empty());
}

TEST_CASE("what an endpoint says of its Pod") {
  PodFacts one = pod("p1", 8080);
  one.hostname = "first";
  one.subdomain = "web";
  PodFacts leaving = pod("p2", 8080);
  leaving.terminating = true;
  PodFacts starting = pod("p3", 8080);
  starting.ready = false;
  starting.hostname = "third";
  starting.subdomain = "other";
  PodFacts over = pod("p4", 8080);
  over.over = true;
  PodFacts without = pod("p5", 8080);
  without.addresses.clear();
  model::Service web = service();
  web.spec.ip_families = {"IPv4"};
  web.spec.traffic_distribution = "PreferClose";
  const auto told = select(web, {one, leaving, starting, over, without}).groups.at(0).endpoints;
  REQUIRE(told.size() == 3);
  CHECK(told[0].conditions == model::EndpointConditions{true, true, false});
  CHECK(told[0].hostname == "first");
  CHECK(told[0].node_name == "node-a");
  CHECK(told[0].zone == "west");
  REQUIRE(told[0].hints);
  CHECK(told[0].hints->for_zones == std::vector<model::ForZone>{{"west"}});
  CHECK(told[0].target_ref->kind == "Pod");
  CHECK(told[0].target_ref->uid == "p1-uid");
  CHECK(told[1].conditions == model::EndpointConditions{false, true, true});
  CHECK_FALSE(told[1].hints);
  CHECK(told[2].conditions == model::EndpointConditions{false, false, false});
  CHECK_FALSE(told[2].hostname);

  web.spec.publish_not_ready_addresses = true;
  CHECK(*select(web, {starting}).groups.at(0).endpoints.at(0).conditions.ready);
  web.spec.cluster_ips = {web.spec.cluster_ip = "None"};
  CHECK(select(web, {}).labels.at("service.kubernetes.io/headless").empty());
}

TEST_CASE("facts leave out what no endpoint may have") {
  model::Pod one;
  one.metadata.labels = {{"a", "b"}};
  one.status.pod_ips = {{"127.0.0.1"}, {"fd00::1"}, {"nonsense"}};
  one.status.conditions = {{"Ready", "True", {}}};
  one.spec.hostname = "not a label";
  one.spec.containers = {{"c", {{"web", 0, 8080, "TCP", {}}, {"", 0, 1, "TCP", {}}}, {}}};
  one.spec.init_containers = {{"once", {{"x", 0, 1, "TCP", {}}}, {}},
                              {"beside", {{"y", 0, 2, "TCP", {}}}, {{"restartPolicy", "\"Always\""}}}};
  const PodFacts facts = facts_of(one);
  CHECK(facts.addresses == std::vector<std::string>{"fd00::1"});
  CHECK(facts.ready);
  CHECK(facts.hostname.empty());
  CHECK(facts.ports == std::vector<NamedPort>{{"web", "TCP", 8080}, {"y", "TCP", 2}});
  CHECK(selects({{"a", "b"}}, facts.labels));
  CHECK_FALSE(selects({{"a", "c"}}, facts.labels));
  CHECK_FALSE(selects({}, facts.labels));
}

} // namespace
} // namespace signpost::endpoints
