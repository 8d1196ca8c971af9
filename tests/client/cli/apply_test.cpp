#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "client/cli/apply.hpp"
#include "tests/client/cli/command_line.hpp"
#include "tests/client/http_responder.hpp"

using nlohmann::json;
using signpost::cli::merge_patch;
using testing::HttpAnswer;
using testing::HttpAsked;
using testing::run;

namespace {

// A registry that keeps objects by path: enough of one to apply to.
class Registry {
public:
  HttpAnswer operator()(const HttpAsked& asked) {
    const auto path = asked.target.substr(0, asked.target.find('?'));
    const auto found = objects.find(path);
    if (asked.method == "POST") {
      auto object = json::parse(asked.body);
      const auto full = path + '/' + object["metadata"]["name"].get<std::string>();
      if (path.find("/namespaces/nosuch/") != std::string::npos)
        return {.status = 404, .body = testing::status(404, "NotFound", "namespaces nosuch not found")};
      if (objects.contains(full)) return {.status = 409, .body = testing::status(409, "AlreadyExists", "exists")};
      object["metadata"]["resourceVersion"] = std::to_string(++version);
      for (auto& port : object["spec"]["ports"]) port["protocol"] = "TCP";
      object["spec"]["clusterIP"] = "10.96.0.5";
      objects[full] = object;
      return {.status = 201, .body = object.dump()};
    }
    if (found == objects.end()) return {.status = 404, .body = testing::status(404, "NotFound", "not found")};
    if (asked.method == "PATCH") {
      const auto patch = json::parse(asked.body);
      if (conflicts > 0 || patch["metadata"]["resourceVersion"] != found->second["metadata"]["resourceVersion"]) {
        --conflicts;
        return {.status = 409, .body = testing::status(409, "Conflict", "changed")};
      }
      found->second.merge_patch(patch);
      found->second["metadata"]["resourceVersion"] = std::to_string(++version);
    }
    if (asked.method == "DELETE") {
      const auto gone = found->second;
      objects.erase(found);
      return {.body = gone.dump()};
    }
    return {.body = found->second.dump()};
  }

  std::map<std::string, json> objects;
  int version = 0, conflicts = 0;
};

struct Fixture {
  Registry registry;
  testing::HttpResponder server{[this](const HttpAsked& asked) { return registry(asked); }};
  testing::Ran go(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {"--server", server.url()});
    return run(arguments, input);
  }
};

const std::string web_yaml = R"(apiVersion: v1
kind: Service
metadata:
  name: web
  labels: {app: web, tier: front}
spec:
  ports:
    - {name: http, port: 80, targetPort: 8080}
)";
const std::string web_path = "/api/v1/namespaces/default/services/web";

} // namespace

TEST_CASE("apply creates, leaves alone, changes, and removes what it once set") {
  Fixture f;
  auto ran = f.go({"apply", "-f", "-"}, web_yaml);
  CHECK(ran.out == "service/web created\n");
  CHECK(ran.code == 0);
  CHECK(f.server.asked().back().target ==
        "/api/v1/namespaces/default/services?fieldManager=signpost&fieldValidation=Strict");
  CHECK(f.registry.objects.at(web_path)["metadata"]["annotations"].contains(
      "kubectl.kubernetes.io/last-applied-configuration"));

  const auto before = f.server.asked().size();
  ran = f.go({"apply", "-f", "-"}, web_yaml);
  CHECK(ran.out == "service/web unchanged\n");
  CHECK(f.server.asked().size() == before + 1); // one GET

  f.registry.objects.at(web_path)["metadata"]["labels"]["by"] = "another";
  auto changed = web_yaml;
  changed.replace(changed.find(", tier: front"), 13, ", size: big");
  ran = f.go({"apply", "-f", "-"}, changed);
  CHECK(ran.out == "service/web configured\n");
  const auto& object = f.registry.objects.at(web_path);
  CHECK(object["metadata"]["labels"] == json{{"app", "web"}, {"by", "another"}, {"size", "big"}});
  CHECK(object["spec"]["clusterIP"] == "10.96.0.5");
  CHECK(object["spec"]["ports"][0]["protocol"] == "TCP");
}

