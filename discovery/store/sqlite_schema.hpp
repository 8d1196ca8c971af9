// The database file of SqliteStore: its tables, its version, and whether it is whole.
//
// Schema 2. `current` has each key as it is; `history` has of each revision what its keys were before (history.hpp) and
// the digest of the state that it made. Every row has a checksum. Schema 1 had neither checksums nor digests: it is
// brought to 2 in one transaction.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "discovery/store/checksum.hpp"
#include "discovery/store/sqlite.hpp"

namespace signpost::store {

/// In the file's header, so that any tool can tell whose file it is: "SgPt".
constexpr std::int64_t application_id = 0x53675074;
/// Raised when an older program could not read the file any more.
constexpr std::int64_t schema_version = 2;

struct Database {
  Connection connection;
  bool upgraded = false; // it was of an older schema
};

/// Opens the database file and brings it to this version; checks that it is ours and its pages. Throws SqliteError
/// where the disk does not do; otherwise one sentence if it cannot.
[[nodiscard]] tl::expected<Database, std::string> open_database(const std::string& file, const std::string& vfs);

/// What a database of this version holds, from reading all of it.
struct Contents {
  Revision newest = 0;
  StateDigest state;
  std::size_t keys = 0;
};
/// Reads every row of `current` and compares sums and digest; of a history beyond some MB only the count of its rows,
/// for each is checked when it is read. An error says what is damaged. Throws SqliteError.
[[nodiscard]] tl::expected<Contents, std::string> read_contents(Connection& connection);

/// Forgets the history and goes on at a revision that nobody can have seen: above `known` and everything a store that
/// was begun or continued earlier can have reached (by the clock: a revision a microsecond). Gives that revision.
/// In a transaction of its own. Throws SqliteError.
Revision begin_epoch(Connection& connection, Revision known, StateDigest state);

/// What to tell people about a damaged file.
[[nodiscard]] std::string damaged_sentence(const std::string& file, std::string detail);

} // namespace signpost::store
