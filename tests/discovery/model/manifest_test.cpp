#include "discovery/model/manifest.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/discovery/model/random_object.hpp"

using namespace signpost::model;

namespace {

struct Read {
  std::vector<Json> objects;
  std::string error;
};

Read read_all(std::string_view text) {
  Read read;
  auto const result = read_manifest(text, "web.yaml", [&](Json&& object) -> tl::expected<void, ManifestError> {
    read.objects.push_back(std::move(object));
    return {};
  });
  if (!result) read.error = result.error().message;
  return read;
}

std::string names(const Read& read) {
  std::string text;
  for (const auto& object : read.objects) {
    text += (text.empty() ? "" : " ") + object.at("kind").get<std::string>() + "/" +
            object.at("apiVersion").get<std::string>() + "/" + object.at("metadata").at("name").get<std::string>();
  }
  return text + (read.error.empty() ? "" : " ! " + read.error);
}

} // namespace

TEST_CASE("a manifest gives its objects, lists flattened") {
  struct Row {
    const char *text, *expected;
  };
  for (
      const auto& [text, expected] : std::initializer_list<Row>{
          {"", ""},
          {"\n# nothing\n---\n---\n", ""},
          {"apiVersion: v1\nkind: Service\nmetadata: {name: a}\n", "Service/v1/a"},
          {"---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\n---\n\n---\napiVersion: v1\nkind: Namespace\n"
           "metadata:\n  name: b\n...\n",
           "Service/v1/a Namespace/v1/b"},
          {R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"a"}})", "Service/v1/a"},
          {R"(  {"apiVersion":"v1","kind":"Service","metadata":{"name":"a"}}
               {"apiVersion":"v1","kind":"Service","metadata":{"name":"b"}}
               )",
           "Service/v1/a Service/v1/b"},
          {"{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"a\"}}\n---\nkind: Service\napiVersion: "
           "v1\nmetadata: {name: b}",
           "Service/v1/a Service/v1/b"},
          {"{apiVersion: v1, kind: Service, metadata: {name: a}}", "Service/v1/a"},
          {"\xef\xbb\xbf{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"a\"}}", "Service/v1/a"},
          // The order of kubectl get -o json: the list's kind comes last.
          {R"({"apiVersion":"v1","items":[{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"}},
               {"apiVersion":"v1","kind":"Namespace","metadata":{"name":"b"}}],"kind":"List"})",
           "Service/v1/a Namespace/v1/b"},
          {R"({"kind":"ServiceList","apiVersion":"v1","metadata":{"resourceVersion":"5"},
               "items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]})",
           "Service/v1/a Service/v1/b"},
          {R"({"apiVersion":"discovery.k8s.io/v1","items":[{"metadata":{"name":"a"}},
               {"apiVersion":"v1","kind":"Service","metadata":{"name":"b"}}],"kind":"EndpointSliceList"})",
           "EndpointSlice/discovery.k8s.io/v1/a Service/v1/b"},
          {"items:\n- metadata: {name: a}\n- metadata: {name: b}\nkind: ServiceList\napiVersion: v1\n",
           "Service/v1/a Service/v1/b"},
          {"apiVersion: v1\nkind: List\nitems:\n- kind: List\n  apiVersion: v1\n  items:\n  - {kind: Service, apiVersion: "
           "v1, metadata: {name: a}}\n",
           "Service/v1/a"},
          {R"({"kind":"List","apiVersion":"v1","items":[]})", ""},
          {R"({"kind":"List","apiVersion":"v1","items":null})", ""},
          {R"({"kind":"List","apiVersion":"v1"})", ""},
      }) {
    CAPTURE(text);
    CHECK(names(read_all(text)) == expected);
  }
}