TEST_CASE("apply tries again when somebody else was faster, and gives up in the end") {
  Fixture f;
  f.go({"apply", "-f", "-"}, web_yaml);
  auto changed = web_yaml;
  changed.replace(changed.find("front"), 5, "backs");
  f.registry.conflicts = 3;
  CHECK(f.go({"apply", "-f", "-"}, changed).out == "service/web configured\n");
  f.registry.conflicts = 1000;
  const auto ran = f.go({"apply", "-f", "-"}, web_yaml);
  CHECK(ran.code == 5);
  CHECK(ran.err == "signpost: service/web: changed\n");
}

TEST_CASE("apply goes on after an object that fails, and says the first code") {
  Fixture f;
  const auto ran = f.go({"apply", "-f", "-"},
                        web_yaml + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: p}\n---\n" +
                            "apiVersion: v1\nkind: Service\nmetadata: {name: lost, namespace: nosuch}\n---\n" +
                            "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"shop\"}}\n");
  CHECK(ran.code == 1);
  CHECK(ran.out == "service/web created\nnamespace/shop created\n");
  CHECK(ran.err.find("no ConfigMap of v1") != std::string::npos);
  CHECK(ran.err.find("create the namespace first") != std::string::npos);
}

TEST_CASE("apply takes lists, files, and namespaces from -n") {
  Fixture f;
  const auto file = std::filesystem::temp_directory_path() / ("signpost-apply-" + std::to_string(getpid()) + ".json");
  std::ofstream(file) << R"({"apiVersion":"v1","kind":"List","items":[
    {"apiVersion":"v1","kind":"Service","metadata":{"name":"a"}},{"apiVersion":"v1","kind":"Service","metadata":{"name":"b"}}]})";
  auto ran = f.go({"-n", "shop", "apply", "-f", file.string()});
  CHECK(ran.out == "service/a created\nservice/b created\n");
  CHECK(f.registry.objects.contains("/api/v1/namespaces/shop/services/a"));
  ran = f.go({"-n", "shop", "delete", "-f", file.string()});
  CHECK(ran.out == "service/a deleted\nservice/b deleted\n");
  ran = f.go({"delete", "-f", file.string(), "--ignore-not-found"});
  CHECK(ran.code == 0);
  CHECK(
      f.go({"-n", "shop", "apply", "-f", "-"}, "apiVersion: v1\nkind: Service\nmetadata: {name: x, namespace: other}\n")
          .code == 2);
  CHECK(f.go({"apply", "-f", "/nonexistent.yaml"}).code == 1);
  CHECK(f.go({"apply", "-f", "-"}, "").code == 1);
  CHECK(f.go({"apply", "-f", "-"}, "a: [").code == 1);
  std::filesystem::remove(file);
}

TEST_CASE("the output of get can be applied") {
  Fixture f;
  f.go({"apply", "-f", "-"}, web_yaml);
  const auto got = f.go({"get", "svc", "web", "-o", "yaml"});
  REQUIRE(got.code == 0);
  f.go({"delete", "svc", "web"});
  const auto ran = f.go({"apply", "-f", "-"}, got.out);
  CHECK_MESSAGE(ran.out == "service/web created\n", ran.err);
  CHECK(json::parse(f.server.asked().back().body)["metadata"].contains("resourceVersion") == false);
}

