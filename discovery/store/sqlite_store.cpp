#include "discovery/store/sqlite_store.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <mutex>
#include <optional>
#include <sqlite3.h>
#include <utility>

#include "discovery/store/apply.hpp"
#include "discovery/store/bus_fault.hpp"
#include "discovery/store/custody.hpp"
#include "discovery/store/feed.hpp"
#include "discovery/store/group_commit.hpp"
#include "discovery/store/sqlite_files.hpp"
#include "discovery/store/sqlite_reader.hpp"

namespace signpost::store {
namespace {

constexpr int checkpoint_pages = 2000;  // of the log before they are copied into the database: 8 MB
constexpr Revision compact_beside = 64; // history rows deleted with a group, beyond those it adds twice
constexpr Revision compact_idle = 1000; // history rows deleted at a time when nothing else waits

// `current` as apply() wants it, and the digest of what is in it.
struct Table {
  Statement modified_of, select, insert_row, update_row, delete_row;
  StateDigest state;

  explicit Table(Connection& connection)
      : modified_of(connection, "SELECT modified FROM current WHERE key = ?1"),
        select(connection, "SELECT value, created, modified, sum FROM current WHERE key = ?1"),
        insert_row(connection, "INSERT INTO current (key, value, created, modified, sum) VALUES (?1, ?2, ?3, ?4, ?5)"),
        update_row(connection, "UPDATE current SET value = ?2, modified = ?3, sum = ?4 WHERE key = ?1"),
        delete_row(connection, "DELETE FROM current WHERE key = ?1") {}

  Revision modified(const std::string& key) {
    auto rows = modified_of(key);
    return rows.next() ? rows.number(0) : 0;
  }
  std::optional<Entry> find(const std::string& key) {
    auto rows = select(key);
    if (!rows.next()) return std::nullopt;
    Entry entry{key, std::make_shared<const std::string>(rows.bytes(0)), rows.number(1), rows.number(2)};
    if (rows.number(3) != sum_of(entry)) throw SqliteError{sqlite_damaged, 0, "a row is not as it was written"};
    return entry;
  }
  void insert(const Entry& entry) {
    const std::int64_t sum = sum_of(entry);
    insert_row.run(entry.key, Statement::Blob{*entry.value}, entry.created, entry.modified, sum);
    state.add(sum);
  }
  void update(const Entry& old, const Entry& entry) {
    const std::int64_t sum = sum_of(entry);
    update_row.run(entry.key, Statement::Blob{*entry.value}, entry.modified, sum);
    state.remove(sum_of(old));
    state.add(sum);
  }
  void erase(const Entry& old) {
    delete_row.run(old.key);
    state.remove(sum_of(old));
  }

  static std::int64_t sum_of(const Entry& entry) {
    return row_sum(entry.key, *entry.value, entry.created, entry.modified);
  }
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
        remember(connection, "INSERT INTO history (revision, time, before, state, sum) VALUES (?1, ?2, ?3, ?4, ?5)"),
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
  State(const Settings& with, SqliteFiles&& files)
      : settings(with), directory(std::move(files.directory)), copy(std::move(files.copy)), file(std::move(files.file)),
        mark(std::move(files.mark)), writer(std::move(files.connection)), readers(file, files.vfs),
        feed(load(files.contents), settings.recent_bytes) {
    if (!files.read_only.empty()) halt({Failure::unavailable, files.read_only});
    custody = Custody(directory.path());
  }

  const Settings settings;
  const DataDirectory directory;
  const MemoryFolder copy;
  const std::string file;
  Mark mark;
  Writer writer;
  ReaderPool readers;

  std::atomic<Revision> revision = 0;
  std::atomic<Revision> compacted = 0;
  std::atomic<std::uint64_t> transactions = 0, groups = 0, failed = 0;

  // Of the writer thread.
  const std::int64_t started = std::time(nullptr); // seconds
  const std::chrono::steady_clock::time_point started_steady = std::chrono::steady_clock::now();
  Revision former = 0;          // the newest revision of the start
  StateDigest state;            // of the newest revision
  std::int64_t oldest_time = 0; // of the history
  int log_pages = 0;
  Custody custody;
  std::optional<Error> stopped; // why nothing is written any more

