// What makes the command line easy: suggestions, help, -v, time-outs, folders, dry runs, orders and shapes of output.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/client/cli/command_line.hpp"
#include "tests/client/http_responder.hpp"

using nlohmann::json;
using testing::HttpAnswer;
using testing::HttpAsked;
using testing::HttpResponder;
using testing::run;

namespace {

json service(const std::string& name, const std::string& address, json labels = json::object()) {
  return {{"apiVersion", "v1"},
          {"kind", "Service"},
          {"metadata", {{"name", name}, {"namespace", "default"}, {"resourceVersion", "5"}, {"labels", labels}}},
          {"spec", {{"clusterIP", address}}}};
}

const std::vector<json>& services() {
  static const std::vector<json> all{service("web", "10.96.0.9", {{"app", "web"}, {"tier", "front"}}),
                                     service("db", "10.96.0.10")};
  return all;
}

HttpAnswer list(const HttpAsked& asked) {
  if (asked.head.find("as=Table") == std::string::npos)
    return {.body =
                json{{"kind", "ServiceList"}, {"metadata", {{"resourceVersion", "9"}}}, {"items", services()}}.dump()};
  json rows = json::array();
  for (const json& one : services())
    rows.push_back({{"cells", {one["metadata"]["name"], one["spec"]["clusterIP"]}}, {"object", one}});
  return {.body = json{
              {"kind", "Table"},
              {"metadata", {{"resourceVersion", "9"}}},
              {"columnDefinitions", {{{"name", "Name"}}, {{"name", "IP"}}}},
              {"rows",
               rows}}.dump()};
}

// A folder with files, gone at the end.
class Folder {
public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("signpost-cli." + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_ / "inner");
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path_ / name) << text; }
  [[nodiscard]] std::string path(const std::string& name = "") const { return (path_ / name).string(); }

private:
  std::filesystem::path path_;
};

} // namespace

TEST_CASE("mistyped words get a suggestion") {
  CHECK(run({"gte", "svc"}).err == "signpost: there is no command \"gte\"; did you mean get?; see signpost --help\n");
  CHECK(run({"get", "servces"}).err == "signpost: there is no kind \"servces\"; did you mean services?\n");
  CHECK(run({"get", "SVCS"}).err.find("did you mean svc?") != std::string::npos);
  CHECK(run({"get", "svc", "--selectr", "a"}).err ==
        "signpost: there is no option --selectr; did you mean --selector?; see signpost get --help\n");
  CHECK(run({"get", "svc", "--namespaec=x"}).err.find("did you mean --namespace?") != std::string::npos);
  const auto far = run({"get", "quux"});
  CHECK(far.err.find("the kinds are namespaces (ns)") != std::string::npos);
  CHECK(far.code == 2);
}

TEST_CASE("help is a command, too") {
  CHECK(run({"help"}).out == run({"--help"}).out);
  CHECK(run({"help", "get"}).out.find("signpost get services") != std::string::npos);
  const auto unknown = run({"help", "gett"});
  CHECK(unknown.code == 2);
  CHECK(unknown.err.find("did you mean get?") != std::string::npos);
}

TEST_CASE("-v shows requests") {
  HttpResponder server(list);
  const auto ran = run({"get", "svc", "-v", "--server", server.url()});
  CHECK(ran.err.starts_with("GET /api/v1/namespaces/default/services?limit=500  200  "));
  CHECK(run({"get", "svc", "--server", server.url()}).err.empty());
}

TEST_CASE("a request has the time that was given") {
  HttpResponder server(list);
  CHECK(run({"get", "svc", "--request-timeout", "5s", "--server", server.url()}).code == 0);
  CHECK(run({"get", "svc", "--request-timeout", "0", "--server", server.url()}).code == 0);
  for (const char* wrong : {"5x", "", "s", "-1s"})
    CHECK(run({"get", "svc", std::string("--request-timeout=") + wrong, "--server", server.url()}).code == 2);
  const auto silent = [](const HttpAsked&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    return HttpAnswer{.body = "{}"};
  };
  HttpResponder slow(silent);
  const auto late = run({"get", "svc", "--request-timeout", "50ms", "--server", slow.url()});
  CHECK(late.code == 4);
  CHECK(late.err.find("did not answer in time") != std::string::npos);
}

