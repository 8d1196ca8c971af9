// What is particular to a kind, as a table of functions: the life cycle (create.cpp, update.cpp, remove.cpp) is one for
// all kinds and calls these at its steps. A new kind is a new row.
#pragma once

#include <span>

#include "discovery/model/kind.hpp"
#include "discovery/registry/service_claims.hpp"

namespace signpost::registry {

struct Strategy {
  bool create_on_update = false; // PUT of a missing object creates it
  bool needs_revision = false;   // PUT must name the resourceVersion that it replaces
  void (*set_defaults)(model::Object& object) = nullptr;
  /// Clears what clients may not set.
  void (*prepare_create)(model::Object& object) = nullptr;
  void (*prepare_update)(model::Object& wanted, const model::Object& current) = nullptr;
  /// Works out fields that depend on each other and on the configuration. `current`: nullptr for a create.
  std::vector<Cause> (*resolve)(model::Object& wanted, const model::Object* current,
                                std::span<const model::Family> families) = nullptr;
  tl::expected<ClaimPlan, Status> (*plan)(Claims& claims, model::Object& wanted, const model::Object* current,
                                          bool dry_run) = nullptr;
  /// After the plan of an update: clears what the new state has no use for, counts the generation.
  void (*settle_update)(model::Object& wanted, const model::Object& current) = nullptr;
  std::vector<Cause> (*check_create)(const model::Object& object) = nullptr;
  std::vector<Cause> (*check_update)(const model::Object& wanted, const model::Object& current) = nullptr;
  /// Moves .status over; nullptr: the kind has no status to be written.
  void (*take_status)(model::Object& onto, model::Object& from) = nullptr;
  std::vector<Cause> (*check_status)(const model::Object& object) = nullptr;
  /// Keys that go when the object goes: its claims, and what means nothing without it.
  void (*append_claims)(const model::Object& object, std::vector<std::string>& keys) = nullptr;
};

[[nodiscard]] const Strategy& strategy(model::Kind kind);

/// Kinds whose objects live in a namespace and are stored (not computed): what goes with a namespace.
[[nodiscard]] std::span<const model::Kind> namespace_contents();

} // namespace signpost::registry
