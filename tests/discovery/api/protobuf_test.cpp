// Clients that speak nothing but protobuf: what they send, and what they get.
#include "discovery/api/list.hpp"
#include "discovery/model/protobuf.hpp"
#include "discovery/model/protobuf_wire.hpp"
#include "tests/discovery/api/api_fixture.hpp"

using namespace signpost;
using nlohmann::json;
using test::Answer;
using test::ApiFixture;
using test::HttpClient;

namespace {

const std::string services = "/api/v1/namespaces/default/services";
const std::string pods = "/api/v1/namespaces/default/pods";
const std::string type = "application/vnd.kubernetes.protobuf";
const std::string only_protobuf = "Accept: " + type + "\r\n";
const std::string content = "Content-Type: " + type + "\r\n";

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string enveloped(const json& object) {
  const std::string version = object["apiVersion"], kind = object["kind"];
  std::string message, out;
  model::write_protobuf(*model::find_wire_message(version, kind), object, message);
  model::append_envelope_head(version, kind, message.size(), out);
  return out + message;
}

/// The document, apiVersion and kind included; discarded: it cannot be read. Of a list the items' texts are read by the
/// element's message.
json opened(std::string_view body) {
  const json broken(json::value_t::discarded);
  const auto envelope = model::read_envelope(bytes_of(body));
  if (!envelope) return broken;
  json document;
  if (const auto* message = model::find_wire_message(envelope->api_version, envelope->kind)) {
    const auto read = model::read_protobuf(*message, envelope->raw);
    if (!read) return broken;
    document = *read;
  } else if (envelope->kind.ends_with("List")) {
    const auto* element =
        model::find_wire_message(envelope->api_version, envelope->kind.substr(0, envelope->kind.size() - 4));
    if (element == nullptr) return broken;
    document["items"] = json::array();
    std::string error;
    for (model::ProtobufReader list(envelope->raw, error); list.next();) {
      if (list.number() == 2) document["items"].push_back(*model::read_protobuf(*element, list.bytes()));
      if (list.number() != 1) continue;
      for (model::ProtobufReader meta(list.bytes(), error); meta.next();) {
        if (meta.number() == 2) document["metadata"]["resourceVersion"] = meta.text();
        if (meta.number() == 3) document["metadata"]["continue"] = meta.text();
        if (meta.number() == 4) document["metadata"]["remainingItemCount"] = meta.value();
      }
    }
    if (!error.empty()) return broken;
  }
  document["apiVersion"] = envelope->api_version;
  document["kind"] = envelope->kind;
  return document;
}

json pod(const std::string& name) {
  return json{{"apiVersion", "v1"},
              {"kind", "Pod"},
              {"metadata", {{"name", name}, {"labels", {{"app", "web"}}}}},
              {"spec", {{"nodeName", "n"}, {"containers", {{{"name", "c"}, {"image", "i:1"}, {"resources", {}}}}}}},
              {"status", {{"podIP", "10.1.0.1"}, {"qosClass", "BestEffort"}}}};
}

} // namespace

TEST_CASE("pods are written in protobuf with all that an agent says of them") {
  ApiFixture api;
  const Answer made = api.ask("POST", pods, enveloped(pod("a")), content);
  REQUIRE(made.status == 201);
  CHECK(made.json()["spec"]["containers"][0]["image"] == "i:1");
  CHECK(made.json()["metadata"]["labels"]["app"] == "web");
  json changed = made.json();
  changed["status"]["conditions"] = json::array({{{"type", "Ready"}, {"status", "True"}, {"reason", "Up"}}});
  const Answer updated = api.ask("PUT", pods + "/a/status", enveloped(changed), content + only_protobuf);
  REQUIRE(updated.status == 200);
  CHECK(updated.headers.at("content-type") == type);
  CHECK(opened(updated.body)["status"]["conditions"][0]["reason"] == "Up");
  CHECK(opened(updated.body) == api.ask("GET", pods + "/a").json());

  CHECK(api.ask("POST", pods, enveloped(json{{"apiVersion", "v1"}, {"kind", "Service"}}), content).status == 400);
  CHECK(api.ask("POST", pods, "k8s", content).status == 400);
  const std::string cut("k8s\0\x0a\x09\x0a\x02v1\x12\x03Pod\x12\x02\x0a\x05", 19);
  CHECK(api.ask("POST", pods, cut, content).json()["message"] ==
        "Pod in version \"v1\" cannot be handled as a Pod: unexpected EOF");
  const std::string only = "Accept: " + type + ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1beta1\r\n";
  CHECK(api.ask("GET", pods, "", only).status == 406); // its fields have other numbers
}