TEST_CASE("orders, labels, columns and templates") {
  HttpResponder server(list);
  const auto get = [&](std::vector<std::string> more) {
    std::vector<std::string> words{"get", "svc", "--server", server.url()};
    words.insert(words.end(), more.begin(), more.end());
    return run(words).out;
  };
  CHECK(get({"--show-labels"}) == "NAME   IP           LABELS\n"
                                  "web    10.96.0.9    app=web,tier=front\n"
                                  "db     10.96.0.10   <none>\n");
  CHECK(get({"--sort-by", ".metadata.name", "--no-headers"}) == "db    10.96.0.10\nweb   10.96.0.9\n");
  CHECK(server.asked().back().target.find("includeObject=Object") != std::string::npos);
  CHECK(get({"--sort-by", "{.metadata.name}", "-o", "name"}) == "service/db\nservice/web\n");
  CHECK(get({"-o", "jsonpath={.items[*].spec.clusterIP}"}) == "10.96.0.9 10.96.0.10");
  CHECK(get({"-o", "custom-columns=N:.metadata.name,A:.metadata.labels.app", "--sort-by", ".metadata.name"}) ==
        "N     A\ndb    <none>\nweb   web\n");
  CHECK(run({"get", "svc", "-o", "jsonpath={.a", "--server", server.url()}).code == 2);
  CHECK(run({"get", "svc", "-o", "xml", "--server", server.url()}).code == 2);
  CHECK(run({"watch", "svc", "--sort-by", ".x", "--server", server.url()}).code == 2);
}

TEST_CASE("names say their kind where kinds are mixed") {
  HttpResponder server(list);
  CHECK(run({"get", "svc,endpointslices", "--no-headers", "--server", server.url()}).out ==
        "service/web   10.96.0.9\nservice/db    10.96.0.10\n\n"
        "endpointslice.discovery.k8s.io/web   10.96.0.9\nendpointslice.discovery.k8s.io/db    10.96.0.10\n");
}

TEST_CASE("a watch of what is not there says that it waits") {
  HttpResponder server([](const HttpAsked& asked) {
    if (asked.target.find("watch=true") != std::string::npos)
      return HttpAnswer{.chunks = {json{{"type", "ADDED"}, {"object", service("late", "10.96.0.7")}}.dump() + "\n"}};
    return HttpAnswer{.body = R"({"kind":"ServiceList","metadata":{"resourceVersion":"3"},"items":[]})"};
  });
  const auto ran = run({"watch", "svc", "late", "-o", "name", "--count", "1", "--server", server.url()});
  CHECK(ran.out == "ADDED service/late\n");
  CHECK(ran.err == "signpost: service/late is not there; waiting until it is\n");
}

TEST_CASE("files come from folders and URLs") {
  HttpResponder server([](const HttpAsked& asked) {
    if (asked.is("GET", "/manifests/web.json")) return HttpAnswer{.body = service("far", "10.96.0.8").dump()};
    if (asked.method == "GET") return HttpAnswer{.status = 404, .body = testing::status(404, "NotFound", "none")};
    return HttpAnswer{.status = 201, .body = asked.body};
  });
  const Folder folder;
  folder.write("b.yaml", service("b", "").dump());
  folder.write("a.json", service("a", "").dump());
  folder.write("notes.txt", "no manifest");
  folder.write("inner/c.yml", service("c", "").dump());
  const auto apply = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"apply", "--server", server.url()});
    return run(words);
  };
  CHECK(apply({"-f", folder.path()}).out == "service/a created\nservice/b created\n");
  CHECK(apply({"-R", "-f", folder.path()}).out == "service/a created\nservice/b created\nservice/c created\n");
  CHECK(apply({"-f", server.url() + "/manifests/web.json"}).out == "service/far created\n");
  const auto none = apply({"-f", server.url() + "/nowhere.yaml"});
  CHECK(none.code == 1);
  CHECK(none.err.find("HTTP status 404") != std::string::npos);
  std::filesystem::create_directories(folder.path("empty"));
  CHECK(apply({"-f", folder.path("empty")}).err.find("holds no .yaml, .yml or .json file") != std::string::npos);
}

TEST_CASE("dry runs: the server checks, or nothing is sent") {
  HttpResponder server([](const HttpAsked& asked) {
    if (asked.method == "GET") return HttpAnswer{.status = 404, .body = testing::status(404, "NotFound", "none")};
    return HttpAnswer{.status = 201, .body = asked.body};
  });
  const auto apply = [&](const std::string& way) {
    return run({"apply", "-f", "-", way, "--server", server.url()}, service("web", "").dump()).out;
  };
  CHECK(apply("--dry-run") == "service/web created (dry run)\n");
  CHECK(server.asked().back().target.find("dryRun=All") != std::string::npos);
  CHECK(apply("--dry-run=server") == "service/web created (dry run)\n");
  const auto before = server.asked().size();
  CHECK(apply("--dry-run=client") == "service/web created (client dry run)\n");
  CHECK(server.asked().size() == before + 1);
  CHECK(server.asked().back().method == "GET");
  CHECK(apply("--dry-run=none") == "service/web created\n");
  CHECK(server.asked().back().target.find("dryRun") == std::string::npos);
  CHECK(run({"apply", "-f", "-", "--dry-run=perhaps", "--server", server.url()}, "{}").code == 2);
  CHECK(run({"delete", "svc", "web", "--dry-run=client", "--server", server.url()}).code == 3);
}

TEST_CASE("output that cannot be written is an error") {
  std::istringstream in;
  std::ostringstream err;
  std::ofstream full("/dev/full");
  CHECK(signpost::cli::run({"--help"}, in, full, err) == 1);
  CHECK(err.str() == "signpost: the output could not be written; is the disk full, or has its reader ended?\n");
}