  mutable std::mutex trouble_mutex;
  std::optional<std::string> trouble; // guarded by trouble_mutex

  Feed feed;
  std::optional<GroupCommit> commits; // last: ends before what it uses

  Revision load(const Contents& contents);
  Committed commit(std::span<Submitted> group);
  Committed commit_or_throw(std::span<Submitted> group);
  Committed refuse(std::span<Submitted> group, const Error& error);
  std::optional<Oldest> compact(Revision newest, Revision at_most);
  void note(const Oldest& oldest);
  void checkpoint();
  void stop(const SqliteError& error);
  void halt(Error error);
  void tell(std::optional<std::string> problem);
  bool in_custody();
  [[nodiscard]] std::chrono::seconds running() const;
  std::optional<std::chrono::milliseconds> tidy();
  [[nodiscard]] bool beyond(Revision newest) const;

  template <class Read>
  auto read(Read read) -> decltype(read(std::declval<ReaderPool::Loan&>()));
};

Revision SqliteStore::State::load(const Contents& contents) {
  former = contents.newest;
  revision = contents.newest;
  state = contents.state;
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
  oldest_time = oldest.revision <= former ? std::min(oldest.time, started) : oldest.time;
}

std::chrono::seconds SqliteStore::State::running() const {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - started_steady);
}

// More revisions than are kept for their number; whether they are old enough is another question.
bool SqliteStore::State::beyond(Revision newest) const {
  return newest - compacted > static_cast<Revision>(std::max<std::size_t>(1, settings.history.revisions));
}

// Deletes rows of the history that are beyond both limits, in the writer's open transaction. Gives what is the
// oldest one then (nullopt: nothing was due).
std::optional<Oldest> SqliteStore::State::compact(Revision newest, Revision at_most) {
  const std::int64_t old = started + running().count() - settings.history.age.count();
  if (!beyond(newest) || oldest_time > old) return std::nullopt;
  const auto keep = static_cast<Revision>(std::max<std::size_t>(1, settings.history.revisions));
  const Revision most = std::min(newest - keep, compacted + at_most);
  // Whatever its stamps say, what was there at the start is at least as old as we run.
  Revision upto = running() >= settings.history.age ? std::min(most, former) : 0;
  {
    auto rows = writer.due(most, old);
    if (rows.next()) upto = std::max<Revision>(upto, rows.number(0));
  }
  if (upto <= compacted) return std::nullopt;
  writer.forget.run(upto);
  return writer.oldest_kept();
}

Committed SqliteStore::State::refuse(std::span<Submitted> group, const Error& error) {
  failed += group.size();
  return {std::vector<Result<TransactionResult>>(group.size(), tl::make_unexpected(error)), nullptr};
}

void SqliteStore::State::stop(const SqliteError& error) {
  if (error.damaged()) {
    halt(to_error(file, error));
  } else {
    halt({Failure::unavailable, "the disk of " + file + " failed (" + error.message +
                                    "); nothing is written any more until a restart on a disk that works"});
  }
}

// For good: also the log is left as it is, for it may be all that there is, or no longer ours.
void SqliteStore::State::halt(Error error) {
  stopped = std::move(error);
  writer.connection.leave_log();
  tell(stopped->message);
}

void SqliteStore::State::tell(std::optional<std::string> problem) {
  {
    const std::lock_guard lock(trouble_mutex);
    const bool same = trouble.has_value() == problem.has_value();
    trouble = problem;
    if (same) return;
  }
  if (settings.report) settings.report(problem ? *problem : file + " is written again");
}

// Whether what is written now will be found by those who look for it by name.
bool SqliteStore::State::in_custody() {
  const std::string remedy = "; nothing is written any more until a restart with the folder in order";
  if (auto gone = custody.missing()) {
    halt({Failure::unavailable, *gone + " while it was in use" + remedy});
    return false;
  }
  switch (custody.written()) {
  case Custody::Foreign::none: return true;
  case Custody::Foreign::log:
    halt({Failure::unavailable, "another program has written to " + file + "-wal" + remedy});
    return false;
  case Custody::Foreign::database: break;
  }
  // Perhaps only the log was copied into it. What is read is what the disk has: the connection is a new one.
  std::string damage;
  try {
    Connection fresh({.file = file, .vfs = settings.vfs});
    const auto contents = read_contents(fresh);
    if (!contents) damage = contents.error();
    if (contents && (contents->newest != revision || contents->state != state)) damage = "it is of another time";
  } catch (const SqliteError& error) {
    damage = error.message;
  }
  if (!damage.empty()) {
    halt({Failure::corrupt, "another program has written to " + file + " (" + damage + ")" + remedy});
    return false;
  }
  custody.note();
  return true;
}

Committed SqliteStore::State::commit(std::span<Submitted> group) {
  transactions += group.size();
  if (stopped || !in_custody()) return refuse(group, *stopped);
  const unsigned faults = bus_faults();
  try {
    Committed committed = commit_or_throw(group);
    ++groups;
    if (stopped) return committed;
    checkpoint();
    custody.note();
    if (!stopped) tell(std::nullopt);
    if (bus_faults() != faults) writer.connection.forget_index();
    return committed;
  } catch (const SqliteError& error) {
    writer.undo();
    if (error.damaged() || error.disk()) stop(error);
    const Error why = stopped ? *stopped : to_error(file, error);
    if (!stopped) custody.note();
    tell(why.message);
    return refuse(group, why);
  }
}

Committed SqliteStore::State::commit_or_throw(std::span<Submitted> group) {
  Committed committed;
  auto batch = std::make_shared<Batch>();
  Revision newest = revision;
  const std::int64_t now = started + running().count();
  writer.table.state = state;
  std::string changes;
  writer.begin.run();
  for (Submitted& submitted : group) {
    changes.clear();
    const TransactionResult result = apply(writer.table, submitted.transaction, newest, batch->changes, changes);
    if (result.revision > newest) {
      newest = result.revision;
      const std::int64_t digest = writer.table.state.value();
      writer.remember.run(newest, now, Statement::Blob{changes}, digest, history_sum(newest, now, changes, digest));
    }
    committed.results.emplace_back(result);
  }
  std::optional<Oldest> oldest;
  if (!batch->changes.empty()) oldest = compact(newest, 2 * std::ssize(group) + compact_beside);
  writer.commit.run();

  if (batch->changes.empty()) return committed;
  // Removed in the middle of it: it is written, but where nobody finds it.
  if (auto gone = custody.missing()) {
    halt({Failure::unavailable, *gone + " while it was written; nothing is written any more until a restart"});
    return refuse(group, *stopped);
  }
  if (!mark.write(newest)) {
    halt({Failure::unavailable, "cannot write " + directory.path() + "/mark (" + std::strerror(errno) +
                                    "); nothing is written any more until a restart on a disk that works"});
  }
  state = writer.table.state;
  revision = newest;
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
  if (stopped || !beyond(revision) || !in_custody()) return std::nullopt;
  try {
    writer.begin.run();
    const auto oldest = compact(revision, compact_idle);
    writer.commit.run();
    custody.note();
    if (!oldest) return std::chrono::seconds(std::clamp<std::int64_t>(settings.history.age.count() / 4, 1, 60));
    note(*oldest);
    checkpoint();
    custody.note();
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
    // A file that was cut short under the read: what came of it is not to be trusted; the next loan mends that.
    for (int more = 3;; --more) {
      const unsigned faults = bus_faults();
      ReaderPool::Loan loan = readers.borrow();
      auto result = read(loan);
      if (bus_faults() == faults || more == 0) return result;
    }
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
  survive_bus_faults();
  auto files = open_files(settings.directory, settings.vfs);
  if (!files) return tl::make_unexpected(files.error());
  const std::string file = files->file;
  const std::vector<std::string> notices = files->notices;
  try {
    auto state = std::make_unique<State>(settings, std::move(*files));
    if (settings.report) {
      for (const std::string& notice : notices) settings.report(notice);
    }
    return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(state)));
  } catch (const SqliteError& error) {
    if (error.damaged()) return tl::make_unexpected(damaged_sentence(file, error.message));
    return tl::make_unexpected("cannot open " + file + ": " + error.message);
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

std::optional<std::string> SqliteStore::trouble() const {
  const std::lock_guard lock(state_->trouble_mutex);
  return state_->trouble;
}

SqliteStore::Counters SqliteStore::counters() const { return {state_->transactions, state_->groups, state_->failed}; }

} // namespace signpost::store
