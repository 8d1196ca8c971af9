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
// kernel forgets what it could not write); reads go on. The remedy is a restart on a disk that works.
//
// Threads: as store.hpp says.
#pragma once

#include <cstdint>
#include <memory>
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

private:
  struct State;
  explicit SqliteStore(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

} // namespace signpost::store
