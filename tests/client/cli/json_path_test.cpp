#include "client/cli/json_path.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace signpost::cli;

namespace {

const Json document = Json::parse(R"({
  "metadata": {"resourceVersion": "7"},
  "items": [
    {"metadata": {"name": "web", "annotations": {"a.b/c": "x"}}, "spec": {"type": "NodePort", "ports": [{"port": 80}, {"port": 443}]}},
    {"metadata": {"name": "db"}, "spec": {"type": "ClusterIP", "ports": [{"port": 5432}]}},
    {"metadata": {"name": "odd\u001b"}, "spec": 7}
  ]})");

std::string filled(const std::string& text) {
  const auto parsed = JsonTemplate::parse(text);
  return parsed ? parsed->fill(document) : "error: " + parsed.error().message;
}

} // namespace

TEST_CASE("templates are filled as kubectl does") {
  CHECK(filled("{.items[*].metadata.name}") == "web db odd?");
  CHECK(filled("{.items[0].spec.ports[-1].port}") == "443");
  CHECK(filled("{$.items[0:2].metadata.name}") == "web db");
  CHECK(filled("{.items[::2].metadata.name}") == "web odd?");
  CHECK(filled("{.items[0,1]['metadata']['name']}") == "web db");
  CHECK(filled("{.items[0].metadata['name','annotations']}") == R"(web {"a.b/c":"x"})");
  CHECK(filled(R"({.items[0].metadata.annotations.a\.b/c})") == "x");
  CHECK(filled("{..port}") == "80 443 5432");
  CHECK(filled("{.items[*].spec.ports}") == R"([{"port":80},{"port":443}] [{"port":5432}])");
  CHECK(filled(R"({range .items[*]}{.metadata.name}{"\t"}{.spec.type}{"\n"}{end})") ==
        "web\tNodePort\ndb\tClusterIP\nodd?\t\n");
  CHECK(filled(R"({.items[?(@.spec.type=="NodePort")].metadata.name})") == "web");
  CHECK(filled(R"({.items[?(@.spec.type!='NodePort')].metadata.name})") == "db");
  CHECK(filled("{.items[*].spec.ports[?(@.port>=443)].port}") == "443 5432");
  CHECK(filled("{.items[?(@.spec.ports)].metadata.name}") == "web db");
  CHECK(filled("v={.metadata.resourceVersion} {.no.such[3].thing}.") == "v=7 .");
  CHECK(filled(R"({"a}b"})") == "a}b");
  CHECK(filled("{range .items[0:2]}{range .spec.ports[*]}{.port},{end};{end}") == "80,443,;5432,;");
}

TEST_CASE("what is no path is told, with its place") {
  for (const char* text : {"{.items[}", "{.items", "{range .items}", "{end}", "{.a[1}", "{.a[?(@.b==)]}",
                           "{.a[?(@.b==1]}", "{'x}", "{.a b}", "{.a[1,'x']}", "{.a[0:1:0]}", "{..}"}) {
    CAPTURE(text);
    CHECK(filled(text).starts_with("error: "));
  }
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += ".a[?(@";
  CHECK_FALSE(JsonPath::parse(deep).has_value());
  std::string ranges;
  for (int i = 0; i < 1000; ++i) ranges += "{range .items}";
  CHECK_FALSE(JsonTemplate::parse(ranges).has_value());
}

TEST_CASE("custom columns") {
  const auto columns = CustomColumns::parse("NAME:.metadata.name,PORTS:.spec.ports[0,1].port,TYPE:spec.type");
  REQUIRE(columns.has_value());
  CHECK(columns->header == std::vector<std::string>{"NAME", "PORTS", "TYPE"});
  CHECK(columns->row(document["items"][0]) == std::vector<std::string>{"web", "80,443", "NodePort"});
  CHECK(columns->row(document["items"][2]) == std::vector<std::string>{"odd?", "<none>", "<none>"});
  CHECK_FALSE(CustomColumns::parse("").has_value());
  CHECK_FALSE(CustomColumns::parse("NAME").has_value());
  CHECK_FALSE(CustomColumns::parse("NAME:.a[").has_value());
}

TEST_CASE("values have an order") {
  const Json one = 1, ten = 10, text = "b", other = "a";
  CHECK(compare_values(&one, &ten) < 0);
  CHECK(compare_values(&text, &other) > 0);
  CHECK(compare_values(nullptr, &one) < 0);
  CHECK(compare_values(nullptr, nullptr) == 0);
  CHECK(compare_values(&ten, &ten) == 0);
}
