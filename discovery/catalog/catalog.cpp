#include "discovery/catalog/catalog.hpp"

#include <algorithm>
#include <map>
#include <utility>

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
    entries_[id] = {&place->first, 0, false};
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

} // namespace

struct Catalog::State {
  memory::Arena arena;
  Namespaces namespaces;
  Table services{arena}; // and those that only slices speak of: they are absent until they come
  Table slices{arena};
  std::size_t absent = 0;
  std::string scratch;

  Record& at(Reference record) { return Record::at(arena, record); }
  [[nodiscard]] const Record& at(Reference record) const { return Record::at(arena, record); }

  /// 0: there is none of that name, or it is absent.
  [[nodiscard]] Reference find_service(NamespaceId name_space, std::string_view name) const {
    const Reference found = services.find(name_space, name);
    return found != 0 && !is_absent(at(found).bytes()) ? found : 0;
  }

  // A service changed if there is one of that name.
  void touch(NamespaceId name_space, std::string_view service, Changes& changes) const {
    if (find_service(name_space, service) == 0) return;
    changes.services.push_back({namespaces.name(name_space), std::string(service)});
  }

  /// Puts `scratch` in the place of a service's record, if there is one; it keeps the slices.
  Reference replace_service(NamespaceId id) {
    const Reference fresh = Record::make(arena, id, scratch);
    const Reference old = services.put(fresh);
    if (old == 0) {
      namespaces.use(id);
    } else {
      at(fresh).set_slice(at(old).slice());
      if (is_absent(at(old).bytes())) --absent;
      Record::free(arena, old);
    }
    if (is_absent(scratch)) ++absent;
    return fresh;
  }

  void put_service(const model::Service& service, Changes& changes) {
    auto const id = namespaces.find_or_add(service.metadata.name_space);
    write_service(service, scratch);
    const Reference old = services.find(id, service.metadata.name);
    if (old != 0 && at(old).bytes() == scratch) return;
    replace_service(id);
    touch(id, service.metadata.name, changes);
  }

  void erase_service(NamespaceId id, std::string_view name, Changes& changes) {
    const Reference old = find_service(id, name);
    if (old == 0) return;
    touch(id, name, changes);
    if (at(old).slice() != 0) {
      write_absent(name, scratch);
      replace_service(id);
      return;
    }
    forget(services, id, name);
  }

  void forget(Table& table, NamespaceId id, std::string_view name) {
    Record::free(arena, table.erase(id, name));
    namespaces.release(id);
  }

  /// Puts a slice into its service's list, which is ordered by the slices' names.
  void link(Reference slice) {
    Record& fresh = at(slice);
    auto const service = service_of_slice(fresh.bytes());
    Reference owner = services.find(fresh.name_space(), service);
    if (owner == 0) {
      write_absent(service, scratch);
      owner = replace_service(fresh.name_space());
    }
    Record* before = &at(owner);
    while (before->slice() != 0 && at(before->slice()).name() < fresh.name()) before = &at(before->slice());
    fresh.set_slice(before->slice());
    before->set_slice(slice);
  }

  void unlink(Reference slice) {
    const Record& gone = at(slice);
    auto const service = service_of_slice(gone.bytes());
    Record& owner = at(services.find(gone.name_space(), service));
    Record* before = &owner;
    while (before->slice() != slice) before = &at(before->slice());
    before->set_slice(gone.slice());
    if (owner.slice() != 0 || !is_absent(owner.bytes())) return;
    --absent;
    forget(services, gone.name_space(), service);
  }

  void put_slice(const model::EndpointSlice& slice, Changes& changes) {
    if (!write_slice(slice, scratch)) {
      if (auto const id = namespaces.find(slice.metadata.name_space)) erase_slice(*id, slice.metadata.name, changes);
      return;
    }
    auto const id = namespaces.find_or_add(slice.metadata.name_space);
    const Reference old = slices.find(id, slice.metadata.name);
    if (old != 0 && at(old).bytes() == scratch) return;
    const Reference fresh = Record::make(arena, id, scratch);
    const std::string service(service_of_slice(scratch));
    namespaces.use(id);
    if (old != 0) {
      const std::string left(service_of_slice(at(old).bytes()));
      if (left != service) touch(id, left, changes);
      unlink(old);
      forget(slices, id, slice.metadata.name);
    }
    slices.put(fresh);
    link(fresh);
    touch(id, service, changes);
  }

