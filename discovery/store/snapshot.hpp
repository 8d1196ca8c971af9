// Snapshots: the whole of a SQLite store as one file, taken while it is in use, checked, and put back.
//
// A snapshot is itself a database of the store's schema, at one revision, history included: a restored store goes on
// counting where the snapshot stopped. Each function returns a sentence for people: what was done, or what is wrong and
// what to do. Nothing that exists is overwritten. One thread; takes seconds on large data.
#pragma once

#include <string>
#include <tl/expected.hpp>

namespace signpost::store {

/// Copies the store in `directory` (in use or not) into the new file `file`; the file is there whole or not at all.
[[nodiscard]] tl::expected<std::string, std::string> save_snapshot(const std::string& directory,
                                                                   const std::string& file);
/// Puts a snapshot into `directory`, which has no store yet and is in no one's use.
[[nodiscard]] tl::expected<std::string, std::string> restore_snapshot(const std::string& directory,
                                                                      const std::string& file);
/// Reads all of a snapshot and says which revision it is of and how many keys it has.
[[nodiscard]] tl::expected<std::string, std::string> verify_snapshot(const std::string& file);

} // namespace signpost::store
