#include "discovery/api/patch.hpp"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

using Json = nlohmann::json;
using signpost::api::apply_json_patch;
using signpost::api::apply_merge_patch;
using signpost::api::apply_strategic_patch;
using signpost::model::Kind;

namespace {

struct Case {
  const char* document;
  const char* patch;
  const char* result; // nullptr: refused
};

TEST_CASE("JSON patch: the examples of RFC 6902 and its errors") {
  for (const Case& c : {
           Case{R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux"}])", R"({"baz":"qux","foo":"bar"})"},
           {R"({"foo":["bar","baz"]})", R"([{"op":"add","path":"/foo/1","value":"qux"}])",
            R"({"foo":["bar","qux","baz"]})"},
           {R"({"baz":"qux","foo":"bar"})", R"([{"op":"remove","path":"/baz"}])", R"({"foo":"bar"})"},
           {R"({"foo":["bar","qux","baz"]})", R"([{"op":"remove","path":"/foo/1"}])", R"({"foo":["bar","baz"]})"},
           {R"({"baz":"qux","foo":"bar"})", R"([{"op":"replace","path":"/baz","value":"boo"}])",
            R"({"baz":"boo","foo":"bar"})"},
           {R"({"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}})",
            R"([{"op":"move","from":"/foo/waldo","path":"/qux/thud"}])",
            R"({"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}})"},
           {R"({"foo":["all","grass","cows","eat"]})", R"([{"op":"move","from":"/foo/1","path":"/foo/3"}])",
            R"({"foo":["all","cows","eat","grass"]})"},
           {R"({"baz":"qux","foo":["a",2,"c"]})",
            R"([{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}])",
            R"({"baz":"qux","foo":["a",2,"c"]})"},
           {R"({"baz":"qux"})", R"([{"op":"test","path":"/baz","value":"bar"}])", nullptr},
           {R"({"foo":"bar"})", R"([{"op":"add","path":"/child","value":{"grandchild":{}}}])",
            R"({"child":{"grandchild":{}},"foo":"bar"})"},
           {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux","xyz":123}])",
            R"({"baz":"qux","foo":"bar"})"},
           {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz/bat","value":"qux"}])", nullptr},
           {R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":10}])", R"({"/":9,"~1":10})"},
           {R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":"10"}])", nullptr},
           {R"({"foo":["bar"]})", R"([{"op":"add","path":"/foo/-","value":["abc","def"]}])",
            R"({"foo":["bar",["abc","def"]]})"},
           {R"({"a":1})", R"([{"op":"copy","from":"/a","path":"/b"}])", R"({"a":1,"b":1})"},
           {R"({"a":1})", R"([{"op":"replace","path":"","value":{"b":2}}])", R"({"b":2})"},
           {R"({"a":1})", R"([{"op":"replace","path":"/b","value":2}])", nullptr},
           {R"({"a":1})", R"([{"op":"remove","path":"/b"}])", nullptr},
           {R"({"a":1})", R"([{"op":"remove","path":""}])", nullptr},
           {R"({"a":1})", R"([{"op":"fly","path":"/a"}])", nullptr},
           {R"({"a":1})", R"([{"op":"add","path":"a","value":1}])", nullptr},
           {R"({"a":1})", R"([{"op":"add","path":"/a~2","value":1}])", nullptr},
           {R"({"a":[1]})", R"([{"op":"add","path":"/a/01","value":1}])", nullptr},
           {R"({"a":[1]})", R"([{"op":"add","path":"/a/3","value":1}])", nullptr},
           {R"({"a":{"b":1}})", R"([{"op":"move","from":"/a","path":"/a/b/c"}])", nullptr},
           {R"({"a":1})", R"([{"op":"add","path":"/b"}])", nullptr},
           {R"({"a":1})", R"([7])", nullptr},
           {R"({"a":1})", R"({"op":"add"})", nullptr},
       }) {
    CAPTURE(c.patch);
    const auto result = apply_json_patch(Json::parse(c.document), Json::parse(c.patch));
    CHECK(result.has_value() == (c.result != nullptr));
    if (result && c.result != nullptr) CHECK(*result == Json::parse(c.result));
  }
  CHECK(apply_json_patch(Json::object(), Json::object()).error().status == 400);
}

