#include "discovery/store/sqlite_store.hpp"

#include <algorithm>
#include <atomic>
#include <ctime>
#include <optional>
#include <sqlite3.h>
#include <utility>

#include "discovery/store/apply.hpp"
#include "discovery/store/data_directory.hpp"
#include "discovery/store/feed.hpp"
#include "discovery/store/group_commit.hpp"
#include "discovery/store/sqlite_reader.hpp"
#include "discovery/store/sqlite_schema.hpp"

namespace signpost::store {
namespace {

constexpr int checkpoint_pages = 2000;  // of the log before they are copied into the database: 8 MB
constexpr Revision compact_beside = 64; // history rows deleted with a group, beyond those it adds twice
constexpr Revision compact_idle = 1000; // history rows deleted at a time when nothing else waits

// `current` as apply() wants it.
struct Table {
  Statement modified_of, select, insert_row, update_row, delete_row;

  explicit Table(Connection& connection)
      : modified_of(connection, "SELECT modified FROM current WHERE key = ?1"),
        select(connection, "SELECT value, created, modified FROM current WHERE key = ?1"),
        insert_row(connection, "INSERT INTO current (key, value, created, modified) VALUES (?1, ?2, ?3, ?4)"),
        update_row(connection, "UPDATE current SET value = ?2, modified = ?3 WHERE key = ?1"),
        delete_row(connection, "DELETE FROM current WHERE key = ?1") {}

  Revision modified(const std::string& key) {
    auto rows = modified_of(key);
    return rows.next() ? rows.number(0) : 0;
  }
  std::optional<Entry> find(const std::string& key) {
    auto rows = select(key);
    if (!rows.next()) return std::nullopt;
    return Entry{key, std::make_shared<const std::string>(rows.bytes(0)), rows.number(1), rows.number(2)};
  }
  void insert(const Entry& entry) {
    insert_row.run(entry.key, Statement::Blob{*entry.value}, entry.created, entry.modified);
  }
  void update(const Entry& entry) { update_row.run(entry.key, Statement::Blob{*entry.value}, entry.modified); }
  void erase(const std::string& key) { delete_row.run(key); }
};

// The first row of the history. Revision 0: there is none.
struct Oldest {
  Revision revision = 0;
  std::int64_t time = 0; // seconds since 1970
};

// Everything the writer's connection does; only the writer thread uses it.
struct Writer {
  Connection connection;
  Table table;
  Statement begin, commit, rollback, remember, forget, oldest, due;

  explicit Writer(Connection&& opened)
      : connection(std::move(opened)), table(connection), begin(connection, "BEGIN IMMEDIATE"),
        commit(connection, "COMMIT"), rollback(connection, "ROLLBACK"),
        remember(connection, "INSERT INTO history (revision, time, before) VALUES (?1, ?2, ?3)"),
        forget(connection, "DELETE FROM history WHERE revision <= ?1"),
        oldest(connection, "SELECT revision, time FROM history ORDER BY revision LIMIT 1"),
        due(connection,
            "SELECT revision FROM history WHERE revision <= ?1 AND time <= ?2 ORDER BY revision DESC LIMIT 1") {}

  [[nodiscard]] Oldest oldest_kept() {
    auto rows = oldest();
    if (!rows.next()) return {};
    return {rows.number(0), rows.number(1)};
  }

  void undo() {
    try {
      if (connection.in_transaction()) rollback.run();
    } catch (const SqliteError&) { // SQLite has rolled back by itself then
    }
  }
};

Error to_error(const std::string& file, const SqliteError& error) {
  if (error.damaged()) return {Failure::corrupt, damaged_sentence(file, error.message)};
  if (error.full())
    return {Failure::unavailable,
            "no space to write " + file + " (" + error.message + "); make room on its file system"};
  return {Failure::unavailable, "cannot use " + file + ": " + error.message};
}

} // namespace

struct SqliteStore::State {
  State(const Settings& with, DataDirectory&& opened, std::string path, Connection&& connection)
      : settings(with), directory(std::move(opened)), file(std::move(path)), writer(std::move(connection)),
        readers(file, settings.vfs), feed(load(), settings.recent_bytes) {}

  const Settings settings;
  const DataDirectory directory;
  const std::string file;
  Writer writer;
  ReaderPool readers;

  std::atomic<Revision> revision = 0;
  std::atomic<Revision> compacted = 0;
  std::atomic<std::uint64_t> transactions = 0, groups = 0, failed = 0;

