// Node (core/v1): its addresses and state; the rest is kept unread.
#pragma once

#include <string>
#include <vector>

#include "discovery/model/object_meta.hpp"
#include "discovery/model/other_members.hpp"
#include "discovery/model/pod.hpp"

namespace signpost::model {

struct NodeSpec {
  std::string pod_cidr;
  std::vector<std::string> pod_cidrs;
  bool unschedulable = false;
  OtherMembers others;
  bool operator==(const NodeSpec&) const = default;
};

struct NodeAddress {
  std::string type; // Hostname, InternalIP, ExternalIP, …
  std::string address;
  bool operator==(const NodeAddress&) const = default;
};

struct NodeStatus {
  std::vector<StatusCondition> conditions;
  std::vector<NodeAddress> addresses;
  OtherMembers others;
  bool operator==(const NodeStatus&) const = default;
};

struct Node {
  ObjectMeta metadata;
  NodeSpec spec;
  NodeStatus status;
  bool operator==(const Node&) const = default;
};

} // namespace signpost::model
