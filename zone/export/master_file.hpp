// A zone as a master file (RFC 1035 5): every record that DNS says, for other servers and for people.
//
//   write_master_file(zone, *wire::name_from_text("cluster.local"), [&](std::string_view line) { … });
//
// The names are read off the index; what they have is asked of the zone itself (authority/authority.hpp), as a client
// would ask over TCP, so that the file cannot say anything else than the answers. A set of records that no message
// holds is in the file as it is in the answers: in part. Names that exist without records (namespaces without services)
// have no form in a master file and are left out; so are the ways to ask that are no names of their own (port names
// without underscores).
//
// The writer's thread, or any while nobody writes.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "zone/wire/name.hpp"
#include "zone/zone.hpp"

namespace signpost::zone {

/// Writes the zone of this origin, a line at a time (each ends in a line break), names in order; returns the number of
/// records. `origin` is one of the zone's origins.
std::size_t write_master_file(const Zone& zone, const wire::WireName& origin,
                              const std::function<void(std::string_view line)>& write);

} // namespace signpost::zone
