// The garbage collector: what names owners (metadata.ownerReferences) goes when the last of them is gone.
//
//   Background (the default)  the owner goes, then what it owns
//   Foreground                the owner waits, held by a finalizer, until what blocks its deletion is gone
//   Orphan                    the owner waits until nothing names it any more; what it owned stays
//
// An owner is who has the reference's kind, name and uid. Owners of kinds that are not kept here (a ReplicaSet) count
// as there: nobody could say otherwise.
//
// Threads: one of its own, which waits for its writes. Several daemons on one store may do the same at once.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "discovery/registry/registry.hpp"

namespace signpost::garbage {

class GarbageCollector {
public:
  /// Both outlive it.
  GarbageCollector(store::Store& store, registry::Registry& registry);
  ~GarbageCollector();
  GarbageCollector(const GarbageCollector&) = delete;
  GarbageCollector& operator=(const GarbageCollector&) = delete;

  /// Reads what there is, then follows it. The registry is open.
  [[nodiscard]] tl::expected<void, std::string> start();

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace signpost::garbage
