#include <doctest/doctest.h>

#include "tests/discovery/registry/harness.hpp"

// The exact bodies of what kube-apiserver refuses (api-errors.json), for the requests that the registry judges.

namespace signpost::registry::test {
namespace {

struct Path {
  Kind kind = Kind::service;
  std::string name_space, name;
};

Path split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream in(text.substr(1));
  for (std::string part; std::getline(in, part, '/');) parts.push_back(part);
  if (parts[0] == "apis") return {Kind::service_cidr, "", parts.at(4)};
  return {Kind::service, parts.at(3), parts.size() > 5 ? parts[5] : ""};
}

Json answer(Client& client, const Json& request) {
  const Path path = split(request.at("path"));
  const std::string method = request.at("method");
  const auto json = [](const auto& result) { return result ? Json("accepted") : json_of(result.error()); };
  if (method == "GET") return json(client.get(path.kind, path.name_space, path.name));
  if (method == "POST") return json(client.create(path.kind, path.name_space, request.at("body")));
  return json(client.put(path.kind, path.name_space, path.name, request.at("body")));
}

Json web(const std::string& name, const Json& spec) {
  Json body{{"metadata", {{"name", name}}}, {"spec", {{"ports", {{{"port", 80}}}}}}};
  body["spec"].update(spec);
  return body;
}

/// Who holds what was asked for is said in addition.
void tell_holder(Json& status, const std::string& holder) {
  Json& cause = status["details"]["causes"][0]["message"];
  cause = cause.get<std::string>() + holder;
  status["message"] = status["message"].get<std::string>() + holder;
}

TEST_CASE("refusals have kube-apiserver's exact bodies") {
  int judged = 0;
  const Json file = read_json("tests/discovery/registry/api-errors.json");
  for (const Json& one : file.at("errors")) {
    const std::string name = one.at("case");
    CAPTURE(name);
    if (name == "not JSON" || name == "wrong JSON type") continue; // refused before the registry sees them
    Cluster cluster({one.at("cluster").get<std::string>()});
    if (name == "range is full") {
      for (int i = 0; i < 5; ++i) {
        REQUIRE(cluster.client.create(Kind::service, "default", web("s" + std::to_string(i), Json::object())));
      }
    } else {
      REQUIRE(cluster.client.create(Kind::service, "default", web("web", {{"clusterIP", "10.96.0.80"}})));
      REQUIRE(
          cluster.client.create(Kind::service, "default",
                                web("np", {{"type", "NodePort"}, {"ports", {{{"port", 80}, {"nodePort", 30080}}}}})));
    }
    Json wanted = one.at("body");
    Json request = one.at("request");
    if (name == "immutable ServiceCIDR") request["body"]["metadata"].erase("resourceVersion"); // that server's
    if (name == "cluster IP is taken") tell_holder(wanted, " (held by service default/web)");
    if (name == "resourceVersion on create") { // a mistake of the client, not of the server
      wanted["code"] = 400;
      wanted["reason"] = "BadRequest";
    }
    CHECK(answer(cluster.client, request) == wanted);
    ++judged;
  }
  CHECK(judged == 22);
}

TEST_CASE("texts without a case of their own") {
  const model::KindInfo& slice = model::info(Kind::endpoint_slice);
  CHECK(not_found(slice, "x").message == "endpointslices.discovery.k8s.io \"x\" not found");
  CHECK(not_found(slice, "x").group == "discovery.k8s.io");
  CHECK(not_found(slice, "x").kind == "endpointslices");
  const Status two = invalid(slice, "x",
                             {{"FieldValueRequired", "Required value", "addressType"},
                              {"FieldValueRequired", "Required value", "addressType"},
                              {"FieldValueForbidden", "Forbidden: no", "ports"}});
  CHECK(two.message ==
        "EndpointSlice.discovery.k8s.io \"x\" is invalid: [addressType: Required value, ports: Forbidden: no]");
  CHECK(two.causes.size() == 3);
  CHECK(expired("gone").code == 410);
  CHECK(unavailable("full").code == 503);
  CHECK(method_not_allowed("no").reason == "MethodNotAllowed");
}

} // namespace
} // namespace signpost::registry::test
