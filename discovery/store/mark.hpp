// The mark: the newest durable revision, kept in a small file beside the database, outside SQLite's log.
//
// SQLite takes the log up to its first damaged frame for all there is; what came after is gone without a word. The mark
// is how the store notices: it is written after each group is on the disk and before the group is acknowledged, so a
// store with fewer revisions than its mark has lost acknowledged ones. It is not waited for on its way to the disk (it
// is under way at once and durable with the next group's fsync): a kill leaves it exact, a power cut at most one group
// behind.
//
// The file also knows its own inode number: in a folder that was copied or unpacked from a backup it is not that of the
// file that was written, and the revisions that the original gave out since are unknown.
//
// Two places are written in turns, each with its checksum; the newer sound one counts.
//
// Threads: one at a time.
#pragma once

#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "discovery/store/store.hpp"

namespace signpost::store {

class Mark {
public:
  /// Opens the file if there is one. One sentence if it cannot be read or holds nothing sound.
  [[nodiscard]] static tl::expected<Mark, std::string> open(const std::string& path);
  Mark(Mark&& other) noexcept;
  Mark& operator=(Mark&& other) noexcept;
  ~Mark();

  /// As it was at open(); nullopt: there was no file.
  [[nodiscard]] std::optional<Revision> revision() const { return revision_; }
  /// The file is a copy of the one that was written.
  [[nodiscard]] bool copied() const { return copied_; }

  /// Makes the file if it is missing, writes both places and waits for the disk. False: it cannot (errno).
  [[nodiscard]] bool settle(Revision revision);
  /// Writes one place. False: it cannot (errno).
  [[nodiscard]] bool write(Revision revision);

private:
  Mark(std::string path, int file) : path_(std::move(path)), file_(file) {}

  [[nodiscard]] bool put(Revision revision, int place);

  std::string path_;
  int file_ = -1; // descriptor; -1: there is no file
  std::optional<Revision> revision_;
  bool copied_ = false;
  std::uint64_t inode_ = 0;
  int next_ = 0; // the place to write next
};

} // namespace signpost::store
