// Custody: whether the store's files are still the ones that were opened, and nobody else has written to them.
//
// A program that has a file open goes on writing to it when its name is gone, and nobody will ever find what it wrote.
// So before and after each group the names are looked up again (a few microseconds): the folder, its lock, the
// database, its log, its shared index, the mark. And since nobody but the store's writer writes here, a database or a
// log that has another time or size than the writer left it with was written by somebody else.
//
// Threads: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>

namespace signpost::store {

class Custody {
public:
  Custody() = default;
  /// The folder as it is now, the database in use.
  explicit Custody(const std::string& folder);

  /// After a write of our own: what the database and its log are like now.
  void note();

  /// What was removed, moved or replaced, as a sentence; nullopt: everything is in its place.
  [[nodiscard]] std::optional<std::string> missing() const;

  enum class Foreign { none, database, log };
  /// Which of the files somebody else has written to since note().
  [[nodiscard]] Foreign written() const;

private:
  struct File {
    std::string path;
    dev_t device = 0;
    ino_t inode = 0;
    bool there = false;
    off_t size = 0;
    std::int64_t changed = 0; // nanoseconds: contents, not owner or mode
  };
  enum Which : std::size_t { folder, lock, database, log, index, mark, count };

  static void look(File& file);

  std::array<File, count> files_;
};

} // namespace signpost::store
