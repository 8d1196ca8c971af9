#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/client/cli/command_line.hpp"
#include "tests/client/http_responder.hpp"

using nlohmann::json;
using testing::HttpAnswer;
using testing::HttpAsked;
using testing::HttpResponder;
using testing::run;

namespace {

json table(const std::vector<std::vector<std::string>>& services, const std::string& version = "10") {
  json rows = json::array();
  for (const auto& s : services)
    rows.push_back({{"cells", {s[1], "ClusterIP", s[2], "app=web"}},
                    {"object", {{"metadata", {{"name", s[1]}, {"namespace", s[0]}, {"resourceVersion", s.at(3)}}}}}});
  return {{"kind", "Table"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", {{"resourceVersion", version}}},
          {"columnDefinitions",
           {{{"name", "Name"}, {"priority", 0}},
            {{"name", "Type"}, {"priority", 0}},
            {{"name", "Cluster-IP"}, {"priority", 0}},
            {{"name", "Selector"}, {"priority", 1}}}},
          {"rows", rows}};
}

json service(const std::string& name, const std::string& version = "5") {
  return {{"metadata",
           {{"name", name},
            {"namespace", "default"},
            {"resourceVersion", version},
            {"creationTimestamp", "2026-01-01T00:00:00Z"}}},
          {"spec", {{"clusterIP", "10.96.0.5"}}}};
}

HttpAnswer ok(const json& body) { return {.body = body.dump()}; }

} // namespace

TEST_CASE("get prints the server's table") {
  HttpResponder server([](const HttpAsked&) {
    return ok(table({{"default", "web", "10.96.0.5", "5"}, {"shop", "database", "None", "6"}}));
  });
  auto ran = run({"--server", server.url(), "get", "svc"});
  CHECK(ran.code == 0);
  CHECK(ran.out == "NAME       TYPE        CLUSTER-IP\n"
                   "web        ClusterIP   10.96.0.5\n"
                   "database   ClusterIP   None\n");
  CHECK(server.asked().at(0).target == "/api/v1/namespaces/default/services?limit=500");
  CHECK(server.asked().at(0).head.find("as=Table;v=v1;g=meta.k8s.io") != std::string::npos);

  ran = run({"get", "services", "-A", "-o", "wide", "--no-headers", "-l", "app in (web)", "--server", server.url()});
  CHECK(ran.out == "default   web        ClusterIP   10.96.0.5   app=web\n"
                   "shop      database   ClusterIP   None        app=web\n");
  CHECK(server.asked().at(1).target == "/api/v1/services?limit=500&labelSelector=app%20in%20%28web%29");
}

TEST_CASE("kinds have their paths, namespaces theirs") {
  HttpResponder server([](const HttpAsked&) { return ok(table({{"", "x", "y", "1"}})); });
  struct Case {
    std::vector<std::string> words;
    const char* target;
  };
  for (const auto& c : {
           Case{{"svc", "web"}, "/api/v1/namespaces/shop/services/web"},
           Case{{"Service/web"}, "/api/v1/namespaces/shop/services/web"},
           Case{{"ep"}, "/api/v1/namespaces/shop/endpoints?limit=500"},
           Case{{"endpointslices"}, "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices?limit=500"},
           Case{{"ns"}, "/api/v1/namespaces?limit=500"},
           Case{{"ns", "shop"}, "/api/v1/namespaces/shop"},
           Case{{"servicecidrs"}, "/apis/networking.k8s.io/v1/servicecidrs?limit=500"},
           Case{{"ipaddresses.networking.k8s.io", "10.96.0.1"}, "/apis/networking.k8s.io/v1/ipaddresses/10.96.0.1"},
           Case{{"svc", "a/../b"}, "/api/v1/namespaces/shop/services/a%2F..%2Fb"},
       }) {
    auto words = c.words;
    words.insert(words.begin(), {"--server", server.url(), "-n", "shop", "get"});
    CHECK(run(words).code == 0);
    CHECK(server.asked().back().target == c.target);
  }
}

TEST_CASE("objects are printed as JSON, YAML and names") {
  HttpResponder server([](const HttpAsked& asked) {
    if (asked.is("GET", "/api/v1/namespaces/default/services/web")) return ok(service("web"));
    return ok({{"kind", "ServiceList"},
               {"apiVersion", "v1"},
               {"metadata", {{"resourceVersion", "9"}}},
               {"items", {service("web"), service("db")}}});
  });
  auto ran = run({"--server", server.url(), "get", "svc", "-o", "json"});
  const auto list = json::parse(ran.out);
  CHECK(list["kind"] == "List");
  CHECK(list["items"].size() == 2);
  CHECK(list["items"][1]["kind"] == "Service");
  CHECK(list["items"][1]["apiVersion"] == "v1");
  ran = run({"--server", server.url(), "get", "svc", "web", "-o", "json"});
  CHECK(json::parse(ran.out)["metadata"]["name"] == "web");
  ran = run({"--server", server.url(), "get", "svc", "web", "-o", "yaml"});
  CHECK(ran.out.starts_with("apiVersion: v1\nkind: Service\nmetadata:\n"));
  ran = run({"--server", server.url(), "get", "svc", "-o", "name"});
  CHECK(ran.out == "service/web\nservice/db\n");
  // A server without Tables sends objects; what every object has is shown.
  ran = run({"--server", server.url(), "get", "svc"});
  CHECK(ran.out.starts_with("NAME   AGE\nweb    "));
}

TEST_CASE("a list comes page by page") {
  HttpResponder server([](const HttpAsked& asked) {
    const bool second = asked.target.find("continue=abc%3D") != std::string::npos;
    auto page = table({{"default", second ? "two" : "one", "x", "1"}});
    if (!second) page["metadata"]["continue"] = "abc=";
    return ok(page);
  });
  const auto ran = run({"--server", server.url(), "get", "svc"});
  CHECK(ran.out == "NAME   TYPE        CLUSTER-IP\none    ClusterIP   x\ntwo    ClusterIP   x\n");
  CHECK(server.connections() == 1);
}

TEST_CASE("errors have a sentence and an exit code") {
  struct Case {
    int status;
    std::string body;
    int code;
    const char* text;
  };
  for (const auto& c : {
           Case{404, testing::status(404, "NotFound", R"(services \"web\" not found)"), 3,
                "services \"web\" not found; list what there is"},
           Case{403, testing::status(403, "Forbidden", "no"), 1, "no"},
           Case{409, testing::status(409, "Conflict", "changed"), 5, "changed"},
           Case{503, testing::status(503, "ServiceUnavailable", "starting"), 4, "starting"},
           Case{500, testing::status(500, "InternalError", "bad"), 1, "bad"},
           Case{404, "404 page not found", 3, "is the URL that of a signpostd API?"},
           Case{200, "<html>", 1, "not a JSON object"},
           Case{200, "[1]", 1, "not a JSON object"},
           Case{200, std::string(1000, '['), 1, "not a JSON object"},
       }) {
    HttpResponder server([&](const HttpAsked&) { return HttpAnswer{.status = c.status, .body = c.body}; });
    const auto ran = run({"--server", server.url(), "get", "svc", "web"});
    CHECK(ran.code == c.code);
    CHECK(ran.err.starts_with("signpost: "));
    CHECK_MESSAGE(ran.err.find(c.text) != std::string::npos, ran.err);
    CHECK(ran.out.empty());
  }
}

TEST_CASE("a server that is not there is named, with the remedies") {
  std::string url;
  {
    HttpResponder gone([](const HttpAsked&) { return HttpAnswer{}; });
    url = gone.url();
  }
  const auto ran = run({"--server", url, "get", "svc"});
  CHECK(ran.code == 4);
  for (const auto& part : {url, std::string("--server"), std::string("SIGNPOST_SERVER")})
    CHECK(ran.err.find(part) != std::string::npos);
  HttpResponder dropping([](const HttpAsked&) { return HttpAnswer{.drop = true}; });
  CHECK(run({"--server", dropping.url(), "get", "svc"}).code == 4);
}

TEST_CASE("server URLs that cannot be are refused") {
  for (const auto* const url : {"https://127.0.0.1:1", "127.0.0.1:8080", "http://", "http://host:port",
                                "http://host:99999", "http://[::1", "http://user@host", "http://a b"}) {
    CAPTURE(url);
    const auto ran = run({"--server", url, "get", "svc"});
    CHECK(ran.code == 2);
    CHECK(ran.err.find("server URL") != std::string::npos);
  }
  CHECK(run({"--server", "https://127.0.0.1:1", "get", "svc"}).err.find("TLS") != std::string::npos);
}

TEST_CASE("text from the server cannot steer the terminal") {
  HttpResponder server([](const HttpAsked&) { return ok(table({{"default", "\x1b[31mred", "a\nb", "1"}})); });
  const auto ran = run({"--server", server.url(), "get", "svc"});
  CHECK(ran.out.find('\x1b') == std::string::npos);
  CHECK(ran.out.find("a?b") != std::string::npos);
}

TEST_CASE("tables that lie are survived") {
  for (const auto* const body :
       {R"({"kind":"Table"})", R"({"kind":"Table","rows":7})",
        R"({"kind":"Table","rows":[1,{"cells":3},{"cells":[]}],"columnDefinitions":[4,{"name":5,"priority":"x"}]})",
        R"({"kind":5,"items":{}})", R"({"metadata":3,"items":[null,4,{"metadata":"x"}]})",
        R"({"metadata":{"continue":7}})"}) {
    CAPTURE(body);
    HttpResponder server([&](const HttpAsked&) { return HttpAnswer{.body = body}; });
    for (const auto* const output : {"table", "wide", "json", "yaml", "name"})
      CHECK(run({"--server", server.url(), "get", "svc", "-A", "-o", output}).code <= 1);
    CHECK(run({"--server", server.url(), "describe", "svc", "web"}).code <= 1);
  }
}

TEST_CASE("an empty list says so on the side") {
  HttpResponder server([](const HttpAsked&) { return ok(table({})); });
  const auto ran = run({"--server", server.url(), "get", "svc"});
  CHECK(ran.code == 0);
  CHECK(ran.out.empty());
  CHECK(ran.err == "No services found in namespace default.\n");
}

TEST_CASE("watch prints events and goes on after a drop, a time-out and an expired history") {
  int lists = 0, watches = 0;
  const auto event = [](const char* type, const json& object) {
    return json{{"type", type}, {"object", object}}.dump() + "\n";
  };
  HttpResponder server([&](const HttpAsked& asked) -> HttpAnswer {
    if (asked.target.find("watch=true") == std::string::npos) {
      ++lists;
      if (lists == 1) return ok(table({{"default", "web", "a", "5"}, {"default", "long-gone", "a", "6"}}, "10"));
      return ok(table({{"default", "web", "b", "21"}, {"default", "new", "a", "20"}}, "30"));
    }
    ++watches;
    if (watches == 1) { // an event in two pieces, then the connection breaks
      const auto text = event("MODIFIED", table({{"default", "web", "changed", "12"}}, "12"));
      return {.chunks = {text.substr(0, 50), text.substr(50)}, .drop = true};
    }
    if (watches == 2)
      return {.chunks = {event("BOOKMARK", {{"kind", "Service"}, {"metadata", {{"resourceVersion", "15"}}}})}};
    if (watches == 3) return {.drop = true};
    if (watches == 4) return {.chunks = {event("ERROR", json::parse(testing::status(410, "Expired", "too old")))}};
    return {.chunks = {event("DELETED", table({{"default", "new", "a", "31"}}, "31"))}};
  });
  const auto ran = run({"--server", server.url(), "watch", "svc", "--count", "7"});
  CHECK(ran.code == 0);
  CHECK(ran.out == "EVENT      NAME        TYPE        CLUSTER-IP\n"
                   "ADDED      long-gone   ClusterIP   a\n"
                   "ADDED      web         ClusterIP   a\n"
                   "MODIFIED   web         ClusterIP   changed\n"
                   "DELETED    long-gone   ClusterIP   a\n"
                   "ADDED      new         ClusterIP   a\n"
                   "MODIFIED   web         ClusterIP   b\n"
                   "DELETED    new         ClusterIP   a\n");
  std::vector<std::string> versions;
  for (const auto& asked : server.asked())
    if (const auto at = asked.target.find("resourceVersion="); at != std::string::npos)
      versions.push_back(asked.target.substr(at + 16, 2));
  CHECK(versions == std::vector<std::string>{"10", "12", "15", "15", "30"});
  CHECK(ran.err.find("trying again") != std::string::npos);
}

TEST_CASE("get -w and JSON events") {
  HttpResponder server([&](const HttpAsked& asked) -> HttpAnswer {
    if (asked.target.find("watch=true") == std::string::npos)
      return ok({{"kind", "ServiceList"}, {"metadata", {{"resourceVersion", "9"}}}, {"items", {service("web")}}});
    return {.chunks = {json{{"type", "DELETED"}, {"object", service("web", "11")}}.dump() + "\n"}};
  });
  auto ran = run({"--server", server.url(), "watch", "svc", "web", "-o", "json", "--count", "2"});
  CHECK(ran.code == 0);
  const auto line = ran.out.find('\n');
  CHECK(json::parse(ran.out.substr(0, line))["type"] == "ADDED");
  CHECK(json::parse(ran.out.substr(line))["object"]["metadata"]["resourceVersion"] == "11");
  CHECK(server.asked().at(0).target.find("fieldSelector=metadata.name%3Dweb") != std::string::npos);
  ran = run({"--server", server.url(), "get", "svc", "-w", "-o", "name", "--count", "2"});
  CHECK(ran.out == "service/web\nservice/web\n");
}

TEST_CASE("a watch ends where going on makes no sense") {
  HttpResponder server([](const HttpAsked&) {
    return HttpAnswer{.status = 400, .body = testing::status(400, "BadRequest", "no such selector")};
  });
  const auto ran = run({"--server", server.url(), "watch", "svc", "-l", "!!"});
  CHECK(ran.code == 1);
  CHECK(ran.err.find("no such selector") != std::string::npos);
}

TEST_CASE("describe tells a service with its endpoints") {
  HttpResponder server([](const HttpAsked& asked) {
    if (asked.is("GET", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"))
      return HttpAnswer{.body = R"({"items":[{"ports":[{"name":"http","port":8080}],"endpoints":[
        {"addresses":["10.244.1.10"],"conditions":{"ready":true},"nodeName":"node-a"},
        {"addresses":["10.244.1.11"],"conditions":{"ready":false}}]}]})"};
    if (asked.is("GET", "/status")) return HttpAnswer{.body = R"({"zones":["10.in-addr.arpa","cluster.test"]})"};
    return HttpAnswer{.body = R"({"metadata":{"name":"web","namespace":"default","labels":{"app":"web"}},
      "spec":{"type":"ClusterIP","clusterIPs":["10.96.0.5"],"ports":[{"name":"http","port":80,"targetPort":8080,"protocol":"TCP"}]}})"};
  });
  const auto ran = run({"--server", server.url(), "describe", "svc", "web"});
  CHECK(ran.code == 0);
  for (const auto* const part : {"Name:               web\n", "app=web", "http  80/TCP -> 8080",
                                 "10.244.1.10  ready  ports http=8080  nodeName node-a", "10.244.1.11  not ready",
                                 "web.default.svc.cluster.test\n"})
    CHECK_MESSAGE(ran.out.find(part) != std::string::npos, ran.out);
  CHECK(server.asked().at(1).target.find("labelSelector=kubernetes.io%2Fservice-name%3Dweb") != std::string::npos);
}