  // Of the writer thread.
  std::int64_t newest_time = 0, oldest_time = 0; // seconds, of the history
  int log_pages = 0;
  std::optional<Error> stopped; // why nothing is written any more

  Feed feed;
  std::optional<GroupCommit> commits; // last: ends before what it uses

  Revision load();
  Committed commit(std::span<Submitted> group);
  Committed commit_or_throw(std::span<Submitted> group);
  Committed refuse(std::span<Submitted> group, const Error& error);
  std::optional<Oldest> compact(Revision newest, Revision at_most);
  void note(const Oldest& oldest);
  void checkpoint();
  void stop(const SqliteError& error);
  std::optional<std::chrono::milliseconds> tidy();
  [[nodiscard]] bool beyond(Revision newest) const;

  template <class Read>
  auto read(Read read) -> decltype(read(std::declval<ReaderPool::Loan&>()));
};

Revision SqliteStore::State::load() {
  revision = writer.connection.number("SELECT max(revision) FROM history");
  newest_time =
      writer.connection.number("SELECT max(time) FROM history WHERE revision = (SELECT max(revision) FROM history)");
  note(writer.oldest_kept());
  sqlite3_wal_hook(
      writer.connection.handle(),
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<State*>(self)->log_pages = pages;
        return SQLITE_OK;
      },
      this);
  return revision;
}

void SqliteStore::State::note(const Oldest& oldest) {
  compacted = oldest.revision == 0 ? 0 : oldest.revision - 1;
  oldest_time = oldest.time;
}

// More revisions than are kept for their number; whether they are old enough is another question.
bool SqliteStore::State::beyond(Revision newest) const {
  return newest - compacted > static_cast<Revision>(std::max<std::size_t>(1, settings.history.revisions));
}

// Deletes rows of the history that are beyond both limits, in the writer's open transaction. Gives what is the
// oldest one then (nullopt: nothing was due).
std::optional<Oldest> SqliteStore::State::compact(Revision newest, Revision at_most) {
  const std::int64_t old = std::time(nullptr) - settings.history.age.count();
  if (!beyond(newest) || oldest_time > old) return std::nullopt;
  const auto keep = static_cast<Revision>(std::max<std::size_t>(1, settings.history.revisions));
  Revision upto = 0;
  {
    auto rows = writer.due(std::min(newest - keep, compacted + at_most), old);
    if (!rows.next()) return std::nullopt;
    upto = rows.number(0);
  }
  writer.forget.run(upto);
  return writer.oldest_kept();
}

Committed SqliteStore::State::refuse(std::span<Submitted> group, const Error& error) {
  failed += group.size();
  return {std::vector<Result<TransactionResult>>(group.size(), tl::make_unexpected(error)), nullptr};
}

void SqliteStore::State::stop(const SqliteError& error) {
  if (error.damaged()) {
    stopped = to_error(file, error);
  } else {
    stopped = Error{Failure::unavailable, "the disk of " + file + " failed (" + error.message +
                                              "); nothing is written any more until a restart on a disk that works"};
    writer.connection.leave_log();
  }
}

Committed SqliteStore::State::commit(std::span<Submitted> group) {
  transactions += group.size();
  if (stopped) return refuse(group, *stopped);
  try {
    Committed committed = commit_or_throw(group);
    ++groups;
    checkpoint();
    return committed;
  } catch (const SqliteError& error) {
    writer.undo();
    if (error.damaged() || error.disk()) stop(error);
    return refuse(group, stopped ? *stopped : to_error(file, error));
  }
}

Committed SqliteStore::State::commit_or_throw(std::span<Submitted> group) {
  Committed committed;
  auto batch = std::make_shared<Batch>();
  Revision newest = revision;
  const std::int64_t now = std::max<std::int64_t>(newest_time, std::time(nullptr));
  std::string changes;
  writer.begin.run();
  for (Submitted& submitted : group) {
    changes.clear();
    const TransactionResult result = apply(writer.table, submitted.transaction, newest, batch->changes, changes);
    if (result.revision > newest) {
      newest = result.revision;
      writer.remember.run(newest, now, Statement::Blob{changes});
    }
    committed.results.emplace_back(result);
  }
  std::optional<Oldest> oldest;
  if (!batch->changes.empty()) oldest = compact(newest, 2 * std::ssize(group) + compact_beside);
  writer.commit.run();

  if (batch->changes.empty()) return committed;
  revision = newest;
  newest_time = now;
  if (oldest_time == 0) oldest_time = now;
  if (oldest) note(*oldest);
  batch->revision = newest;
  committed.batch = std::move(batch);
  return committed;
}

