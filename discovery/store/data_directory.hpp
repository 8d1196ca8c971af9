// The folder that holds a store's files, and the guard that only one process uses it.
//
// The guard is a lock on the folder and one on the file "lock" in it (some file systems know only the latter), held
// until the object is destroyed or the process ends, however it ends; the file holds the process id, for the message
// that a second process gets.
#pragma once

#include <string>
#include <tl/expected.hpp>

namespace signpost::store {

class DataDirectory {
public:
  /// Creates the folder (mode 0700) and its parents where they are missing, and takes the guard.
  [[nodiscard]] static tl::expected<DataDirectory, std::string> open(const std::string& path);

  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&& other) noexcept;
  ~DataDirectory();

  [[nodiscard]] const std::string& path() const { return path_; }
  /// On a file system that cannot be written: what is there can be read.
  [[nodiscard]] bool read_only() const { return read_only_; }

  /// The path of a file in it, created empty with mode 0600 if it is missing.
  [[nodiscard]] tl::expected<std::string, std::string> file(const std::string& name) const;

private:
  explicit DataDirectory(std::string path) : path_(std::move(path)) {}

  std::string path_;
  int folder_ = -1, lock_ = -1; // file descriptors
  bool read_only_ = false;
};

} // namespace signpost::store
