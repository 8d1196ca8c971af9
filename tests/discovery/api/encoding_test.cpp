// What clients may ask an answer to look like: compressed, or all of discovery in one.
#include <doctest/doctest.h>

#include <set>
#include <zlib.h>

#include "discovery/api/negotiation.hpp"
#include "discovery/model/manifest.hpp"
#include "tests/discovery/api/api_fixture.hpp"

namespace signpost::test {
namespace {

using nlohmann::json;

std::string gunzip(const std::string& packed) {
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string text;
  int state = Z_OK;
  while (state == Z_OK) {
    char part[4096];
    stream.next_out = reinterpret_cast<Bytef*>(part);
    stream.avail_out = sizeof part;
    state = inflate(&stream, Z_NO_FLUSH);
    text.append(part, sizeof part - stream.avail_out);
  }
  CHECK(state == Z_STREAM_END);
  CHECK(stream.avail_in == 0);
  inflateEnd(&stream);
  return text;
}

TEST_CASE("long answers are compressed for those who ask") {
  ApiFixture api;
  const std::string services = "/api/v1/services";
  const std::string gzip = "Accept-Encoding: gzip\r\n";
  CHECK(api.ask("GET", services, "", gzip).headers.count("content-encoding") == 0); // short
  const std::string note = R"(,"annotations":{"note":")" + std::string(2000, 'x') + "\"}";
  for (int i = 0; i < 200; ++i)
    REQUIRE(api.create("s" + std::to_string(1000 + i), R"("ports":[{"port":80}])", note).status == 201);

  const Answer plain = api.ask("GET", services);
  REQUIRE(plain.body.size() > 300 * 1024);
  CHECK(plain.headers.count("content-encoding") == 0);
  CHECK(api.ask("GET", services, "", "Accept-Encoding: gzip;q=0\r\n").headers.count("content-encoding") == 0);

  const Answer packed = api.ask("GET", services, "", gzip);
  CHECK(packed.status == 200);
  CHECK(packed.headers.at("content-encoding") == "gzip");
  CHECK(packed.headers.at("vary") == "Accept-Encoding");
  CHECK(packed.body.size() < plain.body.size() / 10);
  CHECK(gunzip(packed.body) == plain.body);

