// The store: a small ordered key-value database with one revision for the whole, shaped after etcd v3 so that SQLite
// and etcd can stand behind the same interface (design: standalone and replicated).
//
// Every successful transaction that writes gets the next revision; all its writes carry that one. Keys are ordered
// bytewise. A value is immutable once written, so it is shared, never copied. History is kept for a while: a range at
// an older revision and a watch from an older revision work until compaction passes them.
//
// Threads: all functions may be called from any thread. Callbacks run on the store's own thread and must not block or
// call wait-ing functions of the store; they may call transact().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace signpost::store {

/// Counts writing transactions from 1; 0: nothing written yet, or "the newest" in requests.
using Revision = std::int64_t;
using Value = std::shared_ptr<const std::string>;

struct Entry {
  std::string key;
  Value value;
  Revision created = 0;  // revision that created the key (after its last deletion)
  Revision modified = 0; // revision of this value
};

enum class Failure : std::uint8_t {
  compacted,   // the revision asked for is older than the history kept
  future,      // the revision asked for is not reached yet
  unavailable, // cannot write: disk full, I/O error, closing. Reads go on
  corrupt,     // the data is damaged
};

struct Error {
  Failure failure;
  std::string message; // one sentence for people
};

template <class T>
using Result = tl::expected<T, Error>;

struct RangeRequest {
  std::string begin;     // first key
  std::string end;       // one past the last key; empty: exactly the key `begin`
  Revision revision = 0; // 0: newest
  std::size_t limit = 0; // 0: all
  std::size_t bytes = 0; // of values: the entry that reaches them is the last; 0: any number. A store may give more
};

struct RangeResult {
  std::vector<Entry> entries; // ordered by key
  Revision revision = 0;      // the revision this is the state of
  bool more = false;          // limited, and there is more behind the last entry
  std::size_t total = 0;      // keys in the whole range, also beyond the limit; not counted where `bytes` were asked
};

/// Holds when the key's modified revision equals this (0: the key must not exist).
struct Compare {
  std::string key;
  Revision modified = 0;
};

struct Write {
  std::string key;
  Value value; // nullptr: delete the key (deleting an absent key writes nothing)
};

struct Transaction {
  std::vector<Compare> compares; // all must hold
  std::vector<Write> writes;     // a key at most once
};

struct TransactionResult {
  bool succeeded = false; // false: a compare did not hold, nothing was written
  Revision revision = 0;  // of the writes; the newest if nothing was written
  std::size_t failed = 0; // index of the first compare that did not hold
};

/// One key's change. `previous` is the value before (nullptr: created), `entry.value` nullptr: deleted.
struct Change {
  Entry entry;
  Value previous;
};

/// Changes of one or more whole revisions, in order; a revision is never split over two batches.
struct Batch {
  std::vector<Change> changes;
  Revision revision = 0; // everything up to and including this revision has been delivered
};

/// Ends the watch when destroyed; after the destructor returns, the callback is not running and never runs again
/// (unless destroyed from within the callback itself).
class Watch {
public:
  virtual ~Watch() = default;
};

struct WatchRequest {
  std::string begin, end; // as in RangeRequest
  Revision after = 0;     // deliver what was written after this revision
  // At most so many bytes of values are read from the history for it, so that whoever was away for long cannot make the
  // store hold all of it; where there are more, the revision counts as compacted. 0: no bound.
  std::size_t most_past_bytes = 0;
};

/// Called with nullptr once, as the last call, when the store can no longer tell what came in between (an `objects`
/// source that was reloaded): list again.
using WatchCallback = std::function<void(const std::shared_ptr<const Batch>&)>;

class Store {
public:
  virtual ~Store() = default;

  [[nodiscard]] virtual Result<RangeResult> range(const RangeRequest& request) = 0;

  /// Runs the transaction; `done` is called once it is durable (or has failed). Several that wait are committed
  /// together (group commit), each with its own revision, in the order of the calls.
  virtual void transact(Transaction transaction, std::function<void(Result<TransactionResult>)> done) = 0;

  /// Delivers changes of the range, strictly in order, none left out. compacted: `after` is older than the history.
  /// What is already there is delivered first, from the calling thread or the store's own.
  [[nodiscard]] virtual Result<std::unique_ptr<Watch>> watch(const WatchRequest& request, WatchCallback callback) = 0;

  /// The newest durable revision.
  [[nodiscard]] virtual Revision revision() const = 0;
  /// Revisions up to this one can no longer be read or watched from (0: everything is there).
  [[nodiscard]] virtual Revision compacted() const = 0;

  /// transact() and wait for it. Not from a callback.
  [[nodiscard]] Result<TransactionResult> transact_and_wait(Transaction transaction);
};

/// One past the last key that begins with `prefix`.
[[nodiscard]] std::string prefix_end(std::string_view prefix);

} // namespace signpost::store