TEST_CASE("JSON patch: copies into copies do not make a tower") {
  // Each doubles the depth; what walks a document (to print, to copy, to free it) must not meet what it was not made
  // for.
  Json patch = Json::array();
  Json nested = 1;
  for (int i = 0; i < 50; ++i) nested = Json{{"a", nested}};
  patch.push_back({{"op", "add"}, {"path", "/x"}, {"value", nested}});
  CHECK(apply_json_patch(Json::object(), patch));
  std::string path = "/x";
  for (int depth = 50; depth < 100'000; depth *= 2) {
    while (path.size() < 2 + 2 * static_cast<std::size_t>(depth)) path += "/a";
    patch.push_back({{"op", "copy"}, {"from", "/x"}, {"path", path}});
  }
  CHECK(apply_json_patch(Json::object(), patch).error().status == 413);
  const Json replaced =
      Json::array({{{"op", "add"}, {"path", "/x"}, {"value", nested}},
                   {{"op", "replace"}, {"path", "/x/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a"}, {"value", nested}}});
  CHECK(apply_json_patch(Json::object(), replaced).error().status == 413);
}

TEST_CASE("JSON patch: what is made is bounded") {
  Json patch = Json::array();
  for (int i = 0; i < 64; ++i) patch.push_back({{"op", "copy"}, {"from", "/a"}, {"path", "/a/b"}});
  const auto doubled = apply_json_patch({{"a", {{"x", std::string(1000, 'x')}}}}, patch, 1 << 16);
  REQUIRE_FALSE(doubled);
  CHECK(doubled.error().status == 413);
  Json many = Json::array();
  for (int i = 0; i < 10'001; ++i) many.push_back({{"op", "test"}, {"path", "/a"}, {"value", 1}});
  CHECK(apply_json_patch({{"a", 1}}, many).error().status == 413);
}

TEST_CASE("JSON patch: moves cost nothing, shoving long lists about is counted") {
  const auto operations = [](Json first, int count, const std::function<Json(int)>& each) {
    Json patch = Json::array({std::move(first)});
    for (int i = 0; i < count; ++i) patch.push_back(each(i));
    return patch;
  };
  const auto list = [](int size) {
    return Json{{"op", "add"}, {"path", "/x"}, {"value", Json(std::vector<int>(size))}};
  };
  const auto moved = apply_json_patch(Json::object(), operations(list(1'000'000), 9'000, [](int i) {
                                        const char *from = i % 2 == 0 ? "/x" : "/y", *to = i % 2 == 0 ? "/y" : "/x";
                                        return Json{{"op", "move"}, {"from", from}, {"path", to}};
                                      }));
  REQUIRE(moved);
  CHECK((*moved)["x"].size() == 1'000'000);
  const auto front = [](int) { return Json{{"op", "add"}, {"path", "/x/0"}, {"value", 1}}; };
  CHECK(apply_json_patch(Json::object(), operations(list(90'000), 9'000, front)).error().status == 413);
  CHECK(apply_json_patch(Json::object(), operations(list(1'000), 5'000, front))->at("x").size() == 6'000);
  const auto back = [](int) { return Json{{"op", "add"}, {"path", "/x/-"}, {"value", 1}}; };
  CHECK(apply_json_patch(Json::object(), operations(list(200'000), 9'000, back))->at("x").size() == 209'000);
  const auto removed = [](int) { return Json{{"op", "remove"}, {"path", "/x/0"}}; };
  CHECK(apply_json_patch(Json::object(), operations(list(90'000), 9'000, removed)).error().status == 413);
  // Deeper and deeper, with much inside.
  Json deeper = Json::array({list(100'000)});
  for (int i = 0; i < 5'000; ++i) {
    deeper.push_back({{"op", "add"}, {"path", "/y"}, {"value", Json::object()}});
    deeper.push_back({{"op", "move"}, {"from", "/x"}, {"path", "/y/x"}});
    if (deeper.size() > 9'990) break;
    deeper.push_back({{"op", "move"}, {"from", "/y/x"}, {"path", "/x"}});
  }
  CHECK(apply_json_patch(Json::object(), deeper).error().status == 413);
  const std::string much(1'000'000, 'a');
  CHECK(apply_json_patch(Json::object(), Json::array({{{"op", much}, {"path", "/x"}}})).error().message.size() < 1'000);
  CHECK(
      apply_json_patch(Json::object(), Json::array({{{"op", "remove"}, {"path", "/" + much}}})).error().message.size() <
      1'000);
}

TEST_CASE("merge patch: the examples of RFC 7386") {
  for (const Case& c : {Case{R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
                        {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
                        {R"({"a":"b"})", R"({"a":null})", R"({})"},
                        {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
                        {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
                        {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
                        {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
                        {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
                        {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
                        {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
                        {R"({"a":"foo"})", R"(null)", nullptr},
                        {R"({"a":"foo"})", R"("bar")", nullptr},
                        {R"(["a","b"])", R"(["c","d"])", nullptr}}) {
    CAPTURE(c.patch);
    const auto result = apply_merge_patch(Json::parse(c.document), Json::parse(c.patch));
    CHECK(result.has_value() == (c.result != nullptr));
    if (result && c.result != nullptr) CHECK(*result == Json::parse(c.result));
  }
}

TEST_CASE("strategic merge patch: lists with keys, sets and directives") {
  for (
      const Case& c : {
          // Maps merge, null removes.
          Case{R"({"metadata":{"labels":{"a":"1","b":"2"}}})", R"({"metadata":{"labels":{"a":null,"c":"3"}}})",
               R"({"metadata":{"labels":{"b":"2","c":"3"}}})"},
          // Ports are matched by number; new ones come before those only the server has.
          {R"({"spec":{"ports":[{"port":80,"name":"a","nodePort":30000}]}})",
           R"({"spec":{"ports":[{"port":80,"name":"b"}]}})",
           R"({"spec":{"ports":[{"port":80,"name":"b","nodePort":30000}]}})"},
          {R"({"spec":{"ports":[{"port":80,"name":"a"}]}})", R"({"spec":{"ports":[{"port":443,"name":"b"}]}})",
           R"({"spec":{"ports":[{"port":443,"name":"b"},{"port":80,"name":"a"}]}})"},
          {R"({"spec":{"ports":[{"port":1},{"port":2},{"port":3}]}})",
           R"({"spec":{"ports":[{"port":3,"name":"c"},{"port":1,"name":"a"}]}})",
           R"({"spec":{"ports":[{"port":2},{"port":3,"name":"c"},{"port":1,"name":"a"}]}})"},
          {R"({"spec":{"ports":[{"port":80},{"port":443}]}})",
           R"({"spec":{"$setElementOrder/ports":[{"port":443},{"port":80}]}})",
           R"({"spec":{"ports":[{"port":443},{"port":80}]}})"},
          {R"({"spec":{"ports":[{"port":80},{"port":443}]}})",
           R"({"spec":{"$setElementOrder/ports":[{"port":443},{"port":8080}],"ports":[{"port":8080,"name":"x"},{"$patch":"delete","port":80}]}})",
           R"({"spec":{"ports":[{"port":443},{"port":8080,"name":"x"}]}})"},
          {R"({"spec":{"ports":[{"port":80},{"port":443}]}})", R"({"spec":{"ports":[{"$patch":"delete","port":80}]}})",
           R"({"spec":{"ports":[{"port":443}]}})"},
          {R"({"spec":{"ports":[{"port":80},{"port":443}]}})",
           R"({"spec":{"ports":[{"$patch":"replace"},{"port":1}]}})", R"({"spec":{"ports":[{"port":1}]}})"},
          {R"({"spec":{"ports":[{"port":80}]}})", R"({"spec":{"ports":[{"name":"x"}]}})", nullptr},
          {R"({"spec":{"ports":[{"port":80}]}})", R"({"spec":{"ports":[{"$patch":"fly","port":1}]}})", nullptr},
          {R"({"spec":{"ports":[{"port":80}]}})", R"({"spec":{"ports":[1]}})", nullptr},
          // Lists without a key are replaced.
          {R"({"spec":{"externalIPs":["1.1.1.1"]}})", R"({"spec":{"externalIPs":["2.2.2.2"]}})",
           R"({"spec":{"externalIPs":["2.2.2.2"]}})"},
          // Finalizers are a set.
          {R"({"metadata":{"finalizers":["a","b"]}})", R"({"metadata":{"finalizers":["b","c"]}})",
           R"({"metadata":{"finalizers":["a","b","c"]}})"},
          {R"({"metadata":{"finalizers":["a","b"]}})", R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["a"]}})",
           R"({"metadata":{"finalizers":["b"]}})"},
          {R"({"metadata":{"finalizers":["a","b"]}})",
           R"({"metadata":{"$setElementOrder/finalizers":["b","a"],"finalizers":["b"]}})",
           R"({"metadata":{"finalizers":["b","a"]}})"},
          {R"({"metadata":{"ownerReferences":[{"uid":"1","name":"a"}]}})",
           R"({"metadata":{"ownerReferences":[{"uid":"1","name":"b"},{"uid":"2"}]}})",
           R"({"metadata":{"ownerReferences":[{"uid":"1","name":"b"},{"uid":"2"}]}})"},
          // Directives on maps.
          {R"({"spec":{"selector":{"a":"1"}}})", R"({"spec":{"selector":{"$patch":"replace","b":"2"}}})",
           R"({"spec":{"selector":{"b":"2"}}})"},
          {R"({"spec":{"selector":{"a":"1"}}})", R"({"spec":{"selector":{"$patch":"delete"}}})",
           R"({"spec":{"selector":{}}})"},
          {R"({"spec":{"selector":{"a":"1","b":"2"}}})", R"({"spec":{"selector":{"$retainKeys":["b","c"],"c":"3"}}})",
           R"({"spec":{"selector":{"b":"2","c":"3"}}})"},
          {R"({"spec":{"selector":{"a":"1"}}})", R"({"spec":{"selector":{"$retainKeys":["b"],"c":"3"}}})", nullptr},
          {R"({"spec":{}})", R"({"spec":{"selector":{"a":null,"b":"1"}}})", R"({"spec":{"selector":{"b":"1"}}})"},
          {R"({"spec":{}})", R"([])", nullptr},
      }) {
    CAPTURE(c.patch);
    const auto result = apply_strategic_patch(Kind::service, Json::parse(c.document), Json::parse(c.patch));
    CHECK(result.has_value() == (c.result != nullptr));
    if (result && c.result != nullptr) CHECK(result->dump() == Json::parse(c.result).dump());
  }
  // A slice's lists are replaced whole.
  const auto slice = apply_strategic_patch(Kind::endpoint_slice, Json::parse(R"({"ports":[{"port":80}]})"),
                                           Json::parse(R"({"ports":[{"port":81}]})"));
  CHECK(slice->dump() == R"({"ports":[{"port":81}]})");
}

/// What a decoder leaves of a document: a null is nothing, and nothing is called $….
Json decoded(const Json& value) {
  if (!value.is_structured()) return value;
  Json made = value.is_object() ? Json::object() : Json::array();
  if (value.is_array())
    for (const Json& item : value) made.push_back(decoded(item));
  else
    for (const auto& [key, member] : value.items())
      if (!member.is_null() && !key.starts_with('$')) made[key] = decoded(member);
  return made;
}

TEST_CASE("strategic merge patch: what apimachinery makes of lists with equal merge keys") {
  // Written by tests/e2e/kubernetes/patches, which also runs this with thousands of others.
  const char* other = std::getenv("SIGNPOST_PATCHES");
  std::ifstream samples(other != nullptr ? other : SIGNPOST_SOURCE_DIR "/tests/discovery/api/patch_samples.jsonl");
  std::size_t count = 0;
  for (std::string line; std::getline(samples, line); ++count) {
    CAPTURE(line);
    const Json sample = Json::parse(line);
    const auto kind = signpost::model::find_kind("v1", sample["kind"].get<std::string>());
    REQUIRE(kind != nullptr);
    const auto result = apply_strategic_patch(kind->kind, sample["document"], sample["patch"]);
    CHECK(result.has_value() == !sample["result"].is_null());
    if (result && !sample["result"].is_null()) CHECK(decoded(*result).dump() == sample["result"].dump());
  }
  CHECK(count >= 300);
}

TEST_CASE("strategic merge patch: ports and addresses of one number or type keep their others") {
  const Json ports =
      Json::parse(R"([{"name":"t","port":53,"protocol":"TCP","targetPort":1},{"name":"u","port":53,"protocol":"UDP",)"
                  R"("targetPort":1},{"name":"m","port":9}])");
  const auto names = [&](const char* patch) {
    const auto made = apply_strategic_patch(Kind::service, {{"spec", {{"ports", ports}}}}, Json::parse(patch));
    std::string text;
    if (made)
      for (const Json& port : (*made)["spec"]["ports"])
        text += port["name"].get<std::string>() + std::to_string(port.value("targetPort", 0)) + " ";
    return text;
  };
  CHECK(names(R"({"spec":{"ports":[{"port":53,"targetPort":2}]}})") == "t2 u1 m0 ");
  CHECK(names(R"({"spec":{"ports":[{"port":9,"targetPort":2}]}})") == "t1 u1 m2 ");
  CHECK(names(R"({"spec":{"$setElementOrder/ports":[{"port":9},{"port":53},{"port":53}]}})") == "m0 t1 u1 ");
  CHECK(names(R"({"spec":{"ports":[{"port":10,"name":"z"}]}})") == "z0 t1 u1 m0 ");
  CHECK(names(R"({"spec":{"ports":[{"$patch":"delete","port":53}]}})") == "m0 ");
}

TEST_CASE("strategic merge patch: long lists cost what they are long") {
  Json ports = Json::array(), order = Json::array(), finalizers = Json::array();
  for (int i = 0; i < 60'000; ++i) {
    ports.push_back({{"port", i % 30'000}, {"name", std::to_string(i)}});
    order.push_back({{"port", i % 30'000}});
    finalizers.push_back(std::to_string(i));
  }
  const Json document = {{"metadata", {{"finalizers", finalizers}}}, {"spec", {{"ports", ports}}}};
  const auto merged = apply_strategic_patch(
      Kind::service, document,
      {{"metadata", {{"finalizers", finalizers}, {"$deleteFromPrimitiveList/finalizers", finalizers}}},
       {"spec", {{"ports", ports}, {"$setElementOrder/ports", order}}}});
  REQUIRE(merged);
  CHECK((*merged)["spec"]["ports"].size() == 60'000);
  CHECK((*merged)["metadata"]["finalizers"].empty());
  // One container, named again and again, each time with one more variable.
  Json containers = Json::array();
  for (int i = 0; i < 20'000; ++i)
    containers.push_back({{"name", "a"}, {"env", Json::array({{{"name", std::to_string(i)}}})}});
  const Json pod = {{"spec", {{"containers", Json::array({{{"name", "a"}, {"env", Json::array()}}})}}}};
  CHECK(apply_strategic_patch(Kind::pod, pod, {{"spec", {{"containers", containers}}}}).error().status == 413);
}

} // namespace