TEST_CASE("what is wrong with a manifest is said with its place and what to do") {
  struct Row {
    const char *text, *error;
  };
  for (const auto& [text, error] : std::initializer_list<Row>{
           {"apiVersion: v1\n", "web.yaml:1: the object has no kind; add for example \"kind: Service\""},
           {"\n\n---\nkind: Service\n",
            "web.yaml:4: the Service has no apiVersion; add for example \"apiVersion: v1\""},
           {"hello", "web.yaml:1: an object was expected, not a string; it begins with apiVersion, kind and metadata"},
           {"- a\n- b",
            "web.yaml:1: an object was expected, not an array; it begins with apiVersion, kind and metadata"},
           {"a: b: c", "web.yaml:1: not YAML: illegal map value"},
           {"]", "web.yaml:1: not YAML: illegal flow end"},
           {"a:\n  - b\n c: d\n", "web.yaml:3: not YAML: end of map not found"},
           {"a: 1\na: 2\n", "web.yaml:2: not YAML: key \"a\" already set in map"},
           {"a: [1, 2\n", "web.yaml:2: not YAML: end of sequence flow not found"},
           {"? [a]\n: b\n", "web.yaml:1: not YAML: a key must be a string, not a list or mapping"},
           {"a: *b\n", "web.yaml:1: not YAML: the referenced anchor is not defined"},
           {"a: &x [*x]\n", "web.yaml:1: not YAML: an alias stands inside of what it refers to"},
           {"<<: 5\n", "web.yaml:1: not YAML: << takes a mapping or a list of mappings"},
           {"{\"a\":\n\n 1 2}", "web.yaml:3: not JSON: invalid character '2' after object key:value pair"},
           {"{\"kind\":", "web.yaml:1: not JSON: unexpected end of JSON input"},
           {"{}", "web.yaml:1: the object has no kind; add for example \"kind: Service\""},
           {"{}{", "web.yaml:1: the object has no kind; add for example \"kind: Service\""},
           {R"({"kind":"List","apiVersion":"v1","items":[{"kind":"Service"}]})",
            "web.yaml:1: items[0]: the Service has no apiVersion; add for example \"apiVersion: v1\""},
           {R"({"apiVersion":"v1","items":[{"metadata":{}}],"kind":"List"})",
            "web.yaml:1: items[0]: the object has no kind; add for example \"kind: Service\""},
           {R"({"kind":"List","apiVersion":"v1","items":{}})", "web.yaml:1: items is not a list"},
           {R"({"kind":"List","apiVersion":"v1","items":[5]})",
            "web.yaml:1: items[0]: an object was expected, not a number; it begins with apiVersion, kind and metadata"},
       }) {
    CAPTURE(text);
    auto const read = read_all(text);
    CHECK(read.objects.empty());
    CHECK(read.error == error);
  }
}

TEST_CASE("an error of the receiver ends the reading and gets its place") {
  auto const stop_at_second = [](std::string_view text) {
    int calls = 0;
    auto const result = read_manifest(text, "a.json", [&](Json&&) -> tl::expected<void, ManifestError> {
      if (++calls == 2) return tl::unexpected(ManifestError{"a.json: enough"});
      return {};
    });
    REQUIRE_FALSE(result);
    CHECK(calls == 2);
    return result.error().message;
  };
  CHECK(stop_at_second("{kind: A, apiVersion: v1}\n---\n{kind: A, apiVersion: v1}\n---\n{kind: A, apiVersion: v1}\n") ==
        "a.json:3: enough");
  CHECK(stop_at_second("kind: List\napiVersion: v1\nitems:\n- {kind: A, apiVersion: v1}\n- {kind: A, apiVersion: v1}\n"
                       "- {kind: A, apiVersion: v1}\n") == "a.json:5: enough");
  CHECK(stop_at_second(R"({"kind":"List","apiVersion":"v1","items":[{"kind":"A","apiVersion":"v1"},
    {"kind":"A","apiVersion":"v1"},{"kind":"A","apiVersion":"v1"}]})") == "a.json:1: items[1]: enough");
  CHECK(stop_at_second(R"({"kind":"A","apiVersion":"v1"}
    {"kind":"A","apiVersion":"v1"})") == "a.json:2: enough");
}

