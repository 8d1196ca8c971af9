// From what a service's slices should hold, and the slices there are, to what has to be written: as few slices as
// possible, for each write is sent to every watcher with all that the slice holds.
// Pure functions, any thread.
#pragma once

#include "discovery/endpoints/desired_slices.hpp"
#include "discovery/store/store.hpp"

namespace signpost::endpoints {

inline constexpr std::size_t most_endpoints = 100; // in one slice

struct ExistingSlice {
  model::EndpointSlice slice;
  store::Revision revision = 0;
};

struct SlicePlan {
  std::vector<ExistingSlice> update; // as it should be, with the revision that it replaces
  std::vector<model::EndpointSlice> create;
  std::vector<ExistingSlice> remove;

  [[nodiscard]] bool empty() const { return update.empty() && create.empty() && remove.empty(); }
};

/// An endpoint stays in the slice that it is in. New ones go first into slices that are written anyway, then into one
/// that has room for all of them, then into new slices. A slice that nothing is left for takes over the endpoints of
/// a new one, so that a changed port leaves no gap. `existing` are the writer's own, of the one service.
[[nodiscard]] SlicePlan plan_slices(const DesiredSlices& desired, std::vector<ExistingSlice> existing);

} // namespace signpost::endpoints
