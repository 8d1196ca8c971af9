// What a transaction does to a table of keys: the one place that defines compares, revisions, events and history, for
// every store of our own.
//
// `Table` has: Revision modified(key), 0 if absent; std::optional<Entry> find(key); void insert(Entry), update(old
// Entry, Entry), erase(old Entry).
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "discovery/store/history.hpp"
#include "discovery/store/store.hpp"

namespace signpost::store {

/// Runs the transaction on the table at revision `newest`. If it writes, the changes are appended to `changes` and
/// their history to `history`, and result.revision is newest + 1.
template <class Table>
TransactionResult apply(Table& table, Transaction& transaction, Revision newest, std::vector<Change>& changes,
                        std::string& history) {
  // A key that is compared and written is looked up once; in large transactions finding it out would cost more.
  constexpr std::size_t few = 16;
  std::vector<Write>& writes = transaction.writes;
  std::vector<std::optional<Entry>> before(writes.size());
  std::vector<bool> known(writes.size());

  for (std::size_t i = 0; i < transaction.compares.size(); ++i) {
    const Compare& compare = transaction.compares[i];
    Revision modified = 0;
    auto write = writes.end();
    if (writes.size() <= few) {
      write = std::find_if(writes.begin(), writes.end(), [&](const Write& w) { return w.key == compare.key; });
    }
    if (write != writes.end()) {
      const auto at = static_cast<std::size_t>(write - writes.begin());
      if (!known[at]) before[at] = table.find(compare.key);
      known[at] = true;
      modified = before[at] ? before[at]->modified : 0;
    } else {
      modified = table.modified(compare.key);
    }
    if (modified != compare.modified) return {.succeeded = false, .revision = newest, .failed = i};
  }

  const Revision revision = newest + 1;
  bool written = false;
  for (std::size_t i = 0; i < writes.size(); ++i) {
    Write& write = writes[i];
    if (!known[i]) before[i] = table.find(write.key);
    std::optional<Entry>& old = before[i];
    if (!write.value && !old) continue;
    written = true;

    Before past{write.key, {}};
    if (old) past = {write.key, *old->value, old->created, old->modified};
    encode(history, past);

    Entry entry{std::move(write.key), std::move(write.value), old ? old->created : revision, revision};
    if (!entry.value) {
      table.erase(*old);
    } else if (old) {
      table.update(*old, entry);
    } else {
      table.insert(entry);
    }
    changes.push_back({std::move(entry), old ? std::move(old->value) : nullptr});
  }
  return {.succeeded = true, .revision = written ? revision : newest, .failed = 0};
}

} // namespace signpost::store
