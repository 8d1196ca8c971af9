#include "discovery/api/pod_cells.hpp"

#include <algorithm>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <set>

#include "discovery/api/table.hpp"

namespace signpost::api {
namespace {

using Json = nlohmann::json;
using Path = std::initializer_list<const char*>;

/// null where there is nothing. Objects may hold anything there: nobody has judged it.
const Json& at(const Json& json, Path path) {
  static const Json nothing;
  const Json* place = &json;
  for (const char* name : path) {
    if (!place->is_object()) return nothing;
    const auto found = place->find(name);
    if (found == place->end()) return nothing;
    place = &*found;
  }
  return *place;
}

std::string text(const Json& json, Path path, std::string_view otherwise = {}) {
  const auto* const found = at(json, path).get_ptr<const std::string*>();
  return found == nullptr || found->empty() ? std::string(otherwise) : *found;
}

std::int64_t number(const Json& json, Path path) {
  const Json& found = at(json, path);
  return found.is_number_integer() ? std::clamp<std::int64_t>(found.get<std::int64_t>(), INT32_MIN, INT32_MAX) : 0;
}

bool is_true(const Json& json, Path path) {
  const Json& found = at(json, path);
  return found.is_boolean() && found.get<bool>();
}

const Json& list(const Json& json, Path path) {
  static const Json nothing = Json::array();
  const Json& found = at(json, path);
  return found.is_array() ? found : nothing;
}

/// Of the condition of that type; empty: there is none.
std::string condition(const Json& object, std::string_view type, const char* member = "status") {
  for (const Json& one : list(object, {"status", "conditions"}))
    if (text(one, {"type"}) == type) return text(one, {member});
  return {};
}

std::string age(const Json& object, std::int64_t now) {
  return human_age(text(object, {"metadata", "creationTimestamp"}), now);
}

/// Why a container does not run; empty: nothing is said.
std::string reason_of(const Json& container) {
  if (std::string reason = text(container, {"state", "waiting", "reason"}); !reason.empty()) return reason;
  const Json& ended = at(container, {"state", "terminated"});
  if (!ended.is_object()) return {};
  if (std::string reason = text(ended, {"reason"}); !reason.empty()) return reason;
  if (const std::int64_t signal = number(ended, {"signal"}); signal != 0) return fmt::format("Signal:{}", signal);
  return fmt::format("ExitCode:{}", number(ended, {"exitCode"}));
}

/// What containers have come to.
struct Progress {
  std::string reason;
  std::int64_t ready = 0, restarts = 0, last_restart = -1; // seconds since 1970; -1: none
};

void count_restarts(const Json& container, Progress& progress) {
  progress.restarts += number(container, {"restartCount"});
  progress.last_restart =
      std::max(progress.last_restart, parse_time(text(container, {"lastState", "terminated", "finishedAt"})));
}

/// Goes through the init containers; true: the pod is not through with them.
bool is_initializing(const Json& pod, Progress& progress) {
  const std::size_t all = list(pod, {"spec", "initContainers"}).size();
  std::size_t done = 0;
  for (const Json& container : list(pod, {"status", "initContainerStatuses"})) {
    count_restarts(container, progress);
    const Json& ended = at(container, {"state", "terminated"});
    if ((ended.is_object() && number(ended, {"exitCode"}) == 0) || is_true(container, {"started"})) {
      ++done;
      continue;
    }
    const std::string reason = reason_of(container);
    progress.reason =
        reason.empty() || reason == "PodInitializing" ? fmt::format("Init:{}/{}", done, all) : "Init:" + reason;
    return true;
  }
  return false;
}

Progress progress_of(const Json& pod) {
  Progress progress;
  progress.reason = text(pod, {"status", "reason"}, text(pod, {"status", "phase"}));
  if (condition(pod, "PodScheduled", "reason") == "SchedulingGated") progress.reason = "SchedulingGated";
  if (is_initializing(pod, progress) && condition(pod, "Initialized") != "True") return progress;
  progress.restarts = 0;
  progress.last_restart = -1;
  bool running = false;
  const Json& containers = list(pod, {"status", "containerStatuses"});
  for (auto container = containers.rbegin(); container != containers.rend(); ++container) {
    count_restarts(*container, progress);
    if (std::string reason = reason_of(*container); !reason.empty()) {
      progress.reason = std::move(reason);
    } else if (is_true(*container, {"ready"})) {
      ++progress.ready;
      running = true;
    }
  }
  if (progress.reason == "Completed" && running)
    progress.reason = condition(pod, "Ready") == "True" ? "Running" : "NotReady";
  return progress;
}

std::string status_of(const Json& pod, std::string reason) {
  const std::string phase = text(pod, {"status", "phase"});
  if (text(pod, {"metadata", "deletionTimestamp"}).empty()) return reason;
  if (text(pod, {"status", "reason"}) == "NodeLost") return "Unknown";
  return phase == "Succeeded" || phase == "Failed" ? reason : "Terminating";
}

std::string readiness_gates(const Json& pod) {
  const Json& gates = list(pod, {"spec", "readinessGates"});
  if (gates.empty()) return "<none>";
  const auto open = std::count_if(gates.begin(), gates.end(), [&](const Json& gate) {
    return condition(pod, text(gate, {"conditionType"})) == "True";
  });
  return fmt::format("{}/{}", open, gates.size());
}

std::string roles_of(const Json& node) {
  constexpr std::string_view prefix = "node-role.kubernetes.io/";
  std::set<std::string> roles;
  const Json& labels = at(node, {"metadata", "labels"});
  for (const auto& [label, value] : labels.items()) {
    std::string role;
    if (label.starts_with(prefix)) role = label.substr(prefix.size());
    if (label == "kubernetes.io/role" && value.is_string()) role = value.get<std::string>();
    if (!role.empty()) roles.insert(std::move(role));
  }
  return roles.empty() ? "<none>" : fmt::format("{}", fmt::join(roles, ","));
}

std::string address_of(const Json& node, std::string_view type) {
  for (const Json& address : list(node, {"status", "addresses"}))
    if (text(address, {"type"}) == type) return text(address, {"address"});
  return "<none>";
}

} // namespace

std::vector<std::string> pod_cells(const Json& pod, std::int64_t now) {
  const Progress progress = progress_of(pod);
  std::string restarts = std::to_string(progress.restarts);
  if (progress.restarts != 0 && progress.last_restart >= 0)
    restarts += fmt::format(" ({} ago)", human_duration(std::max<std::int64_t>(0, now - progress.last_restart)));
  return {fmt::format("{}/{}", progress.ready, list(pod, {"spec", "containers"}).size()),
          status_of(pod, progress.reason),
          restarts,
          age(pod, now),
          text(pod, {"status", "podIP"}, "<none>"),
          text(pod, {"spec", "nodeName"}, "<none>"),
          text(pod, {"status", "nominatedNodeName"}, "<none>"),
          readiness_gates(pod)};
}

std::vector<std::string> node_cells(const Json& node, std::int64_t now) {
  const std::string ready = condition(node, "Ready");
  std::string status = ready.empty() ? "Unknown" : ready == "True" ? "Ready" : "NotReady";
  if (is_true(node, {"spec", "unschedulable"})) status += ",SchedulingDisabled";
  return {status,
          roles_of(node),
          age(node, now),
          text(node, {"status", "nodeInfo", "kubeletVersion"}),
          address_of(node, "InternalIP"),
          address_of(node, "ExternalIP"),
          text(node, {"status", "nodeInfo", "osImage"}, "<unknown>"),
          text(node, {"status", "nodeInfo", "kernelVersion"}, "<unknown>"),
          text(node, {"status", "nodeInfo", "containerRuntimeVersion"}, "<unknown>")};
}

} // namespace signpost::api
