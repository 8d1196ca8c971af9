#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include "tests/client/cli/command_line.hpp"
#include "tests/client/http_responder.hpp"

using nlohmann::json;
using testing::HttpAnswer;
using testing::HttpAsked;
using testing::run;

namespace {

const std::string program = SIGNPOST_PROGRAM;

// Runs a shell command; output and exit code.
std::pair<std::string, int> shell(const std::string& command) {
  std::string out;
  FILE* const pipe = popen(command.c_str(), "r");
  std::array<char, 4096> buffer;
  for (std::size_t got; (got = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) out.append(buffer.data(), got);
  const int status = pclose(pipe);
  return {out, WIFEXITED(status) ? WEXITSTATUS(status) : -1};
}

json service(const char* name_space, const char* name, const char* ip, int port) {
  return {{"apiVersion", "v1"},
          {"kind", "Service"},
          {"metadata", {{"name", name}, {"namespace", name_space}}},
          {"spec", {{"clusterIP", ip}, {"ports", {{{"port", port}}}}}}};
}

HttpAnswer registry(const HttpAsked& asked) {
  json items = json::array();
  if (asked.is("GET", "/api/v1/namespaces/default/services"))
    items = {service("default", "kubernetes", "10.96.0.1", 443), service("default", "other", "10.96.0.9", 9)};
  if (asked.is("GET", "/api/v1/namespaces/shop/services"))
    items = {service("shop", "web-front", "10.96.0.5", 80), service("shop", "db", "None", 5432)};
  return {.body = json{{"kind", "ServiceList"}, {"metadata", {{"resourceVersion", "3"}}}, {"items", items}}.dump()};
}

const std::string list_yaml = R"(apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {clusterIP: 10.96.0.5, ports: [{port: 80}]}}
- {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
- {apiVersion: v1, kind: Service, metadata: {name: api, namespace: shop}, spec: {clusterIP: 10.96.0.6, ports: [{port: 81}]}}
)";

struct File {
  std::string path = std::filesystem::temp_directory_path() / ("signpost-env-" + std::to_string(getpid()) + ".yaml");
  explicit File(const std::string& text) { std::ofstream(path) << text; }
  ~File() { std::filesystem::remove(path); }
};

} // namespace

TEST_CASE("env asks the API for the own and the master namespace") {
  testing::HttpResponder server(registry);
  auto ran = run({"--server", server.url(), "env", "--namespace", "shop", "--no-docker-links"});
  CHECK(ran.code == 0);
  CHECK(ran.out == "KUBERNETES_SERVICE_HOST=10.96.0.1\nKUBERNETES_SERVICE_PORT=443\n"
                   "WEB_FRONT_SERVICE_HOST=10.96.0.5\nWEB_FRONT_SERVICE_PORT=80\n");
  ran = run({"--server", server.url(), "env", "--namespace", "shop", "--no-docker-links", "--no-service-links", "--set",
             "LEVEL=info"});
  CHECK(ran.out == "LEVEL=info\nKUBERNETES_SERVICE_HOST=10.96.0.1\nKUBERNETES_SERVICE_PORT=443\n");
  ran = run({"--server", server.url(), "env", "-n", "shop", "--service", "web*", "--no-docker-links"});
  CHECK(ran.out == "WEB_FRONT_SERVICE_HOST=10.96.0.5\nWEB_FRONT_SERVICE_PORT=80\n");
  ran = run({"--server", server.url(), "env", "-n", "shop", "--prefix", "WEB_FRONT_PORT_80_TCP_P"});
  CHECK(ran.out == "WEB_FRONT_PORT_80_TCP_PROTO=tcp\nWEB_FRONT_PORT_80_TCP_PORT=80\n");
}

TEST_CASE("env reads files in their order and prints its forms") {
  const File file(list_yaml);
  auto ran = run({"env", "--namespace", "shop", "--file", file.path, "--no-docker-links", "--format", "json"});
  CHECK(ran.code == 0);
  CHECK(json::parse(ran.out)[0] == json{{"name", "WEB_SERVICE_HOST"}, {"value", "10.96.0.5"}});
  CHECK(json::parse(ran.out)[2]["name"] == "API_SERVICE_HOST");
  ran = run({"env", "-n", "shop", "--file", "-", "--no-docker-links", "--format", "export", "--set", "A=it's"},
            list_yaml);
  CHECK(ran.out.starts_with("export A='it'\\''s'\n"));
  CHECK(run({"env", "--file", "/nonexistent"}).code == 3);
  CHECK(run({"env", "--file", file.path, "--set", "novalue"}).code == 2);
  CHECK(run({"env", "--file", file.path, "--format", "xml"}).code == 2);
  CHECK(run({"env", "--file", file.path, "--generation", "v9"}).code == 2);
}

TEST_CASE("exec gives a program its variables and its own exit code") {
  const File file(list_yaml);
  const std::string start = "WEB_SERVICE_HOST=old KEPT=yes " + program + " exec --namespace shop --file " + file.path;
  auto [out, code] =
      shell(start + " --set OWN=1 -- sh -c 'echo $WEB_SERVICE_HOST $API_SERVICE_PORT $OWN $KEPT; exit 42'");
  CHECK(out == "10.96.0.5 81 1 yes\n");
  CHECK(code == 42);
  // Options behind -- belong to the program.
  CHECK(shell(start + " -- echo -n shop --namespace x").first == "shop --namespace x");
  CHECK(shell(start + " -- /nonexistent/program 2>/dev/null").second == 127);
  CHECK(shell(start + " -- /etc/passwd 2>/dev/null").second == 126);
  CHECK(shell(start + " 2>/dev/null").second == 2);
  CHECK(shell(program + " exec --file /nonexistent -- true 2>/dev/null").second == 3);
}

TEST_CASE("an environment that is too large is refused with the remedy") {
  std::string many = R"({"apiVersion":"v1","kind":"List","items":[)";
  for (int i = 0; i < 15'000; ++i)
    many += (i == 0 ? "" : ",") +
            service("shop", ("service-with-a-long-name-" + std::to_string(i)).c_str(), "10.96.0.5", 80).dump();
  const File file(many + "]}");
  const auto [out, code] = shell(program + " exec -n shop --file " + file.path + " -- true 2>&1");
  CHECK(code == 126);
  CHECK(out.find("--no-service-links") != std::string::npos);
}