TEST_CASE("a JSON list is handed on item by item, before its end is read") {
  int calls = 0;
  auto const result = read_manifest(R"({"kind":"ServiceList","apiVersion":"v1","items":[{"x":1},{"x":2},{"x":)", "a",
                                    [&](Json&& object) -> tl::expected<void, ManifestError> {
                                      CHECK(object == Json{{"x", ++calls}, {"kind", "Service"}, {"apiVersion", "v1"}});
                                      return {};
                                    });
  CHECK(calls == 2);
  REQUIRE_FALSE(result);
  CHECK(result.error().message == "a:1: not JSON: unexpected end of JSON input");
}

TEST_CASE("scalars mean what kubectl takes them for") {
  struct Row {
    const char *yaml, *json;
  };
  for (const auto& [yaml, json] : std::initializer_list<Row>{
           {"a", R"("a")"},
           {"80", "80"},
           {"-1", "-1"},
           {"+5", "5"},
           {"0x1F", "31"},
           {"0o17", "15"},
           {"017", "15"},
           {"018", "18.0"},
           {"0b11", "3"},
           {"1_000", "1000"},
           {"18446744073709551615", "18446744073709551615"},
           {"-9223372036854775808", "-9223372036854775808"},
           {"1.5", "1.5"},
           {".5", "0.5"},
           {"5.", "5.0"},
           {"1e3", "1000.0"},
           {"-1.5E-2", "-0.015"},
           {"1.2.3", R"("1.2.3")"},
           {"10.0.0.1", R"("10.0.0.1")"},
           {"::1", R"("::1")"},
           {"1:30", R"("1:30")"},
           {"2026-11-23", R"("2026-11-23")"},
           {"2026-11-23T22:30:00Z", R"("2026-11-23T22:30:00Z")"},
           {".inf", R"(".inf")"},
           {".nan", R"(".nan")"},
           {"1e999", R"("1e999")"},
           {"-", "[null]"},
           {"--", R"("--")"},
           {"0x", R"("0x")"},
           {"~", "null"},
           {"null", "null"},
           {"", "null"},
           {"true", "true"},
           {"yes", "true"},
           {"On", "true"},
           {"y", "true"},
           {"False", "false"},
           {"off", "false"},
           {"tRue", R"("tRue")"},
           {"\"80\"", R"("80")"},
           {"'yes'", R"("yes")"},
           {"''", R"("")"},
           {"!!str 80", R"("80")"},
           {"!!int 80", "80"},
           {"|\n  a\n  b\n", R"("a\nb\n")"},
           {"|-\n  80\n", R"("80")"},
           {">\n  a\n  b\n", R"("a b\n")"},
           {"{1: a, true: b, yes: c}", nullptr},
           {"{1: a, true: b, c: }", R"({"1":"a","true":"b","c":null})"},
           {"[a, {b: c}, [d]]", R"(["a",{"b":"c"},["d"]])"},
           {"&a {x: 1}", R"({"x":1})"},
           {"[&a {x: 1}, *a]", R"([{"x":1},{"x":1}])"},
           {"{a: &k k, b: *k}", R"({"a":"k","b":"k"})"},
           {"[&a {x: 1, z: 2}, {<<: *a, x: 3}]", R"([{"x":1,"z":2},{"x":3,"z":2}])"},
           {"[&a {x: 1}, &b {x: 2, z: 3}, {<<: [*a, *b], w: 2}]", R"([{"x":1},{"x":2,"z":3},{"w":2,"x":1,"z":3}])"},
       }) {
    CAPTURE(yaml);
    auto const read = parse_yaml(yaml);
    REQUIRE(read.has_value() == (json != nullptr));
    if (json != nullptr) CHECK(read->dump() == Json::parse(json).dump());
  }
  CHECK(parse_yaml("a: 1\n---\nb: 2\n").error().message == "yaml: line 3: a second document");
  CHECK(parse_yaml("a: [\n").error().message == "yaml: line 2: end of sequence flow not found");
}

