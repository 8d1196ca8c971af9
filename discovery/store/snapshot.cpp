#include "discovery/store/snapshot.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "discovery/store/data_directory.hpp"
#include "discovery/store/sqlite_schema.hpp"

namespace signpost::store {

namespace {

constexpr const char* database_name = "registry.db";

using Outcome = tl::expected<std::string, std::string>;

bool exists(const std::string& path) {
  std::error_code unknown;
  return std::filesystem::exists(path, unknown);
}

std::string folder_of(const std::string& file) {
  const std::string parent = std::filesystem::path(file).parent_path().string();
  return parent.empty() ? "." : parent;
}

tl::expected<void, std::string> sync(const std::string& path, int flags) {
  const int descriptor = open(path.c_str(), flags | O_CLOEXEC);
  const bool done = descriptor >= 0 && fsync(descriptor) == 0;
  const int why = errno;
  if (descriptor >= 0) close(descriptor);
  if (!done) return tl::make_unexpected("cannot write " + path + " to the disk: " + std::strerror(why));
  return {};
}

/// The new file's contents, then its name, then the folder are on disk; a file of that name is never replaced.
tl::expected<void, std::string> publish(const std::string& from, const std::string& to) {
  if (auto done = sync(from, O_RDONLY); !done) return done;
  if (link(from.c_str(), to.c_str()) != 0)
    return tl::make_unexpected("cannot create " + to + ": " + std::strerror(errno));
  unlink(from.c_str());
  return sync(folder_of(to), O_RDONLY | O_DIRECTORY);
}

std::string quoted(const std::string& text) {
  std::string sql = "'";
  for (const char c : text) sql += c == '\'' ? std::string("''") : std::string(1, c);
  return sql + "'";
}

/// A copy of the database `from`, as it is at this moment, in the new file `to`.
tl::expected<void, std::string> copy(const std::string& from, const std::string& to) {
  const std::string part = to + ".part" + std::to_string(getpid());
  try {
    Connection database({.file = from});
    sqlite3_limit(database.handle(), SQLITE_LIMIT_ATTACHED, 1); // the copy
    database.execute(("VACUUM INTO " + quoted(part)).c_str());
  } catch (const SqliteError& error) {
    unlink(part.c_str());
    if (error.damaged()) return tl::make_unexpected(damaged_sentence(from, error.message));
    return tl::make_unexpected("cannot copy " + from + " to " + to + ": " + error.message);
  }
  auto published = publish(part, to);
  if (!published) unlink(part.c_str());
  return published;
}

} // namespace

Outcome verify_snapshot(const std::string& file) {
  if (!exists(file)) return tl::make_unexpected(file + " does not exist; name a file that `snapshot save` wrote");
  try {
    Connection database({.file = file, .query_only = true});
    if (database.number("PRAGMA application_id") != application_id)
      return tl::make_unexpected(file +
                                 " is not a snapshot of a Signpost registry; name one that `snapshot save` wrote");
    if (const std::int64_t version = database.number("PRAGMA user_version"); version > schema_version)
      return tl::make_unexpected(file + " was written by a newer Signpost (schema " + std::to_string(version) +
                                 ", this one knows " + std::to_string(schema_version) + "): use that version");
    if (const std::string found = database.text("PRAGMA integrity_check(1)"); found != "ok")
      return tl::make_unexpected(file + " is damaged (" + found + "): use another snapshot");
    return file + " is whole: revision " +
           std::to_string(database.number("SELECT coalesce(max(revision), 0) FROM history")) + ", " +
           std::to_string(database.number("SELECT count(*) FROM current")) + " keys";
  } catch (const SqliteError& error) {
    return tl::make_unexpected(file + (error.damaged() ? " is damaged or no snapshot (" : " cannot be read (") +
                               error.message + "): use another snapshot");
  }
}

Outcome save_snapshot(const std::string& directory, const std::string& file) {
  const std::string database = directory + "/" + database_name;
  if (!exists(database)) return tl::make_unexpected(directory + " holds no registry; name its folder with --data");
  if (exists(file)) return tl::make_unexpected(file + " exists already; choose another name");
  if (auto copied = copy(database, file); !copied) return tl::make_unexpected(copied.error());
  return verify_snapshot(file);
}

Outcome restore_snapshot(const std::string& directory, const std::string& file) {
  if (auto whole = verify_snapshot(file); !whole) return whole;
  const auto guard = DataDirectory::open(directory);
  if (!guard) return tl::make_unexpected(guard.error());
  const std::string database = directory + "/" + database_name;
  if (exists(database))
    return tl::make_unexpected(directory + " holds a registry already; move " + database +
                               "* away first, or name another folder with --data");
  if (auto copied = copy(file, database); !copied) return tl::make_unexpected(copied.error());
  return "restored into " + directory + ": " + file + " was taken over";
}

} // namespace signpost::store