TEST_CASE("who reads only protobuf gets it") {
  ApiFixture api;
  const Answer plain = api.create("web", R"("ports":[{"port":80}],"selector":{"app":"web"})");
  const auto get = [&](const std::string& path, const std::string& headers = only_protobuf) {
    return api.ask("GET", path, "", headers);
  };
  const Answer one = get(services + "/web");
  CHECK(one.status == 200);
  CHECK(one.headers.at("content-type") == type);
  CHECK(opened(one.body) == plain.json());
  CHECK(get(services + "/web", "Accept: " + type + ",application/json\r\n").json() == plain.json());
  CHECK(get(services + "/web", "Accept: " + type + ", */*\r\n").headers.at("content-type") == "application/json");
  CHECK(get(services, "Accept: " + type + ";as=Table;g=meta.k8s.io;v=v1\r\n").status == 406);

  const Answer missing = get(services + "/none");
  CHECK(missing.status == 404);
  CHECK(missing.headers.at("content-type") == type);
  CHECK(opened(missing.body)["reason"] == "NotFound");
  CHECK(opened(missing.body)["details"]["name"] == "none");
  CHECK(opened(get("/api/v1/namespaces/default/cats").body)["code"] == 404);

  const std::string partial = "Accept: " + type + ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1\r\n";
  CHECK(opened(get(services + "/web", partial).body)["kind"] == "PartialObjectMetadata");
  CHECK(opened(get(services + "/web", partial).body)["metadata"] == plain.json()["metadata"]);
  CHECK(opened(get(services, partial).body)["reason"] == "NotAcceptable");
  const std::string partials = "Accept: " + type + ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1\r\n";
  CHECK(opened(get(services, partials).body)["items"].size() == 2);
  CHECK(get("/apis").json()["kind"] == "APIGroupList");

  const Answer gone = api.ask("DELETE", services + "/web", "", only_protobuf);
  CHECK(opened(gone.body)["metadata"]["name"] == "web"); // shown a last time
  const std::string leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
  const std::string lease = R"({"metadata":{"name":"l"}})";
  const std::string uid = api.ask("POST", leases, lease).json()["metadata"]["uid"];
  const Answer ended = api.ask("DELETE", leases + "/l", "", only_protobuf);
  CHECK(opened(ended.body)["status"] == "Success");
  CHECK(opened(ended.body)["details"]["uid"] == uid);
  REQUIRE(api.ask("POST", pods, enveloped(pod("a")), content + only_protobuf).status == 201);
  CHECK(opened(api.ask("DELETE", pods, "", only_protobuf).body)["items"].size() == 1);
  const json review{{"apiVersion", "authorization.k8s.io/v1"},
                    {"kind", "SelfSubjectAccessReview"},
                    {"spec", {{"resourceAttributes", {{"verb", "get"}}}}}};
  const Answer allowed = api.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", enveloped(review),
                                 content + only_protobuf);
  CHECK(opened(allowed.body)["status"]["allowed"] == true);
}

TEST_CASE("lists in protobuf are those in JSON") {
  ApiFixture api;
  const std::string note = R"(,"annotations":{"note":")" + std::string(300, 'x') + "\"}";
  for (int i = 0; i < 400; ++i)
    REQUIRE(api.create("s" + std::to_string(1000 + i), R"("ports":[{"port":80}])", note).status == 201);
  const auto same = [&](const std::string& path) {
    CAPTURE(path);
    json plain = api.ask("GET", path).json();
    for (json& item : plain["items"]) {
      item.erase("apiVersion");
      item.erase("kind");
    }
    const Answer answer = api.ask("GET", path, "", only_protobuf);
    CHECK(answer.headers.at("content-type") == type);
    CHECK(opened(answer.body) == plain);
  };
  same(services); // longer than a piece
  same(services + "?limit=3");
  same(services + "?labelSelector=none");
  same("/apis/networking.k8s.io/v1/ipaddresses?limit=5");
  same("/api/v1/endpoints");
}