TEST_CASE("delete by name, and its mistakes") {
  Fixture f;
  f.go({"apply", "-f", "-"}, web_yaml);
  CHECK(f.go({"delete", "svc"}).code == 2);
  CHECK(f.go({"delete"}).code == 2);
  CHECK(f.go({"delete", "svc", "web", "--all"}).code == 2);
  CHECK(f.go({"delete", "svc", "web", "-f", "x"}).code == 2);
  auto ran = f.go({"delete", "svc/web", "svc/nosuch"});
  CHECK(ran.out == "service/web deleted\n");
  CHECK(ran.code == 3);
  CHECK(f.go({"delete", "svc", "nosuch", "--ignore-not-found"}).code == 0);
  CHECK(f.server.asked().at(2).body == R"({"propagationPolicy":"Background"})");
}

TEST_CASE("merge patches") {
  struct Case {
    const char *what, *applied, *current, *wanted, *patch;
  };
  for (
      const Case& c : {
          Case{"nothing to do", "null", R"({"a":1,"b":2})", R"({"a":1})", "{}"},
          Case{"set", "null", R"({"a":1})", R"({"a":2,"c":3})", R"({"a":2,"c":3})"},
          Case{"removed from the file", R"({"a":1,"b":2})", R"({"a":1,"b":2,"c":3})", R"({"a":1})", R"({"b":null})"},
          Case{"removed, but gone already", R"({"b":2})", R"({"a":1})", R"({"a":1})", "{}"},
          Case{"a null is no value", "null", R"({"a":1})", R"({"a":null})", "{}"},
          Case{"within objects", R"({"m":{"x":1,"y":1}})", R"({"m":{"x":1,"y":1,"z":1}})", R"({"m":{"x":2}})",
               R"({"m":{"x":2,"y":null}})"},
          Case{"an object where there was none", "null", "{}", R"({"m":{}})", R"({"m":{}})"},
          Case{"lists are whole", "null", R"({"l":[1,2]})", R"({"l":[1]})", R"({"l":[1]})"},
          Case{"ports keep what the server filled in", "null",
               R"({"spec":{"ports":[{"port":80,"protocol":"TCP","nodePort":30080,"targetPort":80}]}})",
               R"({"spec":{"ports":[{"port":80,"name":"http"}]}})",
               R"({"spec":{"ports":[{"name":"http","nodePort":30080,"port":80,"protocol":"TCP","targetPort":80}]}})"},
          Case{"ports that are as they should be", "null",
               R"({"spec":{"ports":[{"port":80,"protocol":"TCP","nodePort":30080}]}})",
               R"({"spec":{"ports":[{"port":80}]}})", "{}"},
          Case{"a port of another stays, one of ours goes", R"({"spec":{"ports":[{"port":80},{"port":81}]}})",
               R"({"spec":{"ports":[{"port":80},{"port":81},{"port":82}]}})", R"({"spec":{"ports":[{"port":80}]}})",
               R"({"spec":{"ports":[{"port":80},{"port":82}]}})"},
          Case{"a number that was changed is the same port", R"({"spec":{"ports":[{"name":"http","port":80}]}})",
               R"({"spec":{"ports":[{"name":"http","port":81,"protocol":"TCP","targetPort":81}]}})",
               R"({"spec":{"ports":[{"name":"http","port":82}]}})",
               R"({"spec":{"ports":[{"name":"http","port":82,"protocol":"TCP"}]}})"},
          Case{
              "TCP and UDP of one number are two ports", "null",
              R"({"spec":{"ports":[{"port":53,"protocol":"TCP","nodePort":1},{"port":53,"protocol":"UDP","nodePort":2}]}})",
              R"({"spec":{"ports":[{"port":53,"protocol":"UDP","name":"u"},{"port":53,"name":"t"}]}})",
              R"({"spec":{"ports":[{"name":"u","nodePort":2,"port":53,"protocol":"UDP"},{"name":"t","nodePort":1,"port":53,"protocol":"TCP"}]}})"},
      }) {
    CAPTURE(c.what);
    CHECK(merge_patch(json::parse(c.applied), json::parse(c.current), json::parse(c.wanted)) == json::parse(c.patch));
  }
}
