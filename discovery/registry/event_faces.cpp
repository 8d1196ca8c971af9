#include "discovery/registry/event_faces.hpp"

#include <nlohmann/json.hpp>

#include "discovery/registry/event_rules.hpp"

namespace signpost::registry {
namespace {

using model::GroupEvent;
using model::Kind;
using model::Object;

Object group_object(const Object& core) { return model::to_group(std::get<model::Event>(core)); }

Result<store::Value> group_text(const store::Value& core) {
  if (core == nullptr) return core;
  auto object = decode_stored(Kind::event, {.key = "an event", .value = core});
  if (!object) return tl::unexpected(std::move(object.error()));
  Object face = group_object(*object);
  return encode_stored(face);
}

Status invalid_event(const GroupEvent& event, FieldErrors& errors) {
  return invalid(model::info(Kind::event), event.metadata.name, errors.take()); // without the group, as upstream
}

} // namespace

Result<Stored> group_event(const Stored& core) {
  auto text = group_text(core.text);
  if (!text) return tl::unexpected(std::move(text.error()));
  return Stored{std::move(*text), core.revision};
}

Result<Listing> group_events(Listing core) {
  for (Stored& item : core.items) {
    auto face = group_event(item);
    if (!face) return tl::unexpected(std::move(face.error()));
    item = std::move(*face);
  }
  return core;
}

std::shared_ptr<const EventBatch> group_events(const EventBatch& core) {
  auto faces = std::make_shared<EventBatch>();
  faces->revision = core.revision;
  for (const registry::Event& event : core.events) {
    auto object = group_event(event.object);
    auto previous = group_text(event.previous);
    if (object && previous) faces->events.push_back({std::move(*object), std::move(*previous), event.deleted});
  }
  return faces;
}

Status group_status(Status status) {
  const model::KindInfo& core = model::info(Kind::event);
  const model::KindInfo& face = model::info(Kind::group_event);
  for (Cause& cause : status.causes)
    if (cause.field == "reportingComponent") cause.field = "reportingController";
  if (!status.has_details || !status.group.empty() || status.kind != core.plural) return status;
  status.group = face.group;
  const std::string bare = status.kind + " \"", full = status.kind + "." + std::string(face.group) + " \"";
  if (const std::size_t at = status.message.find(bare); at != std::string::npos) {
    status.message.replace(at, bare.size(), full);
  }
  return status;
}

WriteCallback as_group_event(WriteCallback done) {
  return [done = std::move(done)](Result<Stored> stored) {
    if (!stored) return done(tl::unexpected(group_status(std::move(stored.error()))));
    done(group_event(*stored));
  };
}

Result<Object> core_event(const Object& event) {
  const auto& face = std::get<GroupEvent>(event);
  FieldErrors errors;
  check_group_event(face, errors);
  if (!errors.empty()) return tl::unexpected(invalid_event(face, errors));
  return model::to_core(face);
}

Mutation core_mutation(Mutation mutation) {
  return [mutation = std::move(mutation)](const Object& current, const Stored& stored) -> Result<Object> {
    const auto text = group_event(stored);
    if (!text) return tl::unexpected(text.error());
    const Object face = group_object(current);
    auto wanted = mutation(face, *text);
    if (!wanted) return wanted;
    FieldErrors errors;
    check_group_event_update(std::get<GroupEvent>(*wanted), std::get<GroupEvent>(face), errors);
    if (!errors.empty()) return tl::unexpected(invalid_event(std::get<GroupEvent>(*wanted), errors));
    return model::to_core(std::get<GroupEvent>(std::move(*wanted)));
  };
}

} // namespace signpost::registry
