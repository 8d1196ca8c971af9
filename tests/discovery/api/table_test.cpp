// What people see of Pods and Nodes, as kubectl shows what kubelets report.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "discovery/api/pod_cells.hpp"
#include "discovery/api/table.hpp"

using namespace signpost::api;
using nlohmann::json;

namespace {

std::string joined(const std::vector<std::string>& cells) {
  std::string out;
  for (const std::string& cell : cells) out += (out.empty() ? "" : " | ") + cell;
  return out;
}

const std::int64_t now = parse_time("2026-01-02T00:00:00Z");

std::string shown(json status, json spec = json::object(), bool deleted = false) {
  json pod{{"metadata", {{"name", "p"}, {"creationTimestamp", "2026-01-01T00:00:00Z"}}}};
  if (deleted) pod["metadata"]["deletionTimestamp"] = "2026-01-01T23:00:00Z";
  spec["containers"] = {{{"name", "a"}}, {{"name", "b"}}};
  pod["spec"] = std::move(spec);
  pod["status"] = std::move(status);
  return joined(pod_cells(pod, now));
}

json container(json state, bool ready = false, int restarts = 0) {
  return {{"name", "a"}, {"ready", ready}, {"restartCount", restarts}, {"state", std::move(state)}};
}

} // namespace

TEST_CASE("pods are shown by what their containers have come to") {
  const json running{{"running", json::object()}}, done{{"terminated", {{"reason", "Completed"}, {"exitCode", 0}}}};
  const json waiting{{"waiting", {{"reason", "CrashLoopBackOff"}}}};
  const std::string nowhere = " | 24h | <none> | <none> | <none> | <none>";
  CHECK(shown({{"phase", "Pending"}}) == "0/2 | Pending | 0" + nowhere);
  CHECK(shown({{"phase", "Running"},
               {"podIP", "10.1.0.1"},
               {"containerStatuses", {container(running, true, 1), container(running, true, 2)}}},
              {{"nodeName", "n"}}) == "2/2 | Running | 3 | 24h | 10.1.0.1 | n | <none> | <none>");
  json crashed = container(waiting, false, 5);
  crashed["lastState"] = {{"terminated", {{"finishedAt", "2026-01-01T23:55:00Z"}}}};
  CHECK(shown({{"phase", "Running"}, {"containerStatuses", {crashed, container(running, true)}}}) ==
        "1/2 | CrashLoopBackOff | 5 (5m ago)" + nowhere);
  CHECK(shown({{"phase", "Failed"}, {"containerStatuses", {container({{"terminated", {{"exitCode", 3}}}})}}}) ==
        "0/2 | ExitCode:3 | 0" + nowhere);
  CHECK(shown({{"phase", "Failed"}, {"containerStatuses", {container({{"terminated", {{"signal", 9}}}})}}}) ==
        "0/2 | Signal:9 | 0" + nowhere);
  CHECK(shown({{"phase", "Running"}, {"containerStatuses", {container(done), container(running, true)}}}) ==
        "1/2 | NotReady | 0" + nowhere);
  CHECK(shown({{"phase", "Running"},
               {"conditions", {{{"type", "Ready"}, {"status", "True"}}}},
               {"containerStatuses", {container(done), container(running, true)}}}) == "1/2 | Running | 0" + nowhere);
  CHECK(shown({{"phase", "Pending"}, {"initContainerStatuses", {container(done), container(running)}}},
              {{"initContainers", {{{"name", "i"}}, {{"name", "j"}}}}}) == "0/2 | Init:1/2 | 0" + nowhere);
  CHECK(shown({{"phase", "Pending"}, {"initContainerStatuses", {container(waiting, false, 2)}}},
              {{"initContainers", {{{"name", "i"}}}}}) == "0/2 | Init:CrashLoopBackOff | 2" + nowhere);
  CHECK(shown({{"phase", "Failed"}, {"reason", "Evicted"}}) == "0/2 | Evicted | 0" + nowhere);
  CHECK(shown({{"phase", "Running"}}, json::object(), true) == "0/2 | Terminating | 0" + nowhere);
  CHECK(shown({{"phase", "Running"}, {"reason", "NodeLost"}}, json::object(), true) == "0/2 | Unknown | 0" + nowhere);
  CHECK(shown({{"phase", "Succeeded"}}, json::object(), true) == "0/2 | Succeeded | 0" + nowhere);
  CHECK(shown({{"phase", "Running"},
               {"nominatedNodeName", "m"},
               {"conditions", {{{"type", "a"}, {"status", "True"}}, {{"type", "b"}, {"status", "False"}}}}},
              {{"readinessGates", {{{"conditionType", "a"}}, {{"conditionType", "b"}}}}}) ==
        "0/2 | Running | 0 | 24h | <none> | <none> | m | 1/2");
}

TEST_CASE("objects that say nonsense are shown as far as they go") {
  CHECK(joined(pod_cells(json::array(), now)) == "0/0 |  | 0 | <unknown> | <none> | <none> | <none> | <none>");
  CHECK(
      shown({{"phase", 5}, {"podIP", {}}, {"containerStatuses", {7, {{"restartCount", INT64_MAX}}, {{"state", 1}}}}}) ==
      "0/2 |  | 2147483647 | 24h | <none> | <none> | <none> | <none>");
  CHECK(joined(node_cells(json{{"metadata", {{"labels", {{"kubernetes.io/role", 5}}}}}, {"status", 1}}, now)) ==
        "Unknown | <none> | <unknown> |  | <none> | <none> | <unknown> | <unknown> | <unknown>");
}

TEST_CASE("nodes are shown by their conditions, labels and what they run") {
  const json node{
      {"metadata",
       {{"creationTimestamp", "2026-01-01T00:00:00Z"},
        {"labels",
         {{"node-role.kubernetes.io/edge", ""},
          {"node-role.kubernetes.io/worker", ""},
          {"x", "y"},
          {"kubernetes.io/role", "core"}}}}},
      {"spec", {{"unschedulable", true}}},
      {"status",
       {{"conditions", {{{"type", "Ready"}, {"status", "False"}}}},
        {"addresses", {{{"type", "Hostname"}, {"address", "n"}}, {{"type", "InternalIP"}, {"address", "10.0.0.1"}}}},
        {"nodeInfo", {{"kubeletVersion", "v1.35.0"}, {"osImage", "Debian 12"}, {"kernelVersion", "6.1"}}}}}};
  CHECK(joined(node_cells(node, now)) ==
        "NotReady,SchedulingDisabled | core,edge,worker | 24h | v1.35.0 | 10.0.0.1 | <none> "
        "| Debian 12 | 6.1 | <unknown>");
}
