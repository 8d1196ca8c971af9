// Snapshots: the whole of a SQLite store as one file, taken while it is in use, checked, and put back.
//
// A snapshot is itself a database of the store's schema, at one revision, history included, with a checksum of all its
// bytes behind it. Readable by its owner only. A restored store goes on at a revision beyond everything that the
// original can have given out, so that whoever watched it lists again. Each function returns a sentence for people:
// what was done, or what is wrong and what to do. One thread; takes seconds on large data.
#pragma once

#include <string>
#include <tl/expected.hpp>

namespace signpost::store {

/// Copies the store in `directory` (in use or not) into `file`, in place of an older snapshot of that name; the file is
/// there whole or not at all, and checked.
[[nodiscard]] tl::expected<std::string, std::string> save_snapshot(const std::string& directory,
                                                                   const std::string& file);
/// Puts a snapshot into `directory`, which has no store yet and is in no one's use.
[[nodiscard]] tl::expected<std::string, std::string> restore_snapshot(const std::string& directory,
                                                                      const std::string& file);
/// Reads all of a snapshot, finds every flipped bit, and says which revision it is of and how many keys it has.
[[nodiscard]] tl::expected<std::string, std::string> verify_snapshot(const std::string& file);

} // namespace signpost::store
