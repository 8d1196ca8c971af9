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
  for (const store::Change& change : batch.changes) {
    const store::Value now = address_text(change.entry.key, change.entry.value);
    const store::Value before = address_text(change.entry.key, change.previous);
    events->events.push_back({{now == nullptr ? before : now, change.entry.modified}, before, now == nullptr});
  }
  return events;
}

/// Keeps the Endpoints and the slices of a namespace (or of all), so that each change of a slice becomes a change of
/// the Endpoints that are computed from it.
class EndpointsFollower {
public:
  explicit EndpointsFollower(std::string_view name_space)
      : stored_prefix_(object_prefix(model::Kind::endpoints, name_space)),
        slices_prefix_(object_prefix(model::Kind::endpoint_slice, name_space)) {}

  Result<void> load(Registry::State& state, store::Revision revision) {
    for (const std::string& prefix : {stored_prefix_, slices_prefix_}) {
      const auto found = state.range({.begin = prefix, .end = store::prefix_end(prefix), .revision = revision});
      if (!found) return tl::unexpected(found.error());
      for (const store::Entry& entry : found->entries) {
        if (auto done = put(entry); !done) return done;
      }
    }
    for (const auto& [key, stored] : stored_) shown_[key] = stored;
    for (const auto& [key, slices] : services_) shown_.try_emplace(key, endpoints_view(key, slices).text);
    return {};
  }

  std::shared_ptr<const EventBatch> apply(const store::Batch& batch) {
    auto events = std::make_shared<EventBatch>();
    events->revision = batch.revision;
    for (const store::Change& change : batch.changes) {
      std::set<model::ServiceKey> touched;
      if (const auto key = stored_key(change.entry.key)) {
        touched.insert(*key);
        stored_.erase(*key);
      }
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
  /// nullopt: not the key of Endpoints that somebody wrote.
  std::optional<model::ServiceKey> stored_key(const std::string& key) const {
    static constexpr model::Kind kinds[] = {model::Kind::endpoints};
    if (!key.starts_with(stored_prefix_)) return std::nullopt;
    const auto names = parse_object_key(kinds, key);
    if (!names) return std::nullopt;
    return model::ServiceKey{std::string(names->name_space), std::string(names->name)};
  }

  Result<void> put(const store::Entry& entry) {
    if (const auto key = stored_key(entry.key)) {
      stored_[*key] = entry.value;
      return {};
    }
    if (!entry.key.starts_with(slices_prefix_)) return {};
    if (!may_belong_to_service(*entry.value)) return {};
    auto object = decode_stored(model::Kind::endpoint_slice, entry);
    if (!object) return tl::unexpected(std::move(object.error()));
    auto slice = std::get<model::EndpointSlice>(std::move(*object));
    const std::string service = service_of_slice(slice);
    if (service.empty()) return {};
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

  store::Value current(const model::ServiceKey& key) const {
    if (const auto stored = stored_.find(key); stored != stored_.end()) return stored->second;
    const auto slices = services_.find(key);
    return slices == services_.end() ? nullptr : endpoints_view(key, slices->second).text;
  }

  void show(const model::ServiceKey& key, store::Revision revision, EventBatch& events) {
    store::Value& shown = shown_[key];
    store::Value now = current(key);
    if (now == nullptr) {
      if (shown != nullptr) events.events.push_back({{shown, revision}, shown, true});
      shown_.erase(key);
      return;
    }
    if (shown != nullptr && *shown == *now) return;
    events.events.push_back({{now, revision}, shown, false});
    shown = std::move(now);
  }

  const std::string stored_prefix_, slices_prefix_;
  std::map<model::ServiceKey, store::Value> stored_;
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
                                                     store::Revision after, Callback callback,
                                                     std::size_t most_past_bytes) {
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
  std::string end;
  if (kind == model::Kind::ip_address) {
    translate = address_events;
  } else if (kind == model::Kind::group_event) {
    translate = [](const store::Batch& batch) { return group_events(*plain_events(batch)); };
  } else if (kind == model::Kind::endpoints) {
    // One range for both, for one order of changes; between the two no other kind has its keys.
    prefix = object_prefix(model::Kind::endpoints, {});
    end = store::prefix_end(object_prefix(model::Kind::endpoint_slice, {}));
    if (after == 0) after = state_->store.revision();
    auto follower = std::make_shared<EndpointsFollower>(name_space);
    if (auto done = follower->load(*state_, after); !done) return tl::unexpected(too_old(std::move(done.error())));
    translate = [follower](const store::Batch& batch) { return follower->apply(batch); };
  }
  if (end.empty()) end = store::prefix_end(prefix);
  auto stream = std::make_unique<Stream>();
  auto watch = state_->store.watch({prefix, end, after, most_past_bytes},
                                   [translate = std::move(translate),
                                    callback = std::move(callback)](const std::shared_ptr<const store::Batch>& batch) {
                                     callback(batch == nullptr ? nullptr : translate(*batch));
                                   });
  if (!watch) return tl::unexpected(too_old(from_store(watch.error())));
  stream->watch = std::move(*watch);
  return stream;
}

} // namespace signpost::registry