// Copies the log into the database. What is in the log is durable already; that copying fails for want of space or
// because readers are in the way is no loss, that the disk fails is: then the log must be kept.
void SqliteStore::State::checkpoint() {
  if (log_pages < checkpoint_pages) return;
  const int code =
      sqlite3_wal_checkpoint_v2(writer.connection.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  log_pages = 0;
  if (code == SQLITE_OK) return;
  const SqliteError error = writer.connection.error(code);
  if (error.damaged() || error.disk()) stop(error);
}

// What is due when no transaction waits. Age makes history due without any transaction, hence the clock.
std::optional<std::chrono::milliseconds> SqliteStore::State::tidy() {
  if (stopped || !beyond(revision)) return std::nullopt;
  try {
    writer.begin.run();
    const auto oldest = compact(revision, compact_idle);
    writer.commit.run();
    if (!oldest) return std::chrono::seconds(std::clamp<std::int64_t>(settings.history.age.count() / 4, 1, 60));
    note(*oldest);
    checkpoint();
    return std::chrono::milliseconds(1);
  } catch (const SqliteError& error) {
    writer.undo();
    if (error.damaged() || error.disk()) stop(error);
    return std::chrono::seconds(60);
  }
}

template <class Read>
auto SqliteStore::State::read(Read read) -> decltype(read(std::declval<ReaderPool::Loan&>())) {
  try {
    ReaderPool::Loan loan = readers.borrow();
    return read(loan);
  } catch (const SqliteError& error) {
    return tl::make_unexpected(to_error(file, error));
  }
}

SqliteStore::SqliteStore(std::unique_ptr<State> state) : state_(std::move(state)) {
  State& own = *state_;
  own.commits.emplace(
      own.feed, [&own](std::span<Submitted> group) { return own.commit(group); }, [&own] { return own.tidy(); });
}

SqliteStore::~SqliteStore() = default;

tl::expected<std::unique_ptr<SqliteStore>, std::string> SqliteStore::open(const Settings& settings) {
  auto directory = DataDirectory::open(settings.directory);
  if (!directory) return tl::make_unexpected(directory.error());
  auto file = directory->file("registry.db");
  if (!file) return tl::make_unexpected(file.error());
  auto database = open_database(*file, settings.vfs);
  if (!database) return tl::make_unexpected(database.error());
  try {
    auto state = std::make_unique<State>(settings, std::move(*directory), *file, std::move(*database));
    return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(state)));
  } catch (const SqliteError& error) {
    if (error.damaged()) return tl::make_unexpected(damaged_sentence(*file, error.message));
    return tl::make_unexpected("cannot open " + *file + ": " + error.message);
  }
}

Result<RangeResult> SqliteStore::range(const RangeRequest& request) {
  return state_->read([&](ReaderPool::Loan& reader) { return reader->range(request); });
}

void SqliteStore::transact(Transaction transaction, std::function<void(Result<TransactionResult>)> done) {
  state_->commits->submit({std::move(transaction), std::move(done)});
}

Result<std::unique_ptr<Watch>> SqliteStore::watch(const WatchRequest& request, WatchCallback callback) {
  State& state = *state_;
  if (request.after > state.revision) {
    // A range may have seen a commit that the writer has not announced yet.
    const auto newest = state.read([](ReaderPool::Loan& reader) -> Result<Revision> { return reader->revision(); });
    if (!newest) return tl::make_unexpected(newest.error());
    if (request.after > *newest) return tl::make_unexpected(future_error(request.after, *newest));
  }
  if (const Revision gone = state.compacted; !within_history(request.after, gone)) {
    return tl::make_unexpected(compacted_error(request.after, gone));
  }
  return state.feed.attach(request, std::move(callback), [&state](const WatchRequest& asked, Revision until) {
    return state.read([&](ReaderPool::Loan& reader) { return reader->changes(asked, until); });
  });
}

Revision SqliteStore::revision() const { return state_->revision; }
Revision SqliteStore::compacted() const { return state_->compacted; }

SqliteStore::Counters SqliteStore::counters() const { return {state_->transactions, state_->groups, state_->failed}; }

} // namespace signpost::store
