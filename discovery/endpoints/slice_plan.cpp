#include "discovery/endpoints/slice_plan.hpp"

#include <algorithm>
#include <deque>
#include <unordered_map>

namespace signpost::endpoints {
namespace {

using model::Endpoint;
using model::EndpointSlice;

/// A Pod that was replaced by another one on the same address is another endpoint.
std::string identity(const Endpoint& endpoint) {
  std::string text = endpoint.addresses.empty() ? "" : endpoint.addresses.front();
  if (endpoint.target_ref) text.append("\0", 1).append(endpoint.target_ref->uid);
  return text;
}

/// A slice on its way from what it is to what it should be.
struct Draft {
  ExistingSlice slice;
  bool changed = false;
  bool taken = false; // moved to where its group is planned

  [[nodiscard]] std::size_t room() const { return most_endpoints - std::min(most_endpoints, size()); }
  [[nodiscard]] std::size_t size() const { return slice.slice.endpoints.size(); }
};

class Planner {
public:
  Planner(const DesiredSlices& desired, std::vector<ExistingSlice> existing) : desired_(desired) {
    for (ExistingSlice& one : existing) {
      const EndpointSlice& slice = one.slice;
      if (slice.metadata.deletion_timestamp.empty())
        of_group_[group_identity(slice.address_type, slice.ports)].push_back(drafts_.size());
      drafts_.push_back({std::move(one)});
    }
  }

  SlicePlan run() {
    for (const SliceGroup& group : desired_.groups) plan(group);
    for (Draft& draft : drafts_)
      if (!draft.taken) plan_.remove.push_back(std::move(draft.slice)); // of no group
    recycle();
    return std::move(plan_);
  }

private:
  void plan(const SliceGroup& group) {
    std::unordered_map<std::string, const Endpoint*> missing;
    for (const Endpoint& endpoint : group.endpoints) missing.emplace(identity(endpoint), &endpoint);
    std::vector<Draft> own = take(group);
    for (Draft& draft : own) settle(draft, missing);

    std::deque<const Endpoint*> homeless;
    for (const Endpoint& endpoint : group.endpoints) {
      if (missing.erase(identity(endpoint)) != 0) homeless.push_back(&endpoint);
    }
    for (Draft& draft : own) {
      if (draft.changed) fill(draft, homeless);
    }
    if (Draft* roomy = smallest_room(own, homeless.size())) fill(*roomy, homeless);
    while (!homeless.empty()) {
      Draft fresh;
      fresh.slice.slice.address_type = group.address_type;
      fresh.slice.slice.ports = group.ports;
      fill(fresh, homeless);
      dress(fresh);
      plan_.create.push_back(std::move(fresh.slice.slice));
    }
    for (Draft& draft : own) {
      if (draft.size() == 0) {
        plan_.remove.push_back(std::move(draft.slice));
      } else if (dress(draft); draft.changed) {
        plan_.update.push_back(std::move(draft.slice));
      }
    }
  }

  std::vector<Draft> take(const SliceGroup& group) {
    std::vector<Draft> taken;
    const auto found = of_group_.find(group_identity(group.address_type, group.ports));
    if (found == of_group_.end()) return taken;
    for (const std::size_t at : found->second) {
      taken.push_back(std::move(drafts_[at]));
      drafts_[at].taken = true;
    }
    of_group_.erase(found);
    return taken;
  }

  /// Drops what should not be there, brings the rest up to date.
  static void settle(Draft& draft, std::unordered_map<std::string, const Endpoint*>& missing) {
    std::vector<Endpoint> kept;
    for (const Endpoint& endpoint : draft.slice.slice.endpoints) {
      const auto wanted = missing.find(identity(endpoint));
      if (wanted == missing.end()) continue;
      kept.push_back(*wanted->second);
      missing.erase(wanted);
    }
    draft.changed = kept != draft.slice.slice.endpoints;
    draft.slice.slice.endpoints = std::move(kept);
  }

  /// nullptr: none has room for all.
  static Draft* smallest_room(std::vector<Draft>& drafts, std::size_t count) {
    Draft* best = nullptr;
    for (Draft& draft : drafts) {
      if (draft.room() >= count && (best == nullptr || draft.room() < best->room())) best = &draft;
    }
    return best;
  }

  static void fill(Draft& draft, std::deque<const Endpoint*>& homeless) {
    for (std::size_t room = draft.room(); room > 0 && !homeless.empty(); --room) {
      draft.slice.slice.endpoints.push_back(*homeless.front());
      homeless.pop_front();
      draft.changed = true;
    }
  }

  void dress(Draft& draft) const {
    model::ObjectMeta metadata = draft.slice.slice.metadata;
    if (metadata.name.empty()) metadata.generate_name = desired_.name_prefix;
    metadata.name_space = desired_.name_space;
    metadata.labels = desired_.labels;
    if (desired_.annotations) metadata.annotations = *desired_.annotations;
    metadata.owner_references = desired_.owners;
    if (metadata == draft.slice.slice.metadata) return;
    draft.slice.slice.metadata = std::move(metadata);
    draft.changed = true;
  }

  /// The type of a slice cannot change, all else can.
  void recycle() {
    std::unordered_map<std::string, std::deque<std::size_t>> free; // those to be removed, by type
    for (std::size_t i = 0; i < plan_.remove.size(); ++i) {
      const EndpointSlice& slice = plan_.remove[i].slice;
      if (slice.metadata.deletion_timestamp.empty()) free[slice.address_type].push_back(i);
    }
    std::vector<bool> reused(plan_.remove.size());
    std::vector<EndpointSlice> create;
    for (EndpointSlice& fresh : plan_.create) {
      const auto old = free.find(fresh.address_type);
      if (old == free.end() || old->second.empty()) {
        create.push_back(std::move(fresh));
        continue;
      }
      const std::size_t at = old->second.front();
      old->second.pop_front();
      reused[at] = true;
      Draft draft{std::move(plan_.remove[at])};
      draft.slice.slice.ports = std::move(fresh.ports);
      draft.slice.slice.endpoints = std::move(fresh.endpoints);
      dress(draft);
      plan_.update.push_back(std::move(draft.slice));
    }
    plan_.create = std::move(create);
    std::vector<ExistingSlice> remove;
    for (std::size_t i = 0; i < plan_.remove.size(); ++i)
      if (!reused[i]) remove.push_back(std::move(plan_.remove[i]));
    plan_.remove = std::move(remove);
  }

  const DesiredSlices& desired_;
  std::vector<Draft> drafts_;
  std::unordered_map<std::string, std::vector<std::size_t>> of_group_; // in drafts_, those that stay
  SlicePlan plan_;
};

} // namespace

SlicePlan plan_slices(const DesiredSlices& desired, std::vector<ExistingSlice> existing) {
  return Planner(desired, std::move(existing)).run();
}

} // namespace signpost::endpoints
