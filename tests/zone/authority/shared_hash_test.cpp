// Addresses that share a hash: each keeps its own reverse name, in one service and in two.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "tests/zone/ask.hpp"
#include "tests/zone/views.hpp"
#include "zone/index/hash.hpp"

using namespace signpost;
using namespace signpost::test;

namespace {

std::string text_of(std::uint32_t address) {
  return std::to_string(address >> 24) + "." + std::to_string(address >> 16 & 255) + "." +
         std::to_string(address >> 8 & 255) + "." + std::to_string(address & 255);
}

std::string reverse_of(std::uint32_t address) {
  return std::to_string(address & 255) + "." + std::to_string(address >> 8 & 255) + "." +
         std::to_string(address >> 16 & 255) + "." + std::to_string(address >> 24) + ".in-addr.arpa.";
}

/// Two addresses with one hash, whatever the process's secret is: half a million have some thirty pairs.
std::pair<std::uint32_t, std::uint32_t> same_hash() {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> all;
  for (std::uint32_t address = 0x0a000000; address < 0x0a080000; ++address) {
    std::array<std::uint8_t, 16> padded{};
    wire::store32(padded.data(), address);
    all.emplace_back(zone::hash_octets(zone::hash_key(), padded.data(), 4), address);
  }
  std::sort(all.begin(), all.end());
  for (std::size_t i = 1; i < all.size(); ++i)
    if (all[i].first == all[i - 1].first) return {all[i - 1].second, all[i].second};
  return {};
}

model::ServiceView pods(const char* name, std::initializer_list<std::uint32_t> addresses) {
  model::EndpointGroup group;
  for (const std::uint32_t address : addresses) {
    const std::string text = text_of(address);
    group.endpoints.push_back(endpoint({text}));
  }
  return headless("default", name, {group});
}

} // namespace

TEST_CASE("two addresses of one hash in one service, and in another as well") {
  const auto [a, b] = same_hash();
  REQUIRE(a != b);
  zone::Zone zone{{}};
  zone.set_ready();
  const auto names = [&](std::uint32_t address) { return ask(zone, reverse_of(address), "PTR").answer.size(); };

  zone.put(pods("one", {a, b}));
  CHECK(names(a) == 1);
  CHECK(names(b) == 1);
  zone.put(pods("two", {a, b}));
  CHECK(names(a) == 2);
  CHECK(names(b) == 2);
  zone.put(pods("one", {b}));
  CHECK(names(a) == 1);
  CHECK(names(b) == 2);
  zone.put(pods("one", {a, b}));
  CHECK(names(a) == 2);
  zone.erase({"default", "two"});
  CHECK(names(a) == 1);
  CHECK(names(b) == 1);
  const std::string first = text_of(a), second = text_of(b);
  zone.put(cluster_ip("default", "one", {first, second}));
  CHECK(names(a) == 1);
  CHECK(names(b) == 1);
  zone.erase({"default", "one"});
  CHECK(ask(zone, reverse_of(a), "PTR").rcode == "NXDOMAIN");
  CHECK(ask(zone, reverse_of(b), "PTR").rcode == "NXDOMAIN");
  zone.publish();
  zone.publish();
  CHECK(zone.counts().addresses == 0);
  CHECK(zone.counts().blocks == 0);
}

TEST_CASE("a virtual IP that is an endpoint of its own service has one reverse name") {
  zone::Zone zone{{}};
  zone.set_ready();
  model::ServiceView view = cluster_ip("default", "self", {"10.96.0.1"});
  view.groups = {{{}, {endpoint({"10.96.0.1"}), endpoint({"10.244.0.1"})}}};
  zone.put(view);
  CHECK(ask(zone, "1.0.96.10.in-addr.arpa.", "PTR").answer ==
        std::vector<std::string>{"1.0.96.10.in-addr.arpa. 5 IN PTR self.default.svc.cluster.local."});
  view.groups.clear();
  zone.put(view);
  CHECK(ask(zone, "1.0.96.10.in-addr.arpa.", "PTR").answer.size() == 1);
  CHECK(ask(zone, "1.0.244.10.in-addr.arpa.", "PTR").rcode == "NXDOMAIN");
  zone.erase(view.key);
  zone.publish();
  zone.publish();
  CHECK(zone.counts().blocks == 0);
}