TEST_CASE("YAML cannot expand or nest without bound") {
  std::string laughs = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n";
  for (int i = 1; i < 20; ++i) {
    auto const last = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int n = 0; n < 8; ++n) laughs += ", " + last;
    laughs += "]\n";
  }
  CHECK(parse_yaml(laughs).error().message.find("anchors and aliases expand to too much") != std::string::npos);
  std::string merges = "m0: &m0 {a: " + std::string(100000, 'x') + "}\n";
  for (int i = 1; i < 100; ++i) merges += "m" + std::to_string(i) + ": {<<: *m0}\n";
  CHECK(parse_yaml(merges).error().message.find("anchors and aliases expand to too much") != std::string::npos);

  CHECK(parse_yaml(std::string(64, '[') + std::string(64, ']')));
  CHECK_FALSE(parse_yaml(std::string(65, '[') + std::string(65, ']')));
  CHECK_FALSE(parse_yaml(std::string(20000, '[')));
  std::string blocks;
  for (int i = 0; i < 300; ++i) blocks += "- ";
  CHECK_FALSE(parse_yaml(blocks));
}

TEST_CASE("YAML is written as people write it") {
  auto const json = Json::parse(R"({"status":{"loadBalancer":{}},"spec":{"ports":[{"name":"http","port":80},{"port":1}],
    "clusterIP":"10.96.0.1","externalIPs":[],"selector":null},"metadata":{"name":"web","annotations":{"a":"one\ntwo\n",
    "b":"one\n\ntwo","c":"80","d":"true","e":"","f":" x","g":"x: y","h":"2026-11-23T22:30:00Z","i":"tab\t","j":"one\n\n",
    "k":"null","l":"fd00::/8","m":"10.96.0.0/12","n":"-","o":"a #b","p":"it's","q":"1.5","ü":"日"}},"apiVersion":"v1",
    "kind":"Service","addresses":["a","no"],"lists":[[1,[2]],[],{}]})");
  CHECK(to_yaml(json) == R"(apiVersion: v1
kind: Service
metadata:
  annotations:
    a: |
      one
      two
    b: |-
      one

      two
    c: "80"
    d: "true"
    e: ""
    f: " x"
    g: "x: y"
    h: "2026-11-23T22:30:00Z"
    i: "tab\t"
    j: |+
      one

    k: "null"
    l: fd00::/8
    m: 10.96.0.0/12
    "n": "-"
    o: "a #b"
    p: "it's"
    q: "1.5"
    ü: 日
  name: web
spec:
  clusterIP: 10.96.0.1
  externalIPs: []
  ports:
  - name: http
    port: 80
  - port: 1
  selector: null
status:
  loadBalancer: {}
addresses:
- a
- "no"
lists:
- - 1
  - - 2
- []
- {}
)");
  CHECK(to_yaml(Json()) == "null\n");
  CHECK(to_yaml(Json("a\nb")) == "\"a\\nb\"\n");
  CHECK(to_yaml(Json("a\xe2\x80\xae"
                     "b")) == "\"a\\u202eb\"\n");
  CHECK(parse_yaml("\"a\\u202eb\"")->get<std::string>() == "a\xe2\x80\xae"
                                                           "b");
  CHECK(to_yaml(Json::array()) == "[]\n");
  CHECK(to_yaml(Json::object()) == "{}\n");
}

