#include "discovery/store/sqlite_schema.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>

namespace signpost::store {
namespace {

// Checking every page of a larger file would be felt at start; there damage is recognised when the page is read.
constexpr std::uintmax_t checked_whole = 16 << 20; // bytes

// The page size is left at 4096: a frame of the log for each changed page is what a commit costs.
constexpr const char* create_current = R"(CREATE TABLE current (
    key      TEXT    PRIMARY KEY,
    value    BLOB    NOT NULL,
    created  INTEGER NOT NULL,  -- revision that created the key
    modified INTEGER NOT NULL,  -- revision of this value
    sum      INTEGER NOT NULL   -- of the other columns
  ) WITHOUT ROWID)";
constexpr const char* create_history = R"(CREATE TABLE history (
    revision INTEGER PRIMARY KEY,
    time     INTEGER NOT NULL,  -- seconds since 1970, by the clock of that moment
    before   BLOB    NOT NULL,  -- what the changed keys were: history.cpp, encode()
    state    INTEGER NOT NULL,  -- digest of `current` at this revision
    sum      INTEGER NOT NULL   -- of the other columns
  ))";
constexpr const char* put_current =
    "INSERT INTO current (key, value, created, modified, sum) VALUES (?1, ?2, ?3, ?4, ?5)";
constexpr const char* put_history =
    "INSERT INTO history (revision, time, before, state, sum) VALUES (?1, ?2, ?3, ?4, ?5)";

// Rolls back unless committed.
class OneTransaction {
public:
  explicit OneTransaction(Connection& connection) : connection_(connection) { connection_.execute("BEGIN IMMEDIATE"); }
  OneTransaction(const OneTransaction&) = delete;
  OneTransaction& operator=(const OneTransaction&) = delete;
  void commit() { connection_.execute("COMMIT"); }
  ~OneTransaction() {
    try {
      if (connection_.in_transaction()) connection_.execute("ROLLBACK");
    } catch (const SqliteError&) { // SQLite has rolled back by itself then
    }
  }

private:
  Connection& connection_;
};

void number_schema(Connection& database) {
  database.execute(("PRAGMA application_id = " + std::to_string(application_id)).c_str());
  database.execute(("PRAGMA user_version = " + std::to_string(schema_version)).c_str());
}

void create(Connection& database) {
  OneTransaction transaction(database);
  database.execute(create_current);
  database.execute(create_history);
  number_schema(database);
  transaction.commit();
}

// The whole of it or nothing: a program that ends in the middle leaves schema 1.
void upgrade(Connection& database) {
  OneTransaction transaction(database);
  database.execute("ALTER TABLE current RENAME TO old_current");
  database.execute("ALTER TABLE history RENAME TO old_history");
  database.execute(create_current);
  database.execute(create_history);
  StateDigest state;
  {
    Statement read(database, "SELECT key, value, created, modified FROM old_current ORDER BY key");
    Statement put(database, put_current);
    auto rows = read();
    while (rows.next()) {
      const std::int64_t sum = row_sum(rows.bytes(0), rows.bytes(1), rows.number(2), rows.number(3));
      put.run(rows.bytes(0), Statement::Blob{rows.bytes(1)}, rows.number(2), rows.number(3), sum);
      state.add(sum);
    }
  }
  {
    // Only the newest state is known, and only its digest is ever compared.
    const std::int64_t newest = database.number("SELECT max(revision) FROM old_history");
    Statement read(database, "SELECT revision, time, before FROM old_history ORDER BY revision");
    Statement put(database, put_history);
    auto rows = read();
    while (rows.next()) {
      const std::int64_t digest = rows.number(0) == newest ? state.value() : 0;
      put.run(rows.number(0), rows.number(1), Statement::Blob{rows.bytes(2)}, digest,
              history_sum(rows.number(0), rows.number(1), rows.bytes(2), digest));
    }
  }
  database.execute("DROP TABLE old_current");
  database.execute("DROP TABLE old_history");
  number_schema(database);
  transaction.commit();
}

// One wrong letter in a definition, and columns would be compared in another way.
bool defined_as_written(Connection& database) {
  return database.number("SELECT count(*) FROM sqlite_schema") == 2 &&
         database.text("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'current'") == create_current &&
         database.text("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'history'") == create_history;
}

/// True: it was of an older schema.
tl::expected<bool, std::string> bring_up(Connection& database, const std::string& file) {
  const std::int64_t version = database.number("PRAGMA user_version");
  const std::int64_t owner = database.number("PRAGMA application_id");
  if (owner == 0 && version == 0 && database.number("SELECT count(*) FROM sqlite_schema") == 0) {
    create(database);
    return false;
  }
  if (owner != application_id) {
    return tl::make_unexpected(file + " is a database of another program; choose another folder for the data");
  }
  if (version > schema_version) {
    return tl::make_unexpected(file + " was written by a newer Signpost (schema " + std::to_string(version) +
                               ", this one knows " + std::to_string(schema_version) +
                               "): start that version, or restore a snapshot taken with this one");
  }
  if (version < 1) return tl::make_unexpected(damaged_sentence(file, "it has no version"));
  if (version == schema_version) return false;
  upgrade(database);
  return true;
}

