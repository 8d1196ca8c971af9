// A mapped file that was truncated by somebody else must not end the process.
//
// SQLite shares the index of its log through a mapped file (registry.db-shm). Reading where the file has ended is a
// SIGBUS. From here on the missing page becomes an empty one of our own and the program goes on; whoever reads through
// the mapping compares bus_faults() before and after, and reads again if it has moved.
#pragma once

namespace signpost::store {

/// Installs the handler, once for the process. Any thread.
void survive_bus_faults();

/// How many pages were replaced so far.
[[nodiscard]] unsigned bus_faults();

} // namespace signpost::store
