// By what key a strategic merge patch matches the items of a list: the patchMergeKey tags of k8s.io/api.
#pragma once

#include <span>
#include <string_view>

#include "discovery/model/kind.hpp"

namespace signpost::api {

/// How a list is patched. Lists that are not in the table are replaced whole.
struct ListRule {
  std::string_view path; // member names from the object's top
  std::string_view key;  // merge key of its items, not always unique; empty: a set of primitive values
};

/// The lists of one kind.
class MergeKeys {
public:
  explicit MergeKeys(model::Kind kind);

  /// nullptr: no such list.
  [[nodiscard]] const ListRule* find(std::string_view path) const;
  /// Whether member `key` of what is at `path` is such a list, or one is below it.
  [[nodiscard]] bool leads_on(std::string_view path, std::string_view key) const;

private:
  std::span<const ListRule> rules_;
};

} // namespace signpost::api
