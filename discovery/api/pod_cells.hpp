// What people see of Pods and Nodes in a Table: what kubelets report, read from the objects as they are (most of it is
// nothing that discovery looks into). Pure; `now` is seconds since 1970.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace signpost::api {

/// Behind the name: ready, status, restarts, age, and of a wide table IP, node, nominated node, readiness gates.
[[nodiscard]] std::vector<std::string> pod_cells(const nlohmann::json& pod, std::int64_t now);
/// Behind the name: status, roles, age, version, and of a wide table its addresses and what it runs.
[[nodiscard]] std::vector<std::string> node_cells(const nlohmann::json& node, std::int64_t now);

} // namespace signpost::api
