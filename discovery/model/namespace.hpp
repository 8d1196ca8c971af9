// A Namespace (core/v1). Plain data.
#pragma once

#include <string>
#include <vector>

#include "discovery/model/object_meta.hpp"

namespace signpost::model {

struct NamespaceSpec {
  std::vector<std::string> finalizers;
  bool operator==(const NamespaceSpec&) const = default;
};

struct NamespaceStatus {
  std::string phase; // Active, Terminating
  std::vector<Condition> conditions;
  bool operator==(const NamespaceStatus&) const = default;
};

struct Namespace {
  ObjectMeta metadata;
  NamespaceSpec spec;
  NamespaceStatus status;
  bool operator==(const Namespace&) const = default;
};

} // namespace signpost::model
