// The database file of SqliteStore: its tables, its version, and whether it is whole.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "discovery/store/sqlite.hpp"

namespace signpost::store {

/// In the file's header, so that any tool can tell whose file it is: "SgPt".
constexpr std::int64_t application_id = 0x53675074;
/// Raised when an older program could not read the file any more.
constexpr std::int64_t schema_version = 1;

/// Opens the database file for writing and brings it to this version; checks it. One sentence if it cannot.
[[nodiscard]] tl::expected<Connection, std::string> open_database(const std::string& file, const std::string& vfs);

/// What to tell people about a damaged file.
[[nodiscard]] std::string damaged_sentence(const std::string& file, std::string detail);

} // namespace signpost::store
