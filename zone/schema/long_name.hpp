// Names of a service that DNS cannot carry: longer than 255 octets (RFC 1035 2.3.4) below a long domain.
#pragma once

#include <string>

#include "zone/index/entry.hpp"
#include "zone/wire/name.hpp"

namespace signpost::zone {

/// Some name of the service of a compiled entry (its own in the svc form, an endpoint's or a port's) that is too long
/// below `domain`, as text; empty: there is none. Costs nothing where no name of the service could be. The writer's
/// thread.
[[nodiscard]] std::string find_long_name(Entry entry, const wire::WireName& domain);

} // namespace signpost::zone
