#include "discovery/catalog/catalog.hpp"

#include <algorithm>
#include <map>

#include "discovery/catalog/record.hpp"
#include "discovery/catalog/table.hpp"

namespace signpost::catalog {

using model::Kind;
using model::ServiceKey;

namespace {

// Namespaces by number: objects carry four bytes instead of a name. A number lives as long as anything uses it.
class Namespaces {
public:
  [[nodiscard]] std::optional<NamespaceId> find(std::string_view name) const {
    auto const found = ids_.find(name);
    if (found == ids_.end()) return std::nullopt;
    return found->second;
  }
  NamespaceId find_or_add(std::string_view name) {
    auto const found = ids_.find(name);
    if (found != ids_.end()) return found->second;
    NamespaceId id = static_cast<NamespaceId>(entries_.size());
    if (free_.empty()) {
      entries_.emplace_back();
    } else {
      id = free_.back();
      free_.pop_back();
    }
    auto const place = ids_.emplace(std::string(name), id).first;
    entries_[id] = {&place->first, 0, false, false};
    return id;
  }
  void use(NamespaceId id) { ++entries_[id].uses; }
  void release(NamespaceId id) {
    --entries_[id].uses;
    forget_if_unused(id);
  }
  /// True: that is news.
  bool set_exists(NamespaceId id, bool exists) {
    bool const news = std::exchange(entries_[id].exists, exists) != exists;
    forget_if_unused(id);
    return news;
  }
  [[nodiscard]] bool exists(NamespaceId id) const { return entries_[id].exists; }
  void set_round(NamespaceId id, bool round) { entries_[id].round = round; }
  [[nodiscard]] bool round(NamespaceId id) const { return entries_[id].round; }
  [[nodiscard]] const std::string& name(NamespaceId id) const { return *entries_[id].name; }
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [name, id] : ids_) visit(name, id);
  }

private:
  struct Entry {
    const std::string* name = nullptr;
    std::uint32_t uses = 0;
    bool exists = false;
    bool round = false; // as Record::round()
  };
  void forget_if_unused(NamespaceId id) {
    auto& entry = entries_[id];
    if (entry.uses > 0 || entry.exists) return;
    ids_.erase(ids_.find(*entry.name));
    entry = {};
    free_.push_back(id);
  }

  std::map<std::string, NamespaceId, std::less<>> ids_;
  std::vector<Entry> entries_;
  std::vector<NamespaceId> free_;
};

// The slices that name one service, ordered by their own names. Exists apart from the service, which may come later.
class Links {
public:
  Links(NamespaceId name_space, std::string_view service) : name_space_(name_space), service_(service) {}
  [[nodiscard]] NamespaceId name_space() const { return name_space_; }
  [[nodiscard]] std::string_view name() const { return service_; }

  void add(const Record* slice) {
    slices_.insert(std::lower_bound(slices_.begin(), slices_.end(), slice, before), slice);
  }
  void remove(const Record* slice) { slices_.erase(std::find(slices_.begin(), slices_.end(), slice)); }
  [[nodiscard]] const std::vector<const Record*>& slices() const { return slices_; }

private:
  static bool before(const Record* a, const Record* b) { return a->name() < b->name(); }

  NamespaceId name_space_;
  std::string service_;
  std::vector<const Record*> slices_;
};

} // namespace

struct Catalog::State {
  Namespaces namespaces;
  Table<Record::Pointer> services;
  Table<Record::Pointer> slices;
  Table<std::unique_ptr<Links>> links; // by service
  std::string scratch;
  bool round = false; // of what is put now

  // A service changed if there is one of that name.
  void touch(NamespaceId name_space, std::string_view service, Changes& changes) const {
    if (services.find(name_space, service) == nullptr) return;
    changes.services.push_back({namespaces.name(name_space), std::string(service)});
  }

  void put_service(const model::Service& service, Changes& changes) {
    auto const id = namespaces.find_or_add(service.metadata.name_space);
    write_service(service, scratch);
    auto* const old = services.find(id, service.metadata.name);
    if (old != nullptr && old->bytes() == scratch) return old->set_round(round);
    auto fresh = Record::make(id, scratch);
    fresh->set_round(round);
    if (!services.put(std::move(fresh))) namespaces.use(id);
    touch(id, service.metadata.name, changes);
  }

  void erase_service(NamespaceId id, std::string_view name, Changes& changes) {
    touch(id, name, changes);
    if (services.erase(id, name)) namespaces.release(id);
  }

  void link(const Record& slice) {
    auto const service = service_of_slice(slice.bytes());
    auto* found = links.find(slice.name_space(), service);
    if (found == nullptr) {
      auto fresh = std::make_unique<Links>(slice.name_space(), service);
      found = fresh.get();
      links.put(std::move(fresh));
    }
    found->add(&slice);
  }

  void unlink(const Record& slice) {
    auto const service = service_of_slice(slice.bytes());
    auto* const found = links.find(slice.name_space(), service);
    found->remove(&slice);
    if (found->slices().empty()) links.erase(slice.name_space(), service);
  }

