#include "discovery/store/sqlite_schema.hpp"

#include <algorithm>
#include <filesystem>

namespace signpost::store {
namespace {

// Checking every page of a larger file would be felt at start; there damage is recognised when the page is read.
constexpr std::uintmax_t checked_whole = 16 << 20; // bytes

// The page size is left at 4096: a frame of the log for each changed page is what a commit costs.
constexpr const char* create = R"(
  BEGIN IMMEDIATE;
  CREATE TABLE current (
    key      TEXT    PRIMARY KEY,
    value    BLOB    NOT NULL,
    created  INTEGER NOT NULL,  -- revision that created the key
    modified INTEGER NOT NULL   -- revision of this value
  ) WITHOUT ROWID;
  CREATE TABLE history (
    revision INTEGER PRIMARY KEY,
    time     INTEGER NOT NULL,  -- seconds since 1970, never less than the row before
    before   BLOB    NOT NULL   -- what the changed keys were: history.cpp, encode()
  );
  PRAGMA application_id = 1399279732;
  PRAGMA user_version = 1;
  COMMIT;
)";
static_assert(application_id == 1399279732 && schema_version == 1, "as written above");

tl::expected<void, std::string> check_owner(Connection& database, const std::string& file) {
  const std::int64_t version = database.number("PRAGMA user_version");
  const std::int64_t owner = database.number("PRAGMA application_id");
  if (owner == 0 && version == 0 && database.number("SELECT count(*) FROM sqlite_schema") == 0) {
    database.execute(create);
    return {};
  }
  if (owner != application_id) {
    return tl::make_unexpected(file + " is a database of another program; choose another folder for the data");
  }
  if (version > schema_version) {
    return tl::make_unexpected(file + " was written by a newer Signpost (schema " + std::to_string(version) +
                               ", this one knows " + std::to_string(schema_version) +
                               "): start that version, or restore a snapshot taken with this one");
  }
  return {};
}

} // namespace

std::string damaged_sentence(const std::string& file, std::string detail) {
  std::replace(detail.begin(), detail.end(), '\n', ' '); // quick_check speaks in lines
  return file + " is damaged (" + detail + "): restore the folder from a snapshot, or move it away to start empty";
}

tl::expected<Connection, std::string> open_database(const std::string& file, const std::string& vfs) {
  try {
    Connection database({.file = file, .vfs = vfs, .cache_kib = 2048});
    if (auto checked = check_owner(database, file); !checked) return tl::make_unexpected(checked.error());
    if (database.text("PRAGMA journal_mode = WAL") != "wal") {
      return tl::make_unexpected(file +
                                 " is on a file system without shared memory for SQLite's log; choose a local one");
    }
    database.execute("PRAGMA synchronous = FULL");
    database.execute("PRAGMA wal_autocheckpoint = 0"); // SqliteStore does it and looks at the result
    database.execute("PRAGMA journal_size_limit = 67108864");
    std::error_code unknown;
    if (std::filesystem::file_size(file, unknown) <= checked_whole && !unknown) {
      if (const std::string found = database.text("PRAGMA quick_check(1)"); found != "ok") {
        return tl::make_unexpected(damaged_sentence(file, found));
      }
    }
    return database;
  } catch (const SqliteError& error) {
    if (error.damaged()) return tl::make_unexpected(damaged_sentence(file, error.message));
    return tl::make_unexpected("cannot open " + file + ": " + error.message);
  }
}

} // namespace signpost::store