  // Tables, pages and HTTP/1.1 keep-alive go the same way.
  HttpClient client(api.server->port());
  const std::string table = "Accept: application/json;as=Table;v=v1;g=meta.k8s.io\r\n";
  const Answer whole = client.ask("GET", services + "?includeObject=Object", "", table + gzip);
  CHECK(json::parse(gunzip(whole.body))["rows"].size() == 201);
  const Answer page = client.ask("GET", services + "?limit=100", "", gzip);
  CHECK(json::parse(gunzip(page.body))["items"].size() == 100);
  CHECK(client.ask("GET", services + "?limit=10", "", gzip).headers.count("content-encoding") == 0);
  const std::string binary = "Accept: application/vnd.kubernetes.protobuf\r\n";
  CHECK(gunzip(client.ask("GET", services, "", binary + gzip).body) == client.ask("GET", services, "", binary).body);
}

TEST_CASE("YAML for those who ask") {
  ApiFixture api;
  const std::string services = "/api/v1/namespaces/default/services", yaml = "Accept: application/yaml\r\n";
  const auto same = [&](const std::string& path) {
    CAPTURE(path);
    const Answer answer = api.ask("GET", path, "", yaml);
    CHECK(answer.headers.at("content-type") == "application/yaml");
    const auto read = model::parse_yaml(answer.body);
    REQUIRE(read);
    const Answer plain = api.ask("GET", path);
    CHECK(answer.status == plain.status);
    CHECK(*read == plain.json());
  };
  same(services + "?labelSelector=none");
  same(services + "/none");
  const std::string note = R"(,"annotations":{"note":"two\\nlines\\n\\n","odd":" - x: #y"})";
  for (int i = 0; i < 300; ++i)
    REQUIRE(api.create("s" + std::to_string(1000 + i), R"("ports":[{"port":80}])", note).status == 201);
  same(services + "/s1001");
  same(services); // longer than a piece
  same(services + "?limit=2");
  same("/api/v1");
  const Answer one = api.ask("GET", services + "/s1001", "", yaml);
  CHECK(one.body.starts_with("apiVersion: v1\nkind: Service\nmetadata:\n"));
  CHECK(api.ask("GET", services, "", "Accept: application/yaml;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1\r\n")
            .body.find("spec:") == std::string::npos);
  CHECK(api.ask("GET", services + "?watch=1", "", yaml).status == 406);
}

TEST_CASE("discovery comes in one document for those who ask") {
  ApiFixture api;
  const auto accept = [](const std::string& version) {
    return "application/json;g=apidiscovery.k8s.io;v=" + version + ";as=APIGroupDiscoveryList";
  };
  const std::string both = "Accept: " + accept("v2") + "," + accept("v2beta1") + ",application/json\r\n";
  const Answer core = api.ask("GET", "/api", "", both);
  CHECK(core.headers.at("content-type") == accept("v2"));
  CHECK(core.json()["kind"] == "APIGroupDiscoveryList");
  CHECK(core.json()["apiVersion"] == "apidiscovery.k8s.io/v2");
  REQUIRE(core.json()["items"].size() == 1);
  const json version = core.json()["items"][0]["versions"][0];
  CHECK(core.json()["items"][0]["metadata"]["name"] == "");
  CHECK(version["version"] == "v1");
  json found;
  for (const json& resource : version["resources"])
    if (resource["resource"] == "services") found = resource;
  CHECK(found["responseKind"] == json{{"group", ""}, {"version", "v1"}, {"kind", "Service"}});
  CHECK(found["scope"] == "Namespaced");
  CHECK(found["singularResource"] == "service");
  CHECK(found["shortNames"] == json::array({"svc"}));
  CHECK(found["categories"] == json::array({"all"}));
  CHECK(found["subresources"][0]["subresource"] == "status");

  const Answer groups = api.ask("GET", "/apis", "", "Accept: " + accept("v2beta1") + ",application/json\r\n");
  CHECK(groups.json()["apiVersion"] == "apidiscovery.k8s.io/v2beta1");
  std::set<std::string> names;
  const json listed = groups.json()["items"];
  for (const json& group : listed) names.insert(group["metadata"]["name"]);
  CHECK(names == std::set<std::string>{"authorization.k8s.io", "coordination.k8s.io", "discovery.k8s.io",
                                       "events.k8s.io", "networking.k8s.io"});
  CHECK(api.ask("GET", "/apis", "", "Accept: application/json," + accept("v2") + "\r\n").json()["kind"] ==
        "APIGroupList");
  CHECK(api.ask("GET", "/apis", "", "Accept: " + accept("v3") + "\r\n").json()["kind"] == "APIGroupList");
}

TEST_CASE("what Accept asks of discovery and of compression") {
  using api::accepts_gzip, api::aggregated_version;
  CHECK(aggregated_version("").empty());
  CHECK(aggregated_version("*/*, application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList").empty());
  CHECK(aggregated_version("application/json;q=0.5,application/json;g=apidiscovery.k8s.io;v=v2;"
                           "as=APIGroupDiscoveryList;q=0.9") == "v2");
  CHECK(accepts_gzip("deflate, gzip;q=0.5"));
  CHECK_FALSE(accepts_gzip(""));
  CHECK_FALSE(accepts_gzip("identity"));
  CHECK_FALSE(accepts_gzip("gzip;q=0"));
}

const std::string reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

TEST_CASE("whoever reaches the server may do what it can do") {
  ApiFixture api;
  const std::string asked =
      R"({"kind":"SelfSubjectAccessReview","apiVersion":"authorization.k8s.io/v1","metadata":{"creationTimestamp":null},)"
      R"("spec":{"resourceAttributes":{"namespace":"default","verb":"create","resource":"services"}}})";
  const Answer answer = api.ask("POST", reviews, asked);
  CHECK(answer.status == 201);
  CHECK(answer.json()["status"]["allowed"] == true);
  CHECK(answer.json()["spec"]["resourceAttributes"]["verb"] == "create");
  // As kubectl 1.33 asks it: protobuf.
  const std::string attributes = "\x0a\x07"
                                 "default"
                                 "\x12\x06"
                                 "create"
                                 "\x2a\x08"
                                 "services";
  const std::string spec = std::string("\x0a") + static_cast<char>(attributes.size()) + attributes;
  const std::string raw = std::string("\x12") + static_cast<char>(spec.size()) + spec;
  const std::string body = std::string("k8s\0", 4) + "\x12" + static_cast<char>(raw.size()) + raw;
  const Answer binary = api.ask("POST", reviews, body, "Content-Type: application/vnd.kubernetes.protobuf\r\n");
  CHECK(binary.status == 201);
  CHECK(binary.json()["spec"] == answer.json()["spec"]);
  CHECK(binary.json()["status"]["allowed"] == true);

  CHECK(api.ask("POST", reviews, R"({"spec":{"nonResourceAttributes":{"path":"/metrics","verb":"get"}}})")
            .json()["status"]["allowed"] == true);
  const Answer rules =
      api.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", R"({"spec":{"namespace":"default"}})");
  CHECK(rules.json()["status"]["resourceRules"][0]["verbs"] == json::array({"*"}));
  CHECK(api.ask("GET", "/apis/authorization.k8s.io/v1").json()["resources"].size() == 2);
  CHECK(api.ask("GET", "/apis/authorization.k8s.io").json()["kind"] == "APIGroup");

  CHECK(api.ask("GET", reviews).status == 405);
  CHECK(api.ask("POST", reviews, "{}").status == 422);
  CHECK(api.ask("POST", reviews, "{").status == 400);
  CHECK(api.ask("POST", reviews, "k8s", "Content-Type: application/vnd.kubernetes.protobuf\r\n").status == 400);
  CHECK(api.ask("POST", reviews, "x", "Content-Type: text/plain\r\n").status == 415);
  CHECK(api.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", asked).status == 404);
}

} // namespace
} // namespace signpost::test
