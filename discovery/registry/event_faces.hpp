// Events have two faces, core/v1 and events.k8s.io/v1, of one stored object. It is kept as core's; what comes and goes
// through the group is translated here, on the way.
//
// Threads: as Registry's functions.
#pragma once

#include "discovery/registry/state.hpp"

namespace signpost::registry {

/// A stored event in the words of the group; one that cannot be read is an internal error.
[[nodiscard]] Result<Stored> group_event(const Stored& core);
[[nodiscard]] Result<Listing> group_events(Listing core);
/// For watchers; what cannot be read is left out.
[[nodiscard]] std::shared_ptr<const EventBatch> group_events(const EventBatch& core);

/// A refusal about an event as the group says it: its resources carry the group's name.
[[nodiscard]] Status group_status(Status status);

/// Hands on what becomes of a write in the group's words.
[[nodiscard]] WriteCallback as_group_event(WriteCallback done);

/// POST of a group's event: the core event to be created, if it passes the group's own checks.
[[nodiscard]] Result<model::Object> core_event(const model::Object& event);
/// PUT and PATCH: the client's mutation sees and gives the group's words.
[[nodiscard]] Mutation core_mutation(Mutation mutation);

} // namespace signpost::registry
