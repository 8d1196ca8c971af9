#include <doctest/doctest.h>

#include <algorithm>
#include <iostream>
#include <set>

#include "tests/discovery/registry/harness.hpp"

// The table of cases that kube-apiserver was asked (tests/discovery/vip/vip-cases.json), played against the registry.

namespace signpost::registry::test {
namespace {

struct Outcome {
  int http = 0;
  Json object; // of a success
  Status status;
};

template <class T>
Outcome refused(const Result<T>& result) {
  return {result.error().code, {}, result.error()};
}

Outcome outcome(const Result<Stored>& result, int success) {
  return result ? Outcome{success, json_of(*result), {}} : refused(result);
}

Outcome outcome(const Result<std::pair<Stored, bool>>& result) {
  return result ? Outcome{result->second ? 201 : 200, json_of(result->first), {}} : refused(result);
}

std::vector<std::string> prefixes_of(const Json& input) {
  const auto found = input.find("cluster_service_cidrs");
  if (found == input.end()) return {"10.0.0.0/16", "2000::/108"};
  return found->get<std::vector<std::string>>();
}

bool fits(const Json& wanted, const Json& actual) {
  if (wanted.is_string()) {
    const std::string& text = wanted.get_ref<const std::string&>();
    const auto address = actual.is_string() ? model::Address::parse(actual.get<std::string>()) : std::nullopt;
    if (text == "<any IPv4>") return address && address->is_v4();
    if (text == "<any IPv6>") return address && !address->is_v4();
    if (text == "<any node port>" || text == "<30000-32767>") {
      return actual.is_number() && actual.get<int>() >= 30000 && actual.get<int>() <= 32767;
    }
  }
  if (wanted.is_object()) {
    return actual.is_object() && std::all_of(wanted.items().begin(), wanted.items().end(), [&](const auto& item) {
             return actual.contains(item.key()) && fits(item.value(), actual.at(item.key()));
           });
  }
  if (wanted.is_array()) {
    return actual.is_array() && wanted.size() == actual.size() &&
           std::equal(wanted.begin(), wanted.end(), actual.begin(), fits);
  }
  return wanted == actual;
}

Json node_ports(const Json& service) {
  Json ports = Json::array();
  for (const Json& port : service.at("spec").value("ports", Json::array())) ports.push_back(port.value("nodePort", 0));
  return ports;
}

std::string check_causes(const Json& expected, const Status& status) {
  std::multiset<std::pair<std::string, std::string>> wanted, actual;
  for (const Json& cause : expected) wanted.emplace(cause.at("reason"), cause.at("field"));
  for (const Cause& cause : status.causes) actual.emplace(cause.reason, cause.field);
  return wanted == actual ? "" : "causes: " + status.message;
}

/// What differs from what was expected; empty: nothing.
std::string difference(const Json& expected, const Outcome& got) {
  if (const int http = expected.value("http_status", 0); http != 0 && got.http != http) {
    return "status " + std::to_string(got.http) + ", not " + std::to_string(http) + ": " + got.status.message;
  }
  if (expected.contains("reason") && got.status.reason != expected["reason"]) return "reason " + got.status.reason;
  if (expected.contains("causes")) {
    if (std::string wrong = check_causes(expected["causes"], got.status); !wrong.empty()) return wrong;
  }
  for (const Json& part : expected.value("message_contains", Json::array())) {
    if (got.status.message.find(part.get<std::string>()) == std::string::npos) return "message " + got.status.message;
  }
  if (got.object.is_null()) return {};
  if (expected.contains("spec") && !fits(expected["spec"], got.object.at("spec"))) {
    return "spec " + got.object.at("spec").dump() + ", not " + expected["spec"].dump();
  }
  const Json ports = node_ports(got.object);
  if (expected.contains("nodePorts") && expected["nodePorts"] == Json{"<a>", "<b != a>"}) {
    if (ports.size() != 2 || ports[0] == ports[1] || ports[0] == 0 || ports[1] == 0)
      return "node ports " + ports.dump();
  } else if (expected.contains("nodePorts") && !fits(expected["nodePorts"], ports)) {
    return "node ports " + ports.dump();
  }
  if (expected.contains("nodePorts_equal") && ports.at(0) != ports.at(1)) return "node ports differ: " + ports.dump();
  if (expected.contains("healthCheckNodePort") &&
      got.object["spec"].value("healthCheckNodePort", 0) != expected["healthCheckNodePort"]) {
    return "health check port " + got.object["spec"].dump();
  }
  if (expected.contains("node_ports_allocated")) {
    const bool all = std::none_of(ports.begin(), ports.end(), [](const Json& port) { return port == 0; });
    if (all != expected["node_ports_allocated"].get<bool>()) return "node ports " + ports.dump();
  }
  return {};
}

Json named(const std::string& name, const Json& spec) { return {{"metadata", {{"name", name}}}, {"spec", spec}}; }

std::string play_create(const Json& input, const Json& expected) {
  Cluster cluster(prefixes_of(input));
  const Json& service = input.at("service");
  return difference(expected, outcome(cluster.client.create(Kind::service, "default", service), 201));
}

std::string play_update(const Json& before, const Json& after, const std::vector<std::string>& prefixes,
                        const Json& expected) {
  Cluster cluster(prefixes);
  const std::string name = before.at("metadata").at("name");
  const auto created = cluster.client.create(Kind::service, "default", before);
  if (!created) return "create: " + created.error().message;
  const Outcome got = outcome(cluster.client.put(Kind::service, "default", name, after));
  if (std::string wrong = difference(expected, got); !wrong.empty()) return wrong;
  if (expected.value("cluster_ip_kept", false) &&
      got.object["spec"]["clusterIP"] != json_of(*created)["spec"]["clusterIP"]) {
    return "another cluster IP";
  }
  return {};
}

Json spec_of_type(const std::string& type) {
  Json spec{{"ports", {{{"port", 80}, {"name", "p"}}}}, {"selector", {{"k", "v"}}}};
  if (type == "Headless") {
    spec["clusterIP"] = "None";
  } else {
    spec["type"] = type;
  }
  if (type == "ExternalName") spec["externalName"] = "example.com";
  return spec;
}

std::size_t count(const std::vector<std::string>& claims, const std::string& prefix) {
  return std::count_if(claims.begin(), claims.end(),
                       [&](const std::string& claim) { return claim.substr(0, prefix.size()) == prefix; });
}

std::string play_type(const Json& input, const Json& expected) {
  Cluster cluster(prefixes_of(input));
  const auto before = cluster.claims();
  const auto created = cluster.client.create(Kind::service, "default", named("s", spec_of_type(input.at("from"))));
  if (!created) return created.error().message;
  const Outcome got =
      outcome(cluster.client.put(Kind::service, "default", "s", named("s", spec_of_type(input.at("to")))));
  if (std::string wrong = difference(expected, got); !wrong.empty()) return wrong;
  if (got.object.is_null()) return {};
  const auto after = cluster.claims();
  const std::size_t addresses = expected["cluster_ip"] == "allocated" ? 1 : 0;
  const std::size_t ports = expected["node_ports"] == "allocated" ? 1 : 0;
  if (count(after, "ip/") - count(before, "ip/") != addresses) return "address claims";
  if (count(after, "port/") - count(before, "port/") != ports) return "port claims";
  return {};
}

std::string play_sequence(const Json& input, const Json& expected) {
  Cluster cluster(prefixes_of(input));
  Json first;
  for (std::size_t i = 0; i < input.at("requests").size(); ++i) {
    const Json& request = input["requests"][i];
    const Json& response = expected.at("responses").at(i);
    Outcome got;
    if (request.contains("POST")) {
      Json body = named(request["POST"].at("name"), request["POST"].at("spec"));
      for (const Json& copied : request["POST"].value("copy", Json::array())) {
        if (copied == "clusterIPs") {
          body["spec"]["clusterIPs"] = first["spec"]["clusterIPs"];
          body["spec"]["clusterIP"] = first["spec"]["clusterIP"];
        } else {
          body["spec"]["ports"] = first["spec"]["ports"];
        }
      }
      got = outcome(cluster.client.create(Kind::service, "default", body), 201);
      if (first.is_null()) first = got.object;
    } else {
      got = outcome(cluster.client.remove(Kind::service, "default", request.at("DELETE")), 200);
    }
    if (std::string wrong = difference(response, got); !wrong.empty()) return std::to_string(i) + ": " + wrong;
    if (response.contains("same_as_first") && (got.object["spec"]["clusterIPs"] != first["spec"]["clusterIPs"] ||
                                               node_ports(got.object) != node_ports(first))) {
      return std::to_string(i) + ": not the same as the first";
    }
  }
  return {};
}

std::string play_dry_run(const Json& input, const Json& expected) {
  const auto prefixes = prefixes_of(input);
  Cluster cluster(prefixes);
  const auto untouched = cluster.claims();
  if (input.contains("service")) {
    Json spec{{"ports", {{{"port", 80}}}}};
    if (prefixes.size() == 2) spec["ipFamilyPolicy"] = "RequireDualStack";
    if (input["service"] == "clusterIPs explicit") {
      for (const std::string& prefix : prefixes) {
        spec["clusterIPs"].push_back(prefix.find(':') == std::string::npos ? "10.0.0.50" : "2000::50");
      }
      spec["clusterIP"] = spec["clusterIPs"][0];
    }
    const Outcome got = outcome(cluster.client.create(Kind::service, "default", named("s", spec), true), 201);
    if (std::string wrong = difference(expected, got); !wrong.empty()) return wrong;
    if (cluster.claims() != untouched) return "allocated";
    return cluster.client.get(Kind::service, "default", "s") ? "stored" : "";
  }
  if (input.contains("op")) {
    const std::string op = input["op"];
    const auto created =
        cluster.client.create(Kind::service, "default", named("s", spec_of_type(op.substr(op.rfind(' ') + 1))));
    if (!created) return created.error().message;
    const auto before = cluster.claims();
    const Outcome got = outcome(cluster.client.remove(Kind::service, "default", "s", true), 200);
    if (std::string wrong = difference(expected, got); !wrong.empty()) return wrong;
    if (cluster.claims() != before) return "released";
    return cluster.client.get(Kind::service, "default", "s") ? "" : "deleted";
  }
  const auto created = cluster.client.create(Kind::service, "default", named("s", spec_of_type(input["update"][0])));
  if (!created) return created.error().message;
  const auto before = cluster.claims();
  const Outcome got =
      outcome(cluster.client.put(Kind::service, "default", "s", named("s", spec_of_type(input["update"][1])), true));
  if (std::string wrong = difference(expected, got); !wrong.empty()) return wrong;
  if (cluster.claims() != before) return "claims changed";
  const Json stored = json_of(*cluster.client.get(Kind::service, "default", "s"));
  return stored["spec"]["type"] == expected["stored_type"] ? "" : "stored type " + stored["spec"].dump();
}

std::string play(const Json& one) {
  const std::string kind = one.at("kind");
  const Json& input = one.at("input");
  const Json& expected = one.at("expectation");
  if (kind == "create" || kind == "validate-create") return play_create(input, expected);
  if (kind == "update") {
    return play_update(named("foo", input.at("create")), named("foo", input.at("update")), prefixes_of(input),
                       expected);
  }
  if (kind == "validate-update") return play_update(input.at("old"), input.at("new"), prefixes_of(input), expected);
  if (kind == "update-type") return play_type(input, expected);
  if (kind == "sequence") return play_sequence(input, expected);
  return play_dry_run(input, expected);
}

TEST_CASE("the cases of kube-apiserver") {
  const std::set<std::string> played{"create",      "validate-create", "update", "validate-update",
                                     "update-type", "sequence",        "dry-run"};
  int passed = 0, all = 0;
  const Json cases = read_json("tests/discovery/vip/vip-cases.json").at("vip");
  for (const Json& one : cases) {
    if (!played.contains(one.at("kind").get<std::string>()) || !one.value("observable", true)) continue;
    ++all;
    const std::string id = one.at("id");
    CAPTURE(id);
    std::string wrong;
    try {
      wrong = play(one);
    } catch (const std::exception& error) {
      wrong = error.what();
    }
    CHECK(wrong == "");
    if (wrong.empty()) ++passed;
  }
  std::cout << passed << " of " << all << " cases passed\n";
  CHECK(all >= 430);
}

} // namespace
} // namespace signpost::registry::test