TEST_CASE("a long list in protobuf is measured and sent in pieces") {
  ApiFixture api;
  const std::string note = R"(,"annotations":{"note":")" + std::string(2000, 'x') + "\"}";
  for (int i = 0; i < 200; ++i)
    REQUIRE(api.create("s" + std::to_string(1000 + i), R"("ports":[{"port":80}])", note).status == 201);
  const auto negotiated = api::negotiate(type);
  REQUIRE(negotiated);
  api::Route route;
  route.to = api::Route::To::collection;
  const api::Reply reply = api::list_collection(api.registry, route, {}, *negotiated);
  REQUIRE(reply.stream);
  CHECK(reply.body.empty());
  std::string body;
  int silent = 0, pieces = 0;
  auto step = api::Stream::Step::more;
  while (step == api::Stream::Step::more) {
    std::string piece;
    step = reply.stream->next(piece);
    CHECK(piece.size() < 2 * api::piece_bytes);
    ++(piece.empty() ? silent : pieces);
    body += piece;
  }
  CHECK(step == api::Stream::Step::done);
  CHECK(silent > 3); // one more was taken by list_collection
  CHECK(pieces > 4);
  CHECK(opened(body)["items"].size() == 201);
}

TEST_CASE("a watch in protobuf") {
  ApiFixture api;
  REQUIRE(api.create("web").status == 201);
  HttpClient client(api.server->port());
  client.request("GET",
                 services + "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
                            "&allowWatchBookmarks=true&labelSelector=app",
                 "", only_protobuf);
  const Answer head = client.read_head();
  REQUIRE(head.status == 200);
  CHECK(head.headers.at("content-type") == type + ";stream=watch");
  std::string bytes;
  const auto next = [&] {
    const auto size = [&] {
      std::size_t length = 0;
      for (std::size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(bytes[i]);
      return length;
    };
    while (bytes.size() < 4 || bytes.size() < 4 + size()) {
      const auto chunk = client.read_chunk();
      REQUIRE(chunk);
      bytes += *chunk;
    }
    const std::string message = bytes.substr(4, size());
    bytes.erase(0, 4 + size());
    std::string event, error;
    json object;
    for (model::ProtobufReader fields(bytes_of(message), error); fields.next();) {
      if (fields.number() == 1) event = fields.text();
      if (fields.number() != 2) continue;
      for (model::ProtobufReader raw(fields.bytes(), error); raw.next();)
        if (raw.number() == 1) object = opened(raw.text());
    }
    CHECK(error.empty());
    return std::pair(event, object);
  };
  const auto bookmark = next();
  CHECK(bookmark.first == "BOOKMARK");
  CHECK(bookmark.second["kind"] == "Service");
  CHECK(bookmark.second["metadata"]["annotations"]["k8s.io/initial-events-end"] == "true");
  const auto patch = [&](const char* text) {
    const Answer answer = api.ask("PATCH", services + "/web", text, "Content-Type: application/merge-patch+json\r\n");
    REQUIRE(answer.status == 200);
    return answer.json();
  };
  const json labelled = patch(R"({"metadata":{"labels":{"app":"a"}}})");
  CHECK(next() == std::pair(std::string("ADDED"), labelled));
  patch(R"({"metadata":{"labels":null}})");
  CHECK(next().first == "DELETED");

  // Others are told the same in JSON, from the same events.
  HttpClient plain(api.server->port());
  plain.request("GET", services + "?watch=1&resourceVersion=" +
                           bookmark.second["metadata"]["resourceVersion"].get<std::string>());
  REQUIRE(plain.read_head().status == 200);
  CHECK(plain.read_line()["object"] == labelled);
  const Answer future = api.ask("GET",
                                services + "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
                                           "&resourceVersion=99999",
                                "", only_protobuf);
  CHECK(future.headers.at("content-type") == type + ";stream=watch");
  CHECK(future.body.find("ERROR") != std::string::npos);
}