  void put_slice(const model::EndpointSlice& slice, Changes& changes) {
    if (!write_slice(slice, scratch)) {
      if (auto const id = namespaces.find(slice.metadata.name_space)) erase_slice(*id, slice.metadata.name, changes);
      return;
    }
    auto const id = namespaces.find_or_add(slice.metadata.name_space);
    auto* const old = slices.find(id, slice.metadata.name);
    if (old != nullptr && old->bytes() == scratch) return old->set_round(round);
    auto fresh = Record::make(id, scratch);
    fresh->set_round(round);
    const auto& added = *fresh;
    auto const service = service_of_slice(added.bytes());
    if (old != nullptr) {
      if (auto const left = service_of_slice(old->bytes()); left != service) touch(id, left, changes);
      unlink(*old);
    } else {
      namespaces.use(id);
    }
    slices.put(std::move(fresh));
    link(added);
    touch(id, service, changes);
  }

  void erase_slice(NamespaceId id, std::string_view name, Changes& changes) {
    const auto* const old = slices.find(id, name);
    if (old == nullptr) return;
    touch(id, service_of_slice(old->bytes()), changes);
    unlink(*old);
    slices.erase(id, name);
    namespaces.release(id);
  }
};

Catalog::Catalog() : state_(std::make_unique<State>()) {}
Catalog::~Catalog() = default;

void Catalog::put(const model::Object& object, Changes& changes) {
  if (const auto* const service = std::get_if<model::Service>(&object)) {
    state_->put_service(*service, changes);
  } else if (const auto* const slice = std::get_if<model::EndpointSlice>(&object)) {
    state_->put_slice(*slice, changes);
  } else if (const auto* const name_space = std::get_if<model::Namespace>(&object)) {
    const auto& name = name_space->metadata.name;
    auto const id = state_->namespaces.find_or_add(name);
    if (state_->namespaces.set_exists(id, true)) changes.namespaces.push_back(name);
    state_->namespaces.set_round(id, state_->round);
  }
}

void Catalog::begin_replace() { state_->round = !state_->round; }

void Catalog::end_replace(Changes& changes) {
  // Names are collected first: erasing moves what the tables hold.
  std::vector<std::pair<NamespaceId, std::string>> slices, services;
  const auto collect = [round = state_->round](auto& gone) {
    return [&gone, round](const Record& record) {
      if (record.round() != round) gone.emplace_back(record.name_space(), record.name());
    };
  };
  state_->slices.for_each(collect(slices));
  state_->services.for_each(collect(services));
  for (const auto& [id, name] : slices) state_->erase_slice(id, name, changes);
  for (const auto& [id, name] : services) state_->erase_service(id, name, changes);
  for (const std::string& name : namespaces())
    if (auto const id = state_->namespaces.find(name); state_->namespaces.round(*id) != state_->round)
      erase(Kind::name_space, {}, name, changes);
}

void Catalog::erase(Kind kind, std::string_view name_space, std::string_view name, Changes& changes) {
  auto const id = state_->namespaces.find(kind == Kind::name_space ? name : name_space);
  if (!id) return;
  if (kind == Kind::service) {
    state_->erase_service(*id, name, changes);
  } else if (kind == Kind::endpoint_slice) {
    state_->erase_slice(*id, name, changes);
  } else if (kind == Kind::name_space) {
    if (state_->namespaces.set_exists(*id, false)) changes.namespaces.emplace_back(name);
  }
}

std::optional<model::ServiceView> Catalog::view(const ServiceKey& key) const {
  auto const id = state_->namespaces.find(key.name_space);
  if (!id) return std::nullopt;
  const auto* const service = state_->services.find(*id, key.name);
  if (service == nullptr) return std::nullopt;
  model::ServiceView view;
  view.key.name_space = key.name_space;
  read_service(service->bytes(), view);
  if (const auto* const links = state_->links.find(*id, key.name)) {
    view.groups.reserve(links->slices().size());
    for (const auto* slice : links->slices()) view.groups.push_back(read_slice(slice->bytes()));
  }
  return view;
}

bool Catalog::has_namespace(std::string_view name) const {
  auto const id = state_->namespaces.find(name);
  return id && state_->namespaces.exists(*id);
}

std::vector<std::string> Catalog::namespaces() const {
  std::vector<std::string> names;
  state_->namespaces.for_each([&](const std::string& name, NamespaceId id) {
    if (state_->namespaces.exists(id)) names.push_back(name);
  });
  return names;
}

std::vector<ServiceKey> Catalog::services() const {
  std::vector<ServiceKey> keys;
  keys.reserve(state_->services.size());
  state_->services.for_each([&](const Record& service) {
    keys.push_back({state_->namespaces.name(service.name_space()), std::string(service.name())});
  });
  std::sort(keys.begin(), keys.end());
  return keys;
}

std::size_t Catalog::service_count() const { return state_->services.size(); }

} // namespace signpost::catalog
