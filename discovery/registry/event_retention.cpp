#include "discovery/registry/event_retention.hpp"

#include <vector>

#include "discovery/registry/registry.hpp"

namespace signpost::registry {

store::Result<void> EventRetention::start() {
  const std::string prefix = object_prefix(model::Kind::event, {});
  const auto found = store_.range({.begin = prefix, .end = store::prefix_end(prefix)});
  if (!found) return tl::unexpected(found.error());
  const auto now = Clock::now();
  for (const store::Entry& entry : found->entries) note(entry, now);
  auto watch = store_.watch({prefix, store::prefix_end(prefix), found->revision},
                            [this](const std::shared_ptr<const store::Batch>& batch) {
                              if (!batch) return;
                              const auto at = Clock::now();
                              for (const store::Change& change : batch->changes) note(change.entry, at);
                            });
  if (!watch) return tl::unexpected(watch.error());
  watch_ = std::move(*watch);
  return {};
}

void EventRetention::note(const store::Entry& entry, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (const auto known = revision_of_.find(entry.key); known != revision_of_.end()) {
    by_revision_.erase(known->second);
    revision_of_.erase(known);
  }
  if (entry.value == nullptr) return;
  revision_of_[entry.key] = entry.modified;
  by_revision_[entry.modified] = {entry.key, now};
}

bool EventRetention::too_many() const {
  const std::lock_guard lock(mutex_);
  return by_revision_.size() > limits_.count + limits_.count / 10;
}

void EventRetention::sweep(Clock::time_point now) {
  std::vector<store::Transaction> going;
  {
    const std::lock_guard lock(mutex_);
    std::size_t left = by_revision_.size();
    for (const auto& [revision, known] : by_revision_) {
      if (left <= limits_.count && now - known.changed < limits_.age) break;
      going.push_back({{{known.key, revision}}, {{known.key, nullptr}}});
      --left;
    }
  }
  // One that was changed meanwhile stays; one that could not be deleted goes with the next sweep.
  for (store::Transaction& one : going) store_.transact(std::move(one), [](const auto&) {});
}

} // namespace signpost::registry
