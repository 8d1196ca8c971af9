// A hash table of owned entries that know their own namespace and name: eight bytes per slot, at most three quarters
// full, no tombstones.
//
// Entry needs name_space() and name(); Pointer is a unique_ptr to it. Private to this room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

namespace signpost::catalog {

template <class Pointer>
class Table {
public:
  using Entry = typename Pointer::element_type;

  /// nullptr: there is none.
  [[nodiscard]] Entry* find(std::uint32_t name_space, std::string_view name) const {
    if (slots_.empty()) return nullptr;
    for (auto i = home(name_space, name);; i = next(i)) {
      Entry* const entry = slots_[i].get();
      if (entry == nullptr || is(*entry, name_space, name)) return entry;
    }
  }

  /// Puts the entry in; gives what it replaced, or nullptr.
  Pointer put(Pointer entry) {
    if ((size_ + 1) * 4 > slots_.size() * 3) grow();
    for (auto i = home(entry->name_space(), entry->name());; i = next(i)) {
      auto& slot = slots_[i];
      if (slot && !is(*slot, entry->name_space(), entry->name())) continue;
      if (!slot) ++size_;
      std::swap(slot, entry);
      return entry;
    }
  }

  /// Gives what was there, or nullptr.
  Pointer erase(std::uint32_t name_space, std::string_view name) {
    if (slots_.empty()) return nullptr;
    auto i = home(name_space, name);
    while (slots_[i] && !is(*slots_[i], name_space, name)) i = next(i);
    Pointer gone = std::move(slots_[i]);
    if (!gone) return nullptr;
    --size_;
    // What stands behind moves up where it may: no entry is ever behind an empty slot that its search would meet.
    for (auto j = next(i); slots_[j]; j = next(j)) {
      auto const wanted = home(slots_[j]->name_space(), slots_[j]->name());
      bool const may_stay = i <= j ? (i < wanted && wanted <= j) : (i < wanted || wanted <= j);
      if (may_stay) continue;
      slots_[i] = std::move(slots_[j]);
      i = j;
    }
    return gone;
  }

  [[nodiscard]] std::size_t size() const { return size_; }

  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& slot : slots_) {
      if (slot) visit(*slot);
    }
  }

private:
  static bool is(const Entry& entry, std::uint32_t name_space, std::string_view name) {
    return entry.name_space() == name_space && entry.name() == name;
  }
  [[nodiscard]] std::size_t next(std::size_t i) const { return (i + 1) & (slots_.size() - 1); }
  [[nodiscard]] std::size_t home(std::uint32_t name_space, std::string_view name) const {
    auto const hash = std::hash<std::string_view>{}(name) ^ (name_space * std::uint64_t{0x9e3779b97f4a7c15});
    return static_cast<std::size_t>(hash ^ hash >> 32) & (slots_.size() - 1);
  }
  void grow() {
    std::vector<Pointer> old(slots_.empty() ? 16 : slots_.size() * 2);
    old.swap(slots_);
    for (auto& entry : old) {
      if (!entry) continue;
      auto i = home(entry->name_space(), entry->name());
      while (slots_[i]) i = next(i);
      slots_[i] = std::move(entry);
    }
  }

  std::vector<Pointer> slots_; // a power of two
  std::size_t size_ = 0;
};

} // namespace signpost::catalog
