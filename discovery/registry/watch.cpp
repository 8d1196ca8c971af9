#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "discovery/registry/claims.hpp"
#include "discovery/registry/event_faces.hpp"
#include "discovery/registry/state.hpp"
#include "discovery/registry/views.hpp"

namespace signpost::registry {
namespace {

using Callback = std::function<void(const std::shared_ptr<const EventBatch>&)>;

/// Store changes are events as they are; the texts are shared, not copied.
std::shared_ptr<const EventBatch> plain_events(const store::Batch& batch) {
  auto events = std::make_shared<EventBatch>();
  events->revision = batch.revision;
  events->events.reserve(batch.changes.size());
  for (const store::Change& change : batch.changes) {
    const bool deleted = change.entry.value == nullptr;
    events->events.push_back(
        {{deleted ? change.previous : change.entry.value, change.entry.modified}, change.previous, deleted});
  }
  return events;
}

std::shared_ptr<const EventBatch> address_events(const store::Batch& batch) {
  auto events = std::make_shared<EventBatch>();
  events->revision = batch.revision;
  const auto view = [](const std::string& key, const store::Value& value) -> store::Value {
    return value == nullptr ? nullptr : address_view(key, *value).value_or(nullptr);
  };
  for (const store::Change& change : batch.changes) {
    const store::Value now = view(change.entry.key, change.entry.value);
    const store::Value before = view(change.entry.key, change.previous);
    if (now == nullptr && before == nullptr) continue;
    events->events.push_back({{now == nullptr ? before : now, change.entry.modified}, before, now == nullptr});
  }
  return events;
}

/// Keeps the slices of the services it watches, so that each change of a slice becomes a change of its Endpoints.
class EndpointsFollower {
public:
  Result<void> load(const std::vector<store::Entry>& entries) {
    for (const store::Entry& entry : entries) {
      if (auto done = put(entry); !done) return done;
    }
    for (const auto& [key, slices] : services_) shown_[key] = endpoints_view(key, slices).text;
    return {};
  }

  std::shared_ptr<const EventBatch> apply(const store::Batch& batch) {
    auto events = std::make_shared<EventBatch>();
    events->revision = batch.revision;
    for (const store::Change& change : batch.changes) {
      std::set<model::ServiceKey> touched;
      const auto at = owner_.find(change.entry.key);
      if (at != owner_.end()) {
        touched.insert(at->second);
        drop(change.entry.key, at->second);
        owner_.erase(at);
      }
      if (change.entry.value != nullptr && put(change.entry)) {
        if (const auto now = owner_.find(change.entry.key); now != owner_.end()) touched.insert(now->second);
      }
      for (const model::ServiceKey& key : touched) show(key, change.entry.modified, *events);
    }
    return events;
  }

private:
  Result<void> put(const store::Entry& entry) {
    const std::string service = service_of_slice(*entry.value);
    if (service.empty()) return {};
    auto object = decode_stored(model::Kind::endpoint_slice, entry);
    if (!object) return tl::unexpected(std::move(object.error()));
    auto slice = std::get<model::EndpointSlice>(std::move(*object));
    const model::ServiceKey key{slice.metadata.name_space, service};
    services_[key][entry.key] = SliceOfService{std::move(slice), entry.modified};
    owner_[entry.key] = key;
    return {};
  }

  void drop(const std::string& slice, const model::ServiceKey& key) {
    const auto found = services_.find(key);
    if (found == services_.end()) return;
    found->second.erase(slice);
    if (found->second.empty()) services_.erase(found);
  }

  void show(const model::ServiceKey& key, store::Revision revision, EventBatch& events) {
    const auto found = services_.find(key);
    store::Value& shown = shown_[key];
    if (found == services_.end()) {
      if (shown != nullptr) events.events.push_back({{shown, revision}, shown, true});
      shown_.erase(key);
      return;
    }
    store::Value now = endpoints_view(key, found->second).text;
    if (shown != nullptr && *shown == *now) return;
    events.events.push_back({{now, revision}, shown, false});
    shown = std::move(now);
  }

  std::map<model::ServiceKey, SlicesOfService> services_; // slices by store key
  std::map<std::string, model::ServiceKey> owner_;        // of each slice
  std::map<model::ServiceKey, store::Value> shown_;       // what watchers saw last
};

class Stream final : public EventStream {
public:
  std::unique_ptr<store::Watch> watch;
};

} // namespace

Result<std::unique_ptr<EventStream>> Registry::watch(model::Kind kind, std::string_view name_space,
                                                     store::Revision after, Callback callback) {
  const auto too_old = [&](Status status) {
    if (status.code == 410) {
      status.message = "too old resource version: " + std::to_string(after) + " (" +
                       std::to_string(state_->store.compacted() + 1) + ")";
    }
    return status;
  };
  using Translate = std::function<std::shared_ptr<const EventBatch>(const store::Batch&)>;
  Translate translate = plain_events;
  std::string prefix = object_prefix(kind, name_space);
  if (kind == model::Kind::ip_address) {
    prefix = address_claims_prefix;
    translate = address_events;
  } else if (kind == model::Kind::group_event) {
    translate = [](const store::Batch& batch) { return group_events(*plain_events(batch)); };
  } else if (kind == model::Kind::endpoints) {
    prefix = object_prefix(model::Kind::endpoint_slice, name_space);
    const auto found = state_->range({.begin = prefix, .end = store::prefix_end(prefix), .revision = after});
    if (!found) return tl::unexpected(too_old(found.error()));
    after = found->revision;
    auto follower = std::make_shared<EndpointsFollower>();
    if (auto done = follower->load(found->entries); !done) return tl::unexpected(std::move(done.error()));
    translate = [follower](const store::Batch& batch) { return follower->apply(batch); };
  }
  auto stream = std::make_unique<Stream>();
  auto watch = state_->store.watch({prefix, store::prefix_end(prefix), after},
                                   [translate = std::move(translate),
                                    callback = std::move(callback)](const std::shared_ptr<const store::Batch>& batch) {
                                     callback(batch == nullptr ? nullptr : translate(*batch));
                                   });
  if (!watch) return tl::unexpected(too_old(from_store(watch.error())));
  stream->watch = std::move(*watch);
  return stream;
}

} // namespace signpost::registry
