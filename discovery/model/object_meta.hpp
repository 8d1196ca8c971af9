// What every stored object carries: its names, labels and life cycle (Kubernetes ObjectMeta, the fields we keep).
//
// managedFields are read over and not kept (only server-side apply needs them). Times are RFC 3339 UTC text in whole
// seconds, as on the wire; empty means unset. Plain data; no thread rules.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace signpost::model {

struct OwnerReference {
  std::string api_version;
  std::string kind;
  std::string name;
  std::string uid;
  std::optional<bool> controller;
  std::optional<bool> block_owner_deletion;
  bool operator==(const OwnerReference&) const = default;
};

struct ObjectMeta {
  std::string name;
  std::string generate_name;
  std::string name_space; // "namespace" on the wire; empty: cluster-scoped
  std::string uid;
  std::string resource_version; // decimal registry revision; empty: unset. Not stored, put in when an object is sent
  std::int64_t generation = 0;  // 0: unset
  std::string creation_timestamp;
  std::string deletion_timestamp;
  std::optional<std::int64_t> deletion_grace_period_seconds;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::vector<OwnerReference> owner_references;
  std::vector<std::string> finalizers;
  bool operator==(const ObjectMeta&) const = default;
};

/// Field metav1.ObjectReference uses, as in an endpoint's targetRef.
struct ObjectReference {
  std::string kind;
  std::string name_space;
  std::string name;
  std::string uid;
  std::string api_version;
  std::string resource_version;
  std::string field_path;
  bool operator==(const ObjectReference&) const = default;
};

/// metav1.Condition.
struct Condition {
  std::string type;
  std::string status;
  std::int64_t observed_generation = 0;
  std::string last_transition_time;
  std::string reason;
  std::string message;
  bool operator==(const Condition&) const = default;
};

} // namespace signpost::model
