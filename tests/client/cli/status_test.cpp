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

json page() {
  return {{"version", "0.1.0"},
          {"started", "2026-01-01T00:00:00Z"},
          {"uptimeSeconds", 93784},
          {"ready", true},
          {"zones", {"cluster.local"}},
          {"dns", {"127.0.0.1:53", "[::1]:53"}},
          {"api", {"http://127.0.0.1:8080"}},
          {"sources", {{{"kind", "registry"}, {"data", "/var/lib/signpost"}}}},
          {"services", 3},
          {"revision", 42},
          {"questions", 7},
          {"dropped", 1},
          {"cache", {{"entries", 2}, {"bytes", 512}, {"hits", 5}, {"misses", 6}}},
          {"upstreams", {{{"address", "192.0.2.53:53"}}}},
          {"forwarding", {{"tries", 6}, {"timeouts", 1}, {"failures", 0}}},
          {"log", {{"warnings", 1}, {"errors", 0}, {"dropped", 0}, {"last", "dns: one\x1b[31m"}}}};
}

json slices() {
  const auto endpoint = [](json conditions) { return json{{"addresses", {"10.1.0.1"}}, {"conditions", conditions}}; };
  return {{"kind", "EndpointSliceList"},
          {"metadata", {{"resourceVersion", "9"}}},
          {"items",
           {{{"endpoints", {endpoint({{"ready", true}}), endpoint({{"ready", false}}), endpoint(json::object())}}},
            {{"endpoints", nullptr}}}}};
}

} // namespace

TEST_CASE("status shows the server's page and counts endpoints") {
  HttpResponder server([](const HttpAsked& asked) {
    return HttpAnswer{.body = (asked.target == "/status" ? page() : slices()).dump()};
  });
  const auto ran = run({"status", "--server", server.url()});
  CHECK(ran.err.empty());
  CHECK(ran.code == 0);
  CHECK(ran.out == "Version:    0.1.0\n"
                   "Up:         1d2h, since 2026-01-01T00:00:00Z\n"
                   "State:      ready\n"
                   "Zones:      cluster.local\n"
                   "DNS:        127.0.0.1:53, [::1]:53\n"
                   "API:        http://127.0.0.1:8080\n"
                   "Source:     registry, /var/lib/signpost\n"
                   "Services:   3\n"
                   "Endpoints:  2 ready, 1 not ready\n"
                   "Revision:   42\n"
                   "Questions:  7, 1 dropped\n"
                   "Cache:      2 entries, 512 bytes, 5 hits, 6 misses\n"
                   "Upstreams:  192.0.2.53:53\n"
                   "Forwarded:  6 tries, 1 timed out, 0 questions failed\n"
                   "Log:        1 warnings, 0 errors, 0 lines dropped\n"
                   "Last:       dns: one?[31m\n");
  const auto whole = json::parse(run({"status", "-o", "json", "--server", server.url()}).out);
  CHECK(whole["endpoints"] == json{{"ready", 2}, {"notReady", 1}});
}

TEST_CASE("a server that is not ready, odd, or none of ours") {
  json odd = {{"ready", false}, {"zones", 7}, {"sources", {1, "x"}}, {"upstreams", {{"a", 1}}}};
  HttpResponder server([&](const HttpAsked& asked) {
    return HttpAnswer{.body = asked.target == "/status" ? odd.dump() : R"({"items":[1,{"endpoints":[2]}]})"};
  });
  const auto ran = run({"status", "--server", server.url()});
  CHECK(ran.code == 4);
  CHECK(ran.out.find("State:      not ready\n") != std::string::npos);

  HttpResponder other([](const HttpAsked&) { return HttpAnswer{.status = 404, .body = "404"}; });
  const auto refused = run({"status", "--server", other.url()});
  CHECK(refused.code == 1);
  CHECK(refused.err == "signpost: the server has no status page; is the URL that of a signpostd API?\n");
}
