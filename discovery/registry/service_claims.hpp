// Which addresses and ports a service takes and gives back with one write.
//
// The plan chooses what the client left open, fills it into the service, and says what the transaction must claim
// (under the condition that it is free) and release. What was chosen stays held until the plan ends.
// Threads: any; a plan belongs to one write.
#pragma once

#include "discovery/model/service.hpp"
#include "discovery/registry/claims.hpp"

namespace signpost::registry {

struct Taking {
  std::string key;
  store::Value value;
  std::optional<Cause> cause; // what to say when it is taken; none: we chose it, so another one will do
};

struct ClaimPlan {
  ServiceRanges ranges; // that addresses are taken from; before `addresses`, which are held of them
  std::vector<Taking> takings;
  std::vector<std::string> releases; // keys
  std::vector<vip::HeldAddress> addresses;
  std::vector<vip::HeldPort> ports;

  /// The claims are in the store.
  void commit();
};

/// `current`: what is stored; nullptr for a create. The service has its defaults and families. A dry run holds and
/// claims nothing and fills in placeholders.
[[nodiscard]] tl::expected<ClaimPlan, Status> plan_claims(Claims& claims, model::Service& service,
                                                          const model::Service* current, bool dry_run);

/// The claims that go with the service when it is deleted.
void append_claims(const model::Service& service, std::vector<std::string>& keys);

/// The answer when a pool has nothing left, "failed to allocate a serviceIP: range is full".
[[nodiscard]] bool is_range_full(const Status& status);

} // namespace signpost::registry
