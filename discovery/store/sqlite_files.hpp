// Opening a store's folder: the guard, the database, the mark; what is wrong with them, and whether history goes on.
//
// - Fewer revisions than the mark says: acknowledged writes are gone. Refused, with what to do.
// - No mark, or a copied one: the folder was restored or put together by somebody, and what was given out after it is
//   not known. History begins anew at a revision far beyond (begin_epoch()).
// - No room for the shared index of the log: opened for this process alone; writing works as soon as there is room.
// - A file system that cannot be written: a copy in memory is read, nothing is written.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "discovery/store/data_directory.hpp"
#include "discovery/store/mark.hpp"
#include "discovery/store/sqlite_schema.hpp"

namespace signpost::store {

/// A folder in memory that goes with the object.
class MemoryFolder {
public:
  MemoryFolder() = default;
  explicit MemoryFolder(std::string path) : path_(std::move(path)) {}
  MemoryFolder(MemoryFolder&& other) noexcept;
  MemoryFolder& operator=(MemoryFolder&& other) noexcept;
  ~MemoryFolder();

  [[nodiscard]] const std::string& path() const { return path_; }

private:
  std::string path_; // empty: there is none
};

struct SqliteFiles {
  DataDirectory directory;
  MemoryFolder copy; // of a folder that cannot be written; goes after the connections
  std::string file;  // the database
  std::string vfs;
  Connection connection;
  Contents contents;
  Mark mark;
  std::string read_only;            // why nothing can be written; empty: it can
  std::vector<std::string> notices; // what people should know
};

/// One sentence with a remedy if it cannot.
[[nodiscard]] tl::expected<SqliteFiles, std::string> open_files(const std::string& folder, const std::string& vfs);

} // namespace signpost::store