TEST_CASE("what is written as YAML is read back as it was") {
  RandomObject random(4711);
  for (int i = 0; i < 2000; ++i) {
    auto const json = *parse_json(encode(random.any()));
    auto const yaml = to_yaml(json);
    CAPTURE(yaml);
    auto const back = parse_yaml(yaml);
    REQUIRE(back);
    REQUIRE(*back == json);
  }
  static constexpr std::string_view pieces[] = {"a",
                                                "\n",
                                                " ",
                                                "\t",
                                                ":",
                                                "#",
                                                "-",
                                                "\"",
                                                "'",
                                                "\\",
                                                "\r",
                                                "\x7f",
                                                "\xc2\x85",
                                                "\xe2\x80\xa8",
                                                "\xef\xbb\xbf",
                                                "0",
                                                "1",
                                                ".",
                                                "e",
                                                "x",
                                                "_",
                                                "~",
                                                "|",
                                                ">",
                                                "%",
                                                "@",
                                                "&",
                                                "*",
                                                "!",
                                                "{",
                                                "}",
                                                "[",
                                                "]",
                                                ",",
                                                "?",
                                                "=",
                                                "<<",
                                                "no",
                                                "y",
                                                "\n\n",
                                                "\xc2\xa0",
                                                "😀",
                                                "---",
                                                "...",
                                                "\x01"};
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (auto n = random.below(6); n-- > 0;) text += pieces[random.below(std::size(pieces))];
    Json const json{{"key", text}, {"list", {text, {{"in", text}}}}, {text + "k", 1}};
    auto const yaml = to_yaml(json);
    CAPTURE(yaml);
    auto const back = parse_yaml(yaml);
    REQUIRE(back);
    REQUIRE(*back == json);
  }
}

TEST_CASE("mutated manifests never do worse than an error") {
  RandomObject random(99);
  for (int i = 0; i < 2000; ++i) {
    auto text = i % 2 == 0 ? to_yaml(*parse_json(encode(random.any()))) : encode(random.any());
    for (auto n = random.below(4) + 1; n-- > 0;) {
      auto const at = random.below(text.size());
      switch (random.below(4)) {
      case 0: text[at] = static_cast<char>(random.below(256)); break;
      case 1: text.erase(at, random.below(8)); break;
      case 2: text.insert(at, text.substr(random.below(text.size()), random.below(16))); break;
      default: text[at] = "{}[],:\"0-&*!|>'%\n "[random.below(18)]; break;
      }
      if (text.empty()) text = "-";
    }
    auto const read = read_all(text);
    for (const auto& object : read.objects) CHECK(object.is_object());
  }
}

TEST_CASE("files are read, and what cannot be is said") {
  auto const directory = std::filesystem::temp_directory_path() / ("signpost-manifest-" + std::to_string(getpid()));
  std::filesystem::create_directory(directory);
  auto const path = (directory / "web.yaml").string();
  std::ofstream(path) << "kind: Service\napiVersion: v1\nmetadata: {name: a}\n";
  int calls = 0;
  auto const count = [&](Json&&) -> tl::expected<void, ManifestError> {
    ++calls;
    return {};
  };
  CHECK(read_manifest_file(path, count));
  CHECK(calls == 1);
  auto const missing = read_manifest_file(path + "x", count);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message == path + "x: cannot be read: No such file or directory");
  auto const folder = read_manifest_file(directory.string(), count);
  REQUIRE_FALSE(folder);
  CHECK(folder.error().message == directory.string() + ": cannot be read: Is a directory");
  std::filesystem::remove_all(directory);
}

