// A hash table of records by namespace and name: four octets per slot, at most seven eighths full, no tombstones.
//
// A record tells its own name, so a slot holds nothing but where it is. Searches for what is not there look at some
// records more than in a sparser table; they are few, and none is a query's. Private to this room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "discovery/catalog/record.hpp"

namespace signpost::catalog {

class Table {
public:
  explicit Table(const memory::Arena& arena) : arena_(arena) {}

  /// 0: there is none.
  [[nodiscard]] Reference find(NamespaceId name_space, std::string_view name) const;
  /// Puts the record in; gives what it replaced, or 0.
  Reference put(Reference record);
  /// Gives what was there, or 0.
  Reference erase(NamespaceId name_space, std::string_view name);

  [[nodiscard]] std::size_t size() const { return size_; }

  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Reference slot : slots_) {
      if (slot != 0) visit(Record::at(arena_, slot));
    }
  }

private:
  [[nodiscard]] bool is(Reference record, NamespaceId name_space, std::string_view name) const;
  [[nodiscard]] std::size_t next(std::size_t i) const { return (i + 1) & (slots_.size() - 1); }
  [[nodiscard]] std::size_t home(NamespaceId name_space, std::string_view name) const;
  [[nodiscard]] std::size_t home_of(Reference record) const;
  void grow();

  const memory::Arena& arena_;
  std::vector<Reference> slots_; // a power of two; 0: empty
  std::size_t size_ = 0;
};

} // namespace signpost::catalog
