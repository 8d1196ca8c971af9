#include "discovery/garbage/owner_index.hpp"

#include <algorithm>
#include <array>

namespace signpost::garbage {
namespace {

/// All that are stored, each once.
std::span<const model::Kind> kinds() {
  static const std::vector<model::Kind> all = [] {
    std::vector<model::Kind> list;
    for (const model::KindInfo& info : model::kinds()) {
      if (info.kind != model::Kind::group_event) list.push_back(info.kind); // the same objects as `event`
    }
    return list;
  }();
  return all;
}

bool may_matter(const store::Value& value) {
  return value != nullptr && (value->find("\"ownerReferences\":[") != std::string::npos ||
                              value->find("\"deletionTimestamp\":") != std::string::npos);
}

} // namespace

std::optional<model::Object> decode_at(const std::string& key, const store::Value& value) {
  if (value == nullptr) return std::nullopt;
  const auto names = registry::parse_object_key(kinds(), key);
  if (!names) return std::nullopt;
  auto object = registry::decode_stored(names->kind, {key, value, 0, 0});
  if (!object) return std::nullopt;
  return std::move(*object);
}

std::string owner_key(const model::OwnerReference& owner, const std::string& name_space) {
  const model::KindInfo* kind = model::find_kind(owner.api_version, owner.kind);
  if (kind == nullptr || (kind->namespaced && name_space.empty())) return {};
  const model::Kind stored = kind->kind == model::Kind::group_event ? model::Kind::event : kind->kind;
  return registry::object_key(stored, kind->namespaced ? name_space : std::string(), owner.name);
}

void OwnerIndex::forget(const std::string& key) {
  const auto found = owners_.find(key);
  if (found == owners_.end()) return;
  for (const std::string& uid : found->second) {
    const auto dependents = dependents_.find(uid);
    dependents->second.erase(key);
    if (dependents->second.empty()) dependents_.erase(dependents);
  }
  owners_.erase(found);
}

void OwnerIndex::apply(const store::Change& change, std::set<std::string>& concerned) {
  const std::string& key = change.entry.key;
  if (change.entry.value == nullptr) {
    const bool had_owners = owners_.contains(key);
    if (dependents_.empty() && !had_owners) return;
    const auto last = decode_at(key, change.previous);
    forget(key);
    if (!last) return;
    const model::ObjectMeta& metadata = model::metadata(*last);
    for (const std::string& dependent : dependents(metadata.uid)) concerned.insert(dependent);
    // An owner may wait for this one to go first.
    for (const model::OwnerReference& owner : metadata.owner_references) {
      if (std::string at = owner_key(owner, metadata.name_space); !at.empty()) concerned.insert(std::move(at));
    }
    return;
  }
  if (!may_matter(change.entry.value)) return forget(key);
  const auto object = decode_at(key, change.entry.value);
  if (!object) return;
  const model::ObjectMeta& metadata = model::metadata(*object);
  std::vector<std::string> uids;
  for (const model::OwnerReference& owner : metadata.owner_references) uids.push_back(owner.uid);
  const auto known = owners_.find(key);
  const bool news = known == owners_.end() ? !uids.empty() : known->second != uids;
  if (news) {
    forget(key);
    for (const std::string& uid : uids) dependents_[uid].insert(key);
    if (!uids.empty()) owners_[key] = std::move(uids);
  }
  if (news || (!metadata.deletion_timestamp.empty() && !metadata.finalizers.empty())) concerned.insert(key);
}

std::vector<std::string> OwnerIndex::dependents(const std::string& uid) const {
  const auto found = dependents_.find(uid);
  if (found == dependents_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

} // namespace signpost::garbage
