// The order of a list that a strategic merge patch has merged, on the items' keys alone: what
// k8s.io/apimachinery/pkg/util/strategicpatch does in normalizeElementOrder.
//
// Keys need not be unique (a Service has its port 53 twice, a Node two InternalIPs): every item keeps a place of its
// own, those of one key stay together in the order in which they came. Pure; n log n.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace signpost::api {

/// Where each key is first. The keys must outlive it.
class FirstPositions {
public:
  FirstPositions() = default;
  explicit FirstPositions(std::span<const std::string> keys);

  [[nodiscard]] std::optional<std::size_t> find(std::string_view key) const;
  /// Keeps the position it has, if any.
  void insert(std::string_view key, std::size_t position) { positions_.emplace(key, position); }

private:
  std::unordered_map<std::string_view, std::size_t> positions_;
};

/// Positions in `merged` in their final order: what `order` names, as it has it, woven into the rest, which stays as
/// `server` had it; an item of the rest goes first where `server` says so, else the one that is named.
[[nodiscard]] std::vector<std::size_t> weave(std::span<const std::string> merged, std::span<const std::string> order,
                                             std::span<const std::string> server);

} // namespace signpost::api
