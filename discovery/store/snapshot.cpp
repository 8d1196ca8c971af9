#include "discovery/store/snapshot.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <vector>

#include "discovery/store/checksum.hpp"
#include "discovery/store/data_directory.hpp"
#include "discovery/store/mark.hpp"
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

std::string quoted(const std::string& text) {
  std::string sql = "'";
  for (const char c : text) sql += c == '\'' ? std::string("''") : std::string(1, c);
  return sql + "'";
}

// Behind the database: SQLite goes by the size in its header and does not see it.
struct Trailer {
  std::array<char, 8> magic;
  std::uint32_t sum; // of everything before the trailer
  std::uint32_t own; // of the above
};
constexpr std::array<char, 8> magic = {'S', 'g', 'P', 't', 's', 'n', 'a', 'p'};

std::uint32_t own_sum(const Trailer& trailer) {
  return crc32({reinterpret_cast<const char*>(&trailer), offsetof(Trailer, own)});
}

/// Removes what it names unless it was kept.
class Part {
public:
  explicit Part(const std::string& target) : path_(target + ".part" + std::to_string(getpid())) { remove(); }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  ~Part() { remove(); }
  [[nodiscard]] const std::string& path() const { return path_; }

private:
  void remove() const {
    for (const char* end : {"", "-journal", "-wal", "-shm"}) unlink((path_ + end).c_str());
  }
  std::string path_;
};

class Descriptor {
public:
  Descriptor(const std::string& path, int flags) : number_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  operator int() const { return number_; }

private:
  int number_;
};

tl::unexpected<std::string> because(const std::string& what) {
  return tl::make_unexpected(what + ": " + std::strerror(errno));
}

