#include "discovery/catalog/table.hpp"

#include <functional>
#include <utility>

namespace signpost::catalog {

Reference Table::find(NamespaceId name_space, std::string_view name) const {
  if (slots_.empty()) return 0;
  for (auto i = home(name_space, name);; i = next(i)) {
    if (slots_[i] == 0 || is(slots_[i], name_space, name)) return slots_[i];
  }
}

Reference Table::put(Reference record) {
  if ((size_ + 1) * 8 > slots_.size() * 7) grow();
  const Record& fresh = Record::at(arena_, record);
  for (auto i = home_of(record);; i = next(i)) {
    if (slots_[i] != 0 && !is(slots_[i], fresh.name_space(), fresh.name())) continue;
    if (slots_[i] == 0) ++size_;
    return std::exchange(slots_[i], record);
  }
}

Reference Table::erase(NamespaceId name_space, std::string_view name) {
  if (slots_.empty()) return 0;
  auto i = home(name_space, name);
  while (slots_[i] != 0 && !is(slots_[i], name_space, name)) i = next(i);
  const Reference gone = std::exchange(slots_[i], 0);
  if (gone == 0) return 0;
  --size_;
  // What stands behind moves up where it may: no record is ever behind an empty slot that its search would meet.
  for (auto j = next(i); slots_[j] != 0; j = next(j)) {
    auto const wanted = home_of(slots_[j]);
    bool const may_stay = i <= j ? (i < wanted && wanted <= j) : (i < wanted || wanted <= j);
    if (may_stay) continue;
    slots_[i] = std::exchange(slots_[j], 0);
    i = j;
  }
  return gone;
}

bool Table::is(Reference record, NamespaceId name_space, std::string_view name) const {
  const Record& there = Record::at(arena_, record);
  return there.name_space() == name_space && there.name() == name;
}

std::size_t Table::home(NamespaceId name_space, std::string_view name) const {
  auto const hash = std::hash<std::string_view>{}(name) ^ (name_space * std::uint64_t{0x9e3779b97f4a7c15});
  return static_cast<std::size_t>(hash ^ hash >> 32) & (slots_.size() - 1);
}

std::size_t Table::home_of(Reference record) const {
  const Record& there = Record::at(arena_, record);
  return home(there.name_space(), there.name());
}

void Table::grow() {
  std::vector<Reference> old(slots_.empty() ? 16 : slots_.size() * 2);
  old.swap(slots_);
  for (const Reference record : old) {
    if (record == 0) continue;
    auto i = home_of(record);
    while (slots_[i] != 0) i = next(i);
    slots_[i] = record;
  }
}

} // namespace signpost::catalog
