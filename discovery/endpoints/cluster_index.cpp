#include "discovery/endpoints/cluster_index.hpp"

#include <algorithm>

namespace signpost::endpoints {
namespace {

constexpr const char* zone_label = "topology.kubernetes.io/zone";

/// nullopt: gone, or damaged, which is as good as gone.
template <class T>
std::optional<T> decode(model::Kind kind, const std::string& key, const store::Value& value) {
  if (value == nullptr) return std::nullopt;
  auto object = registry::decode_stored(kind, {key, value, 0, 0});
  if (!object) return std::nullopt;
  return std::get<T>(std::move(*object));
}

/// The service that a slice of the controller's belongs to; nullopt: it is somebody else's. Most are: they are told by
/// their text.
std::optional<model::ServiceKey> served_by(const std::string& key, const store::Value& value) {
  if (value == nullptr || value->find(managed_by_label) == std::string::npos) return std::nullopt;
  const auto slice = decode<model::EndpointSlice>(model::Kind::endpoint_slice, key, value);
  if (!slice) return std::nullopt;
  const auto& labels = slice->metadata.labels;
  const auto writer = labels.find(managed_by_label);
  const auto service = labels.find(model::service_name_label);
  if (writer == labels.end() || service == labels.end()) return std::nullopt;
  if (writer->second != selecting_writer && writer->second != mirroring_writer) return std::nullopt;
  return model::ServiceKey{slice->metadata.name_space, service->second};
}

} // namespace

void ClusterIndex::apply(const store::Change& change, Concerned& concerned) {
  const auto object = registry::parse_object_key(kinds, change.entry.key);
  if (!object) return;
  const model::ServiceKey key{std::string(object->name_space), std::string(object->name)};
  switch (object->kind) {
  case model::Kind::service: return apply_service(key, change, concerned);
  case model::Kind::pod: return apply_pod(key, change, concerned);
  case model::Kind::node: return apply_node(key.name, change, concerned);
  case model::Kind::endpoint_slice: return apply_slice(key, change, concerned);
  default: break; // Endpoints
  }
  if (change.entry.value != nullptr) {
    endpoints_.insert(key);
  } else {
    endpoints_.erase(key);
  }
  concerned.insert(key);
}

void ClusterIndex::apply_service(const model::ServiceKey& key, const store::Change& change, Concerned& concerned) {
  Selector selector;
  // Most services of a registry that nobody writes Pods to have none: their texts are not parsed.
  if (change.entry.value != nullptr && change.entry.value->find("\"selector\":{") != std::string::npos) {
    auto service = decode<model::Service>(model::Kind::service, change.entry.key, change.entry.value);
    if (service) selector = std::move(service->spec.selector);
  }
  const auto space = selectors_.find(key.name_space);
  const bool had = space != selectors_.end() && space->second.contains(key.name);
  if (!selector.empty()) {
    selectors_[key.name_space][key.name] = std::move(selector);
  } else if (had) {
    space->second.erase(key.name);
    if (space->second.empty()) selectors_.erase(space);
  }
  // A service that selects nothing, has no slices and no Endpoints needs nothing: most that are created are such.
  if (slices_.contains(key) || endpoints_.contains(key) || selects_any(key)) concerned.insert(key);
}

bool ClusterIndex::selects_any(const model::ServiceKey& key) const {
  const auto services = selectors_.find(key.name_space);
  const auto space = pods_.find(key.name_space);
  if (services == selectors_.end() || space == pods_.end()) return false;
  const auto service = services->second.find(key.name);
  if (service == services->second.end()) return false;
  return std::any_of(space->second.begin(), space->second.end(),
                     [&](const auto& pod) { return selects(service->second, pod.second.labels); });
}

void ClusterIndex::apply_pod(const model::ServiceKey& key, const store::Change& change, Concerned& concerned) {
  const auto pod = decode<model::Pod>(model::Kind::pod, change.entry.key, change.entry.value);
  auto& pods = pods_[key.name_space];
  const auto known = pods.find(key.name);
  if (!pod) {
    if (known != pods.end()) {
      concern(key.name_space, known->second, concerned);
      pods.erase(known);
    }
    if (pods.empty()) pods_.erase(key.name_space);
    return;
  }
  PodFacts facts = facts_of(*pod);
  if (known != pods.end()) {
    if (known->second == facts) return;
    concern(key.name_space, known->second, concerned);
  }
  concern(key.name_space, facts, concerned);
  pods[key.name] = std::move(facts);
}

void ClusterIndex::apply_node(const std::string& name, const store::Change& change, Concerned& concerned) {
  const auto node = decode<model::Node>(model::Kind::node, change.entry.key, change.entry.value);
  std::string zone;
  if (node) {
    const auto label = node->metadata.labels.find(zone_label);
    if (label != node->metadata.labels.end()) zone = label->second;
  }
  const auto known = zones_.find(name);
  if (zone == (known == zones_.end() ? std::string() : known->second)) return;
  if (zone.empty()) {
    zones_.erase(known);
  } else {
    zones_[name] = zone;
  }
  for (const auto& [name_space, pods] : pods_) {
    for (const auto& [pod, facts] : pods) {
      if (facts.node == name) concern(name_space, facts, concerned);
    }
  }
}

void ClusterIndex::apply_slice(const model::ServiceKey& key, const store::Change& change, Concerned& concerned) {
  const auto before = served_by(change.entry.key, change.previous);
  const auto now = served_by(change.entry.key, change.entry.value);
  if (before && before != now) {
    if (const auto found = slices_.find(*before); found != slices_.end()) {
      const bool news = found->second.erase(key.name) != 0;
      if (found->second.empty()) slices_.erase(found);
      if (news) concerned.insert(*before);
    }
  }
  if (!now) return;
  store::Revision& known = slices_[*now][key.name];
  if (known >= change.entry.modified) return;
  known = change.entry.modified;
  concerned.insert(*now);
}

void ClusterIndex::concern(const std::string& name_space, const PodFacts& pod, Concerned& concerned) const {
  const auto services = selectors_.find(name_space);
  if (services == selectors_.end()) return;
  for (const auto& [name, selector] : services->second) {
    if (selects(selector, pod.labels)) concerned.insert({name_space, name});
  }
}

void ClusterIndex::wrote(const model::ServiceKey& service, const std::string& slice, store::Revision revision) {
  if (revision != 0) {
    store::Revision& known = slices_[service][slice];
    known = std::max(known, revision);
    return;
  }
  const auto found = slices_.find(service);
  if (found == slices_.end()) return;
  found->second.erase(slice);
  if (found->second.empty()) slices_.erase(found);
}

std::vector<std::string> ClusterIndex::slices(const model::ServiceKey& service) const {
  std::vector<std::string> names;
  if (const auto found = slices_.find(service); found != slices_.end()) {
    for (const auto& [name, revision] : found->second) names.push_back(name);
  }
  return names;
}

std::vector<const PodFacts*> ClusterIndex::pods(const std::string& name_space, const Selector& selector) const {
  std::vector<const PodFacts*> chosen;
  const auto space = pods_.find(name_space);
  if (space == pods_.end()) return chosen;
  for (const auto& [name, pod] : space->second) {
    if (selects(selector, pod.labels)) chosen.push_back(&pod);
  }
  return chosen;
}

const std::string* ClusterIndex::zone_of(const std::string& node) const {
  const auto found = zones_.find(node);
  return found == zones_.end() ? nullptr : &found->second;
}

} // namespace signpost::endpoints
