// The store of one machine: an SQLite database in a folder of its own.
//
// One writer commits groups of transactions (group_commit.hpp) with the write-ahead log and a full fsync: what is
// acknowledged survives a kill and a power cut. Readers have connections of their own and see the newest committed
// revision without waiting for the writer. Live watches are fed from memory and never read the database.
//
// Tables: `current` has each key as it is; `history` has of each revision what its keys were before (history.hpp), so
// the newest revision is the last row of `history` and compaction deletes its first rows, a few with each group.
//
// Out of space: the group fails with Failure::unavailable and nothing of it is written; later ones succeed when there
// is room again. After a failed write or fsync the store writes no more, for nobody knows what the disk has (the
// kernel forgets what it could not write); reads go on. The remedy is a restart on a disk that works. The same where
// the files are no longer those that were opened, or somebody else wrote to them (custody.hpp).
//
// Damage: all that is stored has checksums, which are compared at the start and with each read; a store that has fewer
// revisions than it acknowledged is not opened (mark.hpp, sqlite_files.hpp).
//
// Clocks: the age of history is measured by the steady clock from the start on; the stamps that are stored count for
// what was written before it, and a stamp from the future counts as one of the start.
//
// Threads: as store.hpp says.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "discovery/store/history.hpp"
#include "discovery/store/store.hpp"

namespace signpost::store {

class SqliteStore : public Store {
public:
  struct Settings {
    std::string directory;              // created if missing; one process at a time
    HistorySettings history;            // `history 100000 5m`
    std::size_t recent_bytes = 1 << 20; // of recent changes kept in memory for watches that join a moment late
    std::string vfs;                    // SQLite's way to the disk; empty: the system's. Tests put faults in between
    // Told in one sentence each: at the start, what is unusual about the folder; later, that writing does not work
    // (once, until it does) and that it works again. From open() and the store's own thread; may be empty.
    std::function<void(const std::string& sentence)> report = {};
  };

  /// Figures since the start, for metrics.
  struct Counters {
    std::uint64_t transactions = 0; // asked for
    std::uint64_t groups = 0;       // committed groups: one fsync each
    std::uint64_t failed = 0;       // transactions that could not be written
  };

  /// One sentence with a remedy if it cannot: in use, not writable, damaged, of a newer version.
  [[nodiscard]] static tl::expected<std::unique_ptr<SqliteStore>, std::string> open(const Settings& settings);
  ~SqliteStore() override;

  [[nodiscard]] Result<RangeResult> range(const RangeRequest& request) override;
  void transact(Transaction transaction, std::function<void(Result<TransactionResult>)> done) override;
  [[nodiscard]] Result<std::unique_ptr<Watch>> watch(const WatchRequest& request, WatchCallback callback) override;
  [[nodiscard]] Revision revision() const override;
  [[nodiscard]] Revision compacted() const override;

  [[nodiscard]] Counters counters() const;
  /// Why the last write was refused or none is taken any more, in one sentence; nullopt: writing works.
  [[nodiscard]] std::optional<std::string> trouble() const;

private:
  struct State;
  explicit SqliteStore(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

} // namespace signpost::store
