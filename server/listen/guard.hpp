// Takes a DNS port for this process alone, before any socket is shared.
//
// UDP workers share a port through SO_REUSEPORT, which would let a second daemon of the same user in as well and split
// the questions between both. So a port is claimed first: a TCP socket bound and listening without SO_REUSEPORT (kept,
// it becomes the TCP listener), then a UDP socket bound without it, which fails while anybody, sharing or not, has the
// port (closed again). Two daemons that start at once meet on the TCP socket.
#pragma once

#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "server/config/settings.hpp"
#include "server/listen/socket.hpp"

namespace signpost::server {

struct Claim {
  Endpoint endpoint; // with the port that was taken
  Socket tcp;        // bound and listening, non-blocking
};

/// Claims all of `endpoints`, or none. Port 0 takes one port that is free for UDP and TCP on all addresses that ask for
/// it. The error is one sentence that names the address and says what to do.
[[nodiscard]] tl::expected<std::vector<Claim>, std::string> claim(std::span<const Endpoint> endpoints);

} // namespace signpost::server