tl::expected<void, std::string> check_pages(Connection& database, const std::string& file) {
  std::error_code unknown;
  if (std::filesystem::file_size(file, unknown) > checked_whole || unknown) return {};
  if (const std::string found = database.text("PRAGMA quick_check(1)"); found != "ok") {
    return tl::make_unexpected(damaged_sentence(file, found));
  }
  return {};
}

// The rows of the history that are there, first to last; all of them are read if they are few.
tl::expected<void, std::string> check_history(Connection& database, const Contents& contents) {
  const Revision first = database.number("SELECT min(revision) FROM history");
  const auto count = static_cast<Revision>(database.number("SELECT count(*) FROM history"));
  const std::string gap = "revisions are missing in the history";
  if (count != (contents.newest == 0 ? 0 : contents.newest - first + 1)) return tl::make_unexpected(gap);
  const std::int64_t bytes = database.number("PRAGMA page_count") * database.number("PRAGMA page_size");
  const bool all = bytes <= static_cast<std::int64_t>(checked_whole);
  Statement read(database,
                 "SELECT revision, time, before, state, sum FROM history WHERE revision >= ?1 ORDER BY revision");
  Revision expected = all ? first : contents.newest;
  auto rows = read(expected);
  while (contents.newest != 0 && rows.next()) {
    if (rows.number(0) != expected++) return tl::make_unexpected(gap);
    if (rows.number(4) != history_sum(rows.number(0), rows.number(1), rows.bytes(2), rows.number(3))) {
      return tl::make_unexpected("revision " + std::to_string(rows.number(0)) +
                                 " of the history is not as it was written");
    }
    if (rows.number(0) == contents.newest && StateDigest(rows.number(3)) != contents.state) {
      return tl::make_unexpected("what is stored is not the state of revision " + std::to_string(contents.newest));
    }
  }
  return {};
}

} // namespace

std::string damaged_sentence(const std::string& file, std::string detail) {
  std::replace(detail.begin(), detail.end(), '\n', ' '); // quick_check speaks in lines
  return file + " is damaged (" + detail + "): restore the folder from a snapshot, or move it away to start empty";
}

tl::expected<Database, std::string> open_database(const std::string& file, const std::string& vfs) {
  try {
    Database opened{.connection = Connection({.file = file, .vfs = vfs, .cache_kib = 2048})};
    Connection& database = opened.connection;
    auto older = bring_up(database, file);
    if (!older) return tl::make_unexpected(older.error());
    opened.upgraded = *older;
    if (database.text("PRAGMA journal_mode = WAL") != "wal") {
      return tl::make_unexpected(file +
                                 " is on a file system without shared memory for SQLite's log; choose a local one");
    }
    database.execute("PRAGMA synchronous = FULL");
    database.execute("PRAGMA wal_autocheckpoint = 0"); // SqliteStore does it and looks at the result
    database.execute("PRAGMA journal_size_limit = 67108864");
    if (auto whole = check_pages(database, file); !whole) return tl::make_unexpected(whole.error());
    if (!defined_as_written(database)) {
      return tl::make_unexpected(damaged_sentence(file, "its tables are not defined as they were"));
    }
    return opened;
  } catch (const SqliteError& error) {
    if (error.damaged()) return tl::make_unexpected(damaged_sentence(file, error.message));
    throw;
  }
}

tl::expected<Contents, std::string> read_contents(Connection& database) {
  Contents contents;
  contents.newest = database.number("SELECT max(revision) FROM history");
  std::string last;
  Statement read(database, "SELECT key, value, created, modified, sum FROM current ORDER BY key");
  auto rows = read();
  while (rows.next()) {
    const std::string_view key = rows.bytes(0);
    if (rows.number(4) != row_sum(key, rows.bytes(1), rows.number(2), rows.number(3))) {
      return tl::make_unexpected("a row is not as it was written");
    }
    if (contents.keys++ > 0 && key <= last) return tl::make_unexpected(std::string("rows are out of order"));
    last = key;
    contents.state.add(rows.number(4));
  }
  if (contents.newest == 0 && contents.keys > 0) {
    return tl::make_unexpected(std::string("revisions are missing in the history"));
  }
  if (auto whole = check_history(database, contents); !whole) return tl::make_unexpected(whole.error());
  return contents;
}

Revision begin_epoch(Connection& database, Revision known, StateDigest state) {
  constexpr Revision beyond = Revision{1} << 32;    // where the clock is of no help: years of writing at 100 a second
  constexpr Revision clock_end = Revision{1} << 53; // of numbers that JavaScript can hold; in the year 2255
  const auto clock = std::chrono::system_clock::now().time_since_epoch();
  const auto micros =
      std::clamp<Revision>(std::chrono::duration_cast<std::chrono::microseconds>(clock).count(), 0, clock_end);
  const Revision next = std::max(known + beyond, micros);
  const std::int64_t now = micros / 1'000'000;
  OneTransaction transaction(database);
  database.execute("DELETE FROM history");
  Statement(database, put_history)
      .run(next, now, Statement::Blob{{}}, state.value(), history_sum(next, now, {}, state.value()));
  transaction.commit();
  return next;
}

} // namespace signpost::store
