#include <doctest/doctest.h>

#include "discovery/catalog/catalog.hpp"
#include "discovery/endpoints/pod_facts.hpp"
#include "discovery/environment/environment.hpp"
#include "tests/discovery/registry/harness.hpp"

// One text, one address: whatever the registry takes, it claims, shows, answers and exports as the same address.

namespace signpost::registry::test {
namespace {

struct Text {
  const char* text;
  const char* address; // what it means; nullptr: it is none
};

constexpr Text texts[] = {
    {"10.96.0.77", "10.96.0.77"},
    {"010.096.000.0077", "10.96.0.77"}, // decimal, whatever C makes of it
    {"10.96.0.08", "10.96.0.8"},
    {"::ffff:10.96.0.78", "10.96.0.78"},
    {"::FFFF:0a60:4f", "10.96.0.79"},
    {"0:0:0:0:0:ffff:10.96.0.80", "10.96.0.80"},
    {"fd00:10:96:0:0:0:0:5", "fd00:10:96::5"},
    {"FD00:10:96::A", "fd00:10:96::a"},
    {"fd00:10:96::0.0.1.1", "fd00:10:96::101"},
    {"10.96.0.256", nullptr},
    {"10.96.0", nullptr},
    {"10.96.0.1.", nullptr},
    {" 10.96.0.77", nullptr},
    {"10.96.0.77 ", nullptr},
    {"0x0a.96.0.77", nullptr},
    {"10.96.0.+7", nullptr},
    {"174063693", nullptr},
    {"::ffff:010.96.0.5", nullptr},
    {"fe80::1%eth0", nullptr},
    {"[fd00:10:96::5]", nullptr},
    {"fd00:10:96:::5", nullptr},
    {"10.96.0.77/32", nullptr},
};

bool is_v4(const Text& text) { return std::string_view(text.address).find(':') == std::string_view::npos; }

TEST_CASE("an address of a service is one in the store, in DNS and in the environment, however it is spelt") {
  for (const Text& text : texts) {
    CAPTURE(text.text);
    Cluster cluster({"10.96.0.0/16", "fd00:10:96::/112"});
    const char* family = text.address == nullptr || is_v4(text) ? "IPv4" : "IPv6";
    const auto made = cluster.client.create(Kind::service, "default",
                                            {{"metadata", {{"name", "web"}}},
                                             {"spec",
                                              {{"clusterIP", text.text},
                                               {"ipFamilies", Json::array({family})},
                                               {"ports", Json::array({{{"port", 80}}})}}}});
    CHECK(made.has_value() == (text.address != nullptr));
    if (!made || text.address == nullptr) continue;
    CHECK(cluster.client.get(Kind::ip_address, "", text.address).has_value());
    // Nobody else gets it, by whatever spelling.
    const auto again = cluster.client.create(Kind::service, "default",
                                             {{"metadata", {{"name", "other"}}},
                                              {"spec",
                                               {{"clusterIP", text.address},
                                                {"ipFamilies", Json::array({family})},
                                                {"ports", Json::array({{{"port", 80}}})}}}});
    CHECK_FALSE(again.has_value());

    const model::Object object = object_of(Kind::service, json_of(*made));
    catalog::Catalog catalog;
    catalog::Changes changes;
    catalog.put(object, changes);
    const auto view = catalog.view({"default", "web"});
    REQUIRE(view);
    REQUIRE(view->cluster_ips.size() == 1);
    CHECK(view->cluster_ips.front().to_string() == text.address);
    const auto variables = environment::variables_of(std::get<model::Service>(object), {});
    REQUIRE_FALSE(variables.empty());
    const auto exported = model::Address::parse(variables.front().value);
    CHECK((exported && exported->to_string() == text.address));

    REQUIRE(cluster.client.remove(Kind::service, "default", "web"));
    CHECK_FALSE(cluster.client.get(Kind::ip_address, "", text.address).has_value());
  }
}

TEST_CASE("an address of an endpoint is one in slices, Endpoints and DNS") {
  for (const Text& text : texts) {
    if (text.address != nullptr && !is_v4(text)) continue; // slices take IPv6 in its canonical form alone
    CAPTURE(text.text);
    Cluster cluster({"10.96.0.0/16"});
    const auto made =
        cluster.client.create(Kind::endpoint_slice, "default",
                              {{"metadata", {{"name", "web-1"}, {"labels", {{"kubernetes.io/service-name", "web"}}}}},
                               {"addressType", "IPv4"},
                               {"endpoints", Json::array({{{"addresses", Json::array({text.text})}}})},
                               {"ports", Json::array({{{"name", "http"}, {"port", 80}}})}});
    CHECK(made.has_value() == (text.address != nullptr));
    const auto written =
        cluster.client.create(Kind::endpoints, "default",
                              {{"metadata", {{"name", "hand"}}},
                               {"subsets", Json::array({{{"addresses", Json::array({{{"ip", text.text}}})},
                                                         {"ports", Json::array({{{"port", 80}}})}}})}});
    CHECK(written.has_value() == (text.address != nullptr));
    model::Pod pod;
    pod.status.pod_ips.push_back({text.text});
    const auto facts = endpoints::facts_of(pod);
    CHECK(facts.addresses.size() == (text.address != nullptr ? 1 : 0));
    if (!made || text.address == nullptr) continue;
    CHECK(facts.addresses.front() == text.address);

    const Json shown = json_of(cluster.client.get(Kind::endpoints, "default", "web").value());
    CHECK(shown["subsets"][0]["addresses"][0]["ip"] == text.address);
    catalog::Catalog catalog;
    catalog::Changes changes;
    catalog.put(object_of(Kind::service, {{"metadata", {{"name", "web"}, {"namespace", "default"}}},
                                          {"spec", {{"clusterIP", "None"}, {"ports", Json::array({{{"port", 80}}})}}}}),
                changes);
    catalog.put(object_of(Kind::endpoint_slice, json_of(*made)), changes);
    const auto view = catalog.view({"default", "web"});
    REQUIRE(view);
    REQUIRE(view->groups.size() == 1);
    REQUIRE(view->groups.front().endpoints.size() == 1);
    CHECK(view->groups.front().endpoints.front().addresses.front().to_string() == text.address);
  }
}

TEST_CASE("the names of IPAddresses and the prefixes of ServiceCIDRs have one spelling each") {
  Cluster cluster({"10.96.0.0/16", "fd00:10:96::/112"});
  const auto reserve = [&](const char* name) {
    return cluster.client
        .create(Kind::ip_address, "",
                {{"metadata", {{"name", name}}}, {"spec", {{"parentRef", {{"resource", "nodes"}, {"name", "n"}}}}}})
        .has_value();
  };
  for (const Text& text : texts) {
    CAPTURE(text.text);
    CHECK(reserve(text.text) == (text.address != nullptr && std::string_view(text.text) == text.address));
  }
  const auto extend = [&](const char* name, const char* prefix) {
    return cluster.client
        .create(Kind::service_cidr, "", {{"metadata", {{"name", name}}}, {"spec", {{"cidrs", Json::array({prefix})}}}})
        .has_value();
  };
  for (const char* prefix :
       {"10.097.0.0/16", "10.97.0.0/016", "::ffff:10.97.0.0/112", "10.97.0.1/16", "FD00:10:97::/112",
        "fd00:10:97:0::/112", "10.97.0.0", "10.97.0.0/33", "10.97.0.0/-1", "10.97.0.0/4294967312"}) {
    CAPTURE(prefix);
    CHECK_FALSE(extend("more", prefix));
  }
  CHECK(extend("more", "10.97.0.0/16"));
}

} // namespace
} // namespace signpost::registry::test
