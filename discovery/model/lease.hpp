// Lease (coordination.k8s.io/v1): who holds a role, and until when; what leader election and node heartbeats write.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "discovery/model/object_meta.hpp"

namespace signpost::model {

struct LeaseSpec {
  std::optional<std::string> holder_identity; // "": released
  std::optional<std::int32_t> lease_duration_seconds;
  std::string acquire_time; // RFC 3339 UTC in microseconds ("2026-11-23T22:30:00.000000Z"); empty: unset
  std::string renew_time;
  std::optional<std::int32_t> lease_transitions;
  std::optional<std::string> strategy; // of coordinated election: how the server chooses a holder
  std::optional<std::string> preferred_holder;
  bool operator==(const LeaseSpec&) const = default;
};

struct Lease {
  ObjectMeta metadata;
  LeaseSpec spec;
  bool operator==(const Lease&) const = default;
};

} // namespace signpost::model