bool write_all(int file, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(file, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

/// Reads up to `size` bytes of a file from its present place; `take` may refuse them.
template <class Take>
tl::expected<void, std::string> read_through(int file, const std::string& name, std::uint64_t size, Take take) {
  std::vector<char> buffer(1 << 20);
  while (size > 0) {
    const ssize_t got =
        ::read(file, buffer.data(), static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return because("cannot read " + name);
    if (got == 0) return tl::make_unexpected(name + " became shorter while it was read");
    if (auto taken = take(std::string_view(buffer.data(), static_cast<std::size_t>(got))); !taken) return taken;
    size -= static_cast<std::uint64_t>(got);
  }
  return {};
}

tl::expected<void, std::string> sync_folder(const std::string& file) {
  const Descriptor folder(folder_of(file), O_RDONLY | O_DIRECTORY);
  if (folder < 0 || ::fsync(folder) != 0) return because("cannot write " + folder_of(file) + " to the disk");
  return {};
}

/// A copy of the database in use, as it is at this moment.
tl::expected<void, std::string> copy_database(const std::string& from, const std::string& part) {
  if (Descriptor(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW) < 0) return because("cannot create " + part);
  try {
    Connection database({.file = from});
    sqlite3_limit(database.handle(), SQLITE_LIMIT_ATTACHED, 1); // the copy
    database.execute(("VACUUM INTO " + quoted(part)).c_str());
    return {};
  } catch (const SqliteError& error) {
    if (error.damaged()) return tl::make_unexpected(damaged_sentence(from, error.message));
    return tl::make_unexpected("cannot copy " + from + ": " + error.message);
  }
}

tl::expected<void, std::string> append_trailer(const std::string& part) {
  const Descriptor file(part, O_RDWR);
  struct stat found {};
  if (file < 0 || ::fstat(file, &found) != 0) return because("cannot read " + part);
  Trailer trailer{.magic = magic, .sum = 0, .own = 0};
  auto read = read_through(file, part, static_cast<std::uint64_t>(found.st_size), [&](std::string_view bytes) {
    trailer.sum = crc32(bytes, trailer.sum);
    return tl::expected<void, std::string>();
  });
  if (!read) return read;
  trailer.own = own_sum(trailer);
  if (!write_all(file, reinterpret_cast<const char*>(&trailer), sizeof trailer) || ::fsync(file) != 0)
    return because("cannot write " + part);
  return {};
}

struct Sealed {
  std::uint64_t database_size = 0; // without the trailer
  bool sealed = false;             // it has one; those of schema 1 have none
};

/// Whether the file is as it was saved, byte for byte. `take` is given the database.
template <class Take>
tl::expected<Sealed, std::string> check_seal(const std::string& name, Take take) {
  const Descriptor file(name, O_RDONLY);
  struct stat found {};
  if (file < 0 || ::fstat(file, &found) != 0) return because("cannot read " + name);
  if (!S_ISREG(found.st_mode)) return tl::make_unexpected(name + " is no file; name one that `snapshot save` wrote");
  const auto size = static_cast<std::uint64_t>(found.st_size);
  Trailer trailer{};
  Sealed seal{.database_size = size};
  if (size > sizeof trailer && size % 512 == sizeof trailer) {
    const auto at = static_cast<off_t>(size - sizeof trailer);
    if (::pread(file, &trailer, sizeof trailer, at) != sizeof trailer) return because("cannot read " + name);
    seal = {size - sizeof trailer, true};
  }
  std::uint32_t sum = 0;
  auto read = read_through(file, name, seal.database_size, [&](std::string_view bytes) {
    sum = crc32(bytes, sum);
    return take(bytes);
  });
  if (!read) return tl::make_unexpected(read.error());
  if (seal.sealed && (trailer.magic != magic || trailer.own != own_sum(trailer) || trailer.sum != sum))
    return tl::make_unexpected(name + " is damaged (it is not as it was saved): use another snapshot");
  return seal;
}

/// Whose it is, its version, and every row of it.
Outcome check_contents(const std::string& file, const std::string& name, bool sealed) {
  try {
    Connection database({.file = file, .query_only = true});
    if (database.number("PRAGMA application_id") != application_id)
      return tl::make_unexpected(name +
                                 " is not a snapshot of a Signpost registry; name one that `snapshot save` wrote");
    const std::int64_t version = database.number("PRAGMA user_version");
    if (version > schema_version)
      return tl::make_unexpected(name + " was written by a newer Signpost (schema " + std::to_string(version) +
                                 ", this one knows " + std::to_string(schema_version) + "): use that version");
    if (version < 1 || (version > 1 && !sealed))
      return tl::make_unexpected(name + " is damaged (its end is missing): use another snapshot");
    if (const std::string found = database.text("PRAGMA integrity_check(1)"); found != "ok")
      return tl::make_unexpected(name + " is damaged (" + found + "): use another snapshot");
    if (version == 1)
      return name + " is a sound database without checksums, of an older Signpost: revision " +
             std::to_string(database.number("SELECT coalesce(max(revision), 0) FROM history")) + ", " +
             std::to_string(database.number("SELECT count(*) FROM current")) + " keys";
    const auto contents = read_contents(database);
    if (!contents) return tl::make_unexpected(name + " is damaged (" + contents.error() + "): use another snapshot");
    return name + " is whole: revision " + std::to_string(contents->newest) + ", " + std::to_string(contents->keys) +
           " keys";
  } catch (const SqliteError& error) {
    return tl::make_unexpected(name + (error.damaged() ? " is damaged or no snapshot (" : " cannot be read (") +
                               error.message + "): use another snapshot");
  }
}

/// Nothing, or something that may be replaced: a snapshot of ours, whole or not.
bool replaceable(const std::string& name) {
  const Descriptor file(name, O_RDONLY | O_NOFOLLOW);
  if (file < 0) return errno == ENOENT;
  std::array<unsigned char, 72> head{};
  const ssize_t size = ::pread(file, head.data(), head.size(), 0);
  if (size == 0) return true;
  const auto ends = [&](std::size_t at) { return static_cast<std::int64_t>(head[at]); };
  const std::int64_t owner = ends(68) << 24 | ends(69) << 16 | ends(70) << 8 | ends(71); // sqlite.org/fileformat2.html
  return size == static_cast<ssize_t>(head.size()) && owner == application_id;
}

/// The restored database goes on at a revision that nobody has seen.
tl::expected<void, std::string> begin_anew(const std::string& part, Revision marked) {
  try {
    auto database = open_database(part, {});
    if (!database) return tl::make_unexpected(database.error());
    const auto contents = read_contents(database->connection);
    if (!contents) return tl::make_unexpected(damaged_sentence(part, contents.error()));
    if (std::max(contents->newest, marked) > 0)
      begin_epoch(database->connection, std::max(contents->newest, marked), contents->state);
    database->connection.execute("PRAGMA journal_mode = DELETE"); // all of it in the one file
    return {};
  } catch (const SqliteError& error) {
    return tl::make_unexpected("cannot write " + part + ": " + error.message);
  }
}

} // namespace

Outcome verify_snapshot(const std::string& file) {
  if (!exists(file)) return tl::make_unexpected(file + " does not exist; name a file that `snapshot save` wrote");
  const auto seal = check_seal(file, [](std::string_view) { return tl::expected<void, std::string>(); });
  if (!seal) return tl::make_unexpected(seal.error());
  return check_contents(file, file, seal->sealed);
}

Outcome save_snapshot(const std::string& directory, const std::string& file) {
  const std::string database = directory + "/" + database_name;
  if (!exists(database)) return tl::make_unexpected(directory + " holds no registry; name its folder with --data");
  if (!replaceable(file)) return tl::make_unexpected(file + " exists and is no snapshot; choose another name");
  const Part part(file);
  if (auto done = copy_database(database, part.path()); !done) return tl::make_unexpected(done.error());
  if (auto done = append_trailer(part.path()); !done) return tl::make_unexpected(done.error());
  auto whole = check_contents(part.path(), file, true);
  if (!whole) return whole;
  if (::rename(part.path().c_str(), file.c_str()) != 0) return because("cannot create " + file);
  if (auto done = sync_folder(file); !done) return tl::make_unexpected(done.error());
  return whole;
}

Outcome restore_snapshot(const std::string& directory, const std::string& file) {
  if (auto whole = verify_snapshot(file); !whole) return whole;
  const auto guard = DataDirectory::open(directory);
  if (!guard) return tl::make_unexpected(guard.error());
  const std::string database = directory + "/" + database_name, mark = directory + "/mark";
  for (const char* end : {"", "-wal", "-shm"}) {
    if (exists(database + end))
      return tl::make_unexpected(directory + " holds a registry already; move " + database +
                                 "* away first, or name another folder with --data");
  }
  const Part part(database);
  {
    // What is taken over is what was checked: both in one reading.
    const Descriptor to(part.path(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    if (to < 0) return because("cannot create " + part.path());
    const auto seal = check_seal(file, [&](std::string_view bytes) -> tl::expected<void, std::string> {
      if (!write_all(to, bytes.data(), bytes.size())) return because("cannot write " + part.path());
      return {};
    });
    if (!seal) return tl::make_unexpected(seal.error());
  }
  const auto former = Mark::open(mark); // of a registry that was moved away
  const Revision marked = former ? former->revision().value_or(0) : 0;
  if (auto done = begin_anew(part.path(), marked); !done) return tl::make_unexpected(done.error());
  const Descriptor written(part.path(), O_RDONLY);
  if (written < 0 || ::fsync(written) != 0) return because("cannot write " + part.path() + " to the disk");
  if (::unlink(mark.c_str()) != 0 && errno != ENOENT) return because("cannot remove " + mark);
  if (::link(part.path().c_str(), database.c_str()) != 0) return because("cannot create " + database);
  if (auto done = sync_folder(database); !done) return tl::make_unexpected(done.error());
  return "restored into " + directory + ": " + file + " was taken over";
}

} // namespace signpost::store
