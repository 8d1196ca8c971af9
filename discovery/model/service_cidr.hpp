// ServiceCIDR and IPAddress (networking.k8s.io/v1): the VIP prefixes and the claimed addresses as the API shows them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "discovery/model/object_meta.hpp"

namespace signpost::model {

struct ServiceCidrSpec {
  std::vector<std::string> cidrs; // one, or two of different families
  bool operator==(const ServiceCidrSpec&) const = default;
};

struct ServiceCidrStatus {
  std::vector<Condition> conditions;
  bool operator==(const ServiceCidrStatus&) const = default;
};

struct ServiceCidr {
  ObjectMeta metadata;
  ServiceCidrSpec spec;
  ServiceCidrStatus status;
  bool operator==(const ServiceCidr&) const = default;
};

struct ParentReference {
  std::string group;
  std::string resource;
  std::string name_space;
  std::string name;
  bool operator==(const ParentReference&) const = default;
};

struct IpAddressSpec {
  std::optional<ParentReference> parent_ref;
  bool operator==(const IpAddressSpec&) const = default;
};

struct IpAddress {
  ObjectMeta metadata; // the name is the canonical address
  IpAddressSpec spec;
  bool operator==(const IpAddress&) const = default;
};

} // namespace signpost::model