TEST_CASE("a file reads as its text does, wherever the pieces end") {
  auto const directory = std::filesystem::temp_directory_path() / ("signpost-pieces-" + std::to_string(getpid()));
  std::filesystem::create_directory(directory);
  auto const path = (directory / "web").string();
  auto const outcome = [](auto&& read) {
    std::string seen;
    auto const result = read([&](Json&& object) -> tl::expected<void, ManifestError> {
      seen += object.dump() + '\n';
      return {};
    });
    return seen + (result ? "sound" : result.error().message);
  };
  constexpr std::size_t piece = 64 * 1024; // of ManifestText
  std::string const item = R"({"kind":"A","apiVersion":"v1","text":"q\"\u00e4}]","list":[1,-2.5,true,null,{}]})";
  for (std::string const& text : std::initializer_list<std::string>{
           item,
           item + "\n" + item + item + "\n\n",
           "{ \n\t" + item.substr(1),
           R"({"kind":"List","apiVersion":"v1","items":[)" + item + ",\n" + item + "]}" + item,
           R"({"items":[{"x":1},{"x":2}],"kind":"AList","apiVersion":"v1"})",
           item + "\n---\nkind: B\napiVersion: v1\n",
           std::string("  kind: B\n  apiVersion: v1\n---\n{kind: C, apiVersion: v1}\n"),
           item + "\n{\"kind\":\"A\",\n \"apiVersion\" \"v1\"}\n" + item,
           item + "\n{\"kind\":\"A\",\n \"apiVersion\":\"v1\"",
           item + "\n{\"kind\":\"A\"]",
           item + "\n\n{\"kind\":\"A\"}",
           item + "\n---\nkind: [\n",
           std::string("{"),
           std::string("{}"),
           std::string(),
       }) {
    CAPTURE(text);
    for (bool const mark : {false, true}) {
      // The text moves over the end of the first piece, octet by octet; then it stands within the first one.
      for (std::size_t before = piece - text.size() - 4; before <= piece + 1; ++before) {
        if (before == piece + 1) before = 0;
        std::string whole(before, '\n');
        whole = (mark ? "\xef\xbb\xbf" : "") + whole + text;
        std::ofstream(path, std::ios::binary | std::ios::trunc) << whole;
        auto const from_text = outcome([&](auto&& each) { return read_manifest(whole, path, each); });
        auto const from_file = outcome([&](auto&& each) { return read_manifest_file(path, each); });
        REQUIRE(from_file == from_text);
        if (before == 0) break;
      }
    }
  }
  std::filesystem::remove_all(directory);
}

TEST_CASE("a file that is written to while it is read is refused; one that is replaced is not") {
  auto const directory = std::filesystem::temp_directory_path() / ("signpost-written-" + std::to_string(getpid()));
  std::filesystem::create_directory(directory);
  auto const path = (directory / "web.json").string();
  std::string const text = R"({"kind":"A","apiVersion":"v1"})";
  std::ofstream(path) << text;
  auto const replaced = read_manifest_file(path, [&](Json&&) -> tl::expected<void, ManifestError> {
    std::ofstream(path + ".new") << text << text;
    std::filesystem::rename(path + ".new", path);
    return {};
  });
  CHECK(replaced);
  auto const written = read_manifest_file(path, [&](Json&&) -> tl::expected<void, ManifestError> {
    std::ofstream(path, std::ios::app) << '\n';
    return {};
  });
  REQUIRE_FALSE(written);
  CHECK(written.error().message ==
        path + ": was written to while it was read; put the new file in its place by renaming");
  std::filesystem::remove_all(directory);
}

TEST_CASE("what can be read once only is read once") {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  std::string const text = R"({"kind":"A","apiVersion":"v1"})";
  REQUIRE(write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  close(ends[1]);
  int calls = 0;
  CHECK(read_manifest_file("/dev/fd/" + std::to_string(ends[0]), [&](Json&&) -> tl::expected<void, ManifestError> {
    ++calls;
    return {};
  }));
  CHECK(calls == 1);
  close(ends[0]);
}

TEST_CASE("the examples of the tree are objects that decode without unknown fields") {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SIGNPOST_SOURCE_DIR "/deploy/examples")) {
    if (entry.path().extension() != ".yaml") continue;
    auto const read = read_manifest_file(entry.path().string(), [&](Json&& json) -> tl::expected<void, ManifestError> {
      const auto* kind = find_kind(json.at("apiVersion").get<std::string>(), json.at("kind").get<std::string>());
      CAPTURE(json.dump());
      REQUIRE(kind != nullptr);
      DecodeNotes notes;
      CHECK(decode_object(kind->kind, json, &notes));
      CHECK(notes.unknown_fields.empty());
      ++count;
      return {};
    });
    CHECK(read);
  }
  CHECK(count > 0);
}