  /// The record of a service in another catalog; 0: there is none, or it is absent.
  [[nodiscard]] Reference counterpart(const State& other, const Record& service) const {
    auto const id = other.namespaces.find(namespaces.name(service.name_space()));
    return id ? other.find_service(*id, service.name()) : 0;
  }

  /// Whether two services, each with its slices, say the same.
  [[nodiscard]] static bool same(const State& a, const Record& first, const State& b, const Record& second) {
    const Record *one = &first, *other = &second;
    while (one->bytes() == other->bytes()) {
      if (one->slice() == 0 || other->slice() == 0) return one->slice() == other->slice();
      one = &a.at(one->slice());
      other = &b.at(other->slice());
    }
    return false;
  }

  void erase_slice(NamespaceId id, std::string_view name, Changes& changes) {
    const Reference old = slices.find(id, name);
    if (old == 0) return;
    touch(id, service_of_slice(at(old).bytes()), changes);
    unlink(old);
    forget(slices, id, name);
  }
};

Catalog::Catalog() : state_(std::make_unique<State>()) {}
Catalog::~Catalog() = default;
Catalog::Catalog(Catalog&&) noexcept = default;
Catalog& Catalog::operator=(Catalog&&) noexcept = default;

void Catalog::put(const model::Object& object, Changes& changes) {
  if (const auto* const service = std::get_if<model::Service>(&object)) {
    state_->put_service(*service, changes);
  } else if (const auto* const slice = std::get_if<model::EndpointSlice>(&object)) {
    state_->put_slice(*slice, changes);
  } else if (const auto* const name_space = std::get_if<model::Namespace>(&object)) {
    const auto& name = name_space->metadata.name;
    auto const id = state_->namespaces.find_or_add(name);
    if (state_->namespaces.set_exists(id, true)) changes.namespaces.push_back(name);
  }
}

void Catalog::differences(const Catalog& before, Changes& changes) const {
  const State &now = *state_, &then = *before.state_;
  const auto add = [&changes](const State& of, const Record& service) {
    changes.services.push_back({of.namespaces.name(service.name_space()), std::string(service.name())});
  };
  now.services.for_each([&](const Record& service) {
    if (is_absent(service.bytes())) return;
    const Reference old = now.counterpart(then, service);
    if (old == 0 || !State::same(now, service, then, then.at(old))) add(now, service);
  });
  then.services.for_each([&](const Record& service) {
    if (!is_absent(service.bytes()) && then.counterpart(now, service) == 0) add(then, service);
  });
  for (std::string& name : namespaces())
    if (!before.has_namespace(name)) changes.namespaces.push_back(std::move(name));
  for (std::string& name : before.namespaces())
    if (!has_namespace(name)) changes.namespaces.push_back(std::move(name));
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
  const Reference found = state_->find_service(*id, key.name);
  if (found == 0) return std::nullopt;
  const Record& service = state_->at(found);
  model::ServiceView view;
  view.key.name_space = key.name_space;
  read_service(service.bytes(), view);
  for (Reference slice = service.slice(); slice != 0; slice = state_->at(slice).slice())
    view.groups.push_back(read_slice(state_->at(slice).bytes()));
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
  keys.reserve(service_count());
  state_->services.for_each([&](const Record& service) {
    if (is_absent(service.bytes())) return;
    keys.push_back({state_->namespaces.name(service.name_space()), std::string(service.name())});
  });
  std::sort(keys.begin(), keys.end());
  return keys;
}

std::size_t Catalog::service_count() const { return state_->services.size() - state_->absent; }

} // namespace signpost::catalog
