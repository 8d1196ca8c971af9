#include "discovery/store/sqlite_files.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

namespace signpost::store {
namespace {

namespace fs = std::filesystem;

constexpr const char* alone = "unix-excl"; // SQLite's way to the disk with the index in our own memory

std::string lost_sentence(const std::string& folder, Revision marked, Revision found) {
  const std::string there =
      found == 0 ? "the registry is missing or empty" : "only " + std::to_string(found) + " is there";
  return folder + " has lost acknowledged writes (revision " + std::to_string(marked) + " was written, " + there +
         "): restore the folder from a snapshot; or remove " + folder + "/mark to go on with what is there";
}

bool empty(const std::string& file) {
  std::error_code unknown;
  const auto size = fs::file_size(file, unknown);
  return unknown || size == 0;
}

/// Database and log as they are, in memory.
tl::expected<MemoryFolder, std::string> copy_to_memory(const std::string& folder) {
  for (const char* place : {"/dev/shm", "/run", "/tmp"}) {
    std::string name = std::string(place) + "/signpost.XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) continue;
    MemoryFolder copy(name);
    std::error_code failed;
    for (const char* file : {"/registry.db", "/registry.db-wal"}) {
      std::error_code absent;
      if (!fs::exists(folder + file, absent)) continue;
      if (!failed) fs::copy_file(folder + file, name + file, failed);
      if (!failed) fs::permissions(name + file, fs::perms::owner_read | fs::perms::owner_write, failed);
    }
    if (!failed) return copy;
  }
  return tl::make_unexpected(folder + " is on a file system that cannot be written, and there is no room in memory to "
                                      "read a copy; choose another folder");
}

tl::expected<Database, std::string> open_database_anyhow(SqliteFiles& files) {
  try {
    return open_database(files.file, files.vfs);
  } catch (const SqliteError& error) {
    if (!files.vfs.empty() || !(error.unmapped() || error.full())) throw;
    files.vfs = alone;
    auto opened = open_database(files.file, files.vfs);
    if (opened) {
      files.notices.push_back("there is no room on the disk of " + files.file +
                              ": what is there is served; make room, and writing works again");
    }
    return opened;
  }
}

/// Compares with the mark, and begins a new epoch where what was given out is not known.
tl::expected<void, std::string> judge(SqliteFiles& files, bool upgraded) {
  const std::string& folder = files.directory.path();
  const auto marked = files.mark.revision();
  Revision& newest = files.contents.newest;
  if (newest < marked.value_or(0)) return tl::make_unexpected(lost_sentence(folder, *marked, newest));
  if (!files.read_only.empty()) return {};
  if (newest > 0 && !upgraded && (!marked || files.mark.copied())) {
    newest = begin_epoch(files.connection, newest, files.contents.state);
    files.notices.push_back(folder + " was restored or copied: revisions go on at " + std::to_string(newest) +
                            ", and watches from before list again");
  }
  return {};
}

tl::expected<void, std::string> settle_mark(SqliteFiles& files) {
  if (!files.read_only.empty() || files.mark.settle(files.contents.newest)) return {};
  const std::string why = std::strerror(errno);
  // Sooner or later there is room again; until then the old mark stands, or none.
  if (errno == ENOSPC || errno == EDQUOT) {
    files.notices.push_back("cannot write " + files.directory.path() + "/mark: " + why);
    return {};
  }
  return tl::make_unexpected("cannot write " + files.directory.path() + "/mark: " + why);
}

} // namespace

MemoryFolder::MemoryFolder(MemoryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}

MemoryFolder& MemoryFolder::operator=(MemoryFolder&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

MemoryFolder::~MemoryFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

tl::expected<SqliteFiles, std::string> open_files(const std::string& folder, const std::string& vfs) {
  auto directory = DataDirectory::open(folder);
  if (!directory) return tl::make_unexpected(directory.error());
  const std::string& path = directory->path();
  auto mark = Mark::open(path + "/mark");
  if (!mark) return tl::make_unexpected(mark.error());
  // SQLite would begin a new database, and throw away the log that is left of the old one.
  if (mark->revision().value_or(0) > 0 && empty(path + "/registry.db")) {
    return tl::make_unexpected(lost_sentence(path, *mark->revision(), 0));
  }
  auto file = directory->file("registry.db");
  if (!file) return tl::make_unexpected(file.error());

  SqliteFiles files{.directory = std::move(*directory),
                    .copy = {},
                    .file = std::move(*file),
                    .vfs = vfs,
                    .connection = {},
                    .contents = {},
                    .mark = std::move(*mark),
                    .read_only = {},
                    .notices = {}};
  if (files.directory.read_only()) {
    auto copy = copy_to_memory(files.directory.path());
    if (!copy) return tl::make_unexpected(copy.error());
    files.copy = std::move(*copy);
    files.file = files.copy.path() + "/registry.db";
    files.read_only = files.directory.path() + " is on a file system that cannot be written: what is there is served, "
                                               "and nothing is written until a restart on one that can";
    files.notices.push_back(files.read_only);
  }
  try {
    auto database = open_database_anyhow(files);
    if (!database) return tl::make_unexpected(database.error());
    files.connection = std::move(database->connection);
    auto contents = read_contents(files.connection);
    if (!contents) return tl::make_unexpected(damaged_sentence(files.file, contents.error()));
    files.contents = *contents;
    if (auto sound = judge(files, database->upgraded); !sound) return tl::make_unexpected(sound.error());
    if (auto settled = settle_mark(files); !settled) return tl::make_unexpected(settled.error());
    return files;
  } catch (const SqliteError& error) {
    if (error.damaged()) return tl::make_unexpected(damaged_sentence(files.file, error.message));
    if (error.full()) {
      return tl::make_unexpected("no space to open " + files.file + " (" + error.message +
                                 "); make room on its file system");
    }
    return tl::make_unexpected("cannot open " + files.file + ": " + error.message);
  }
}

} // namespace signpost::store
