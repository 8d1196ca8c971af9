// What a reply's OPT record carries because the client asked for it: a cookie (RFC 7873), the idle time-out of a
// connection (RFC 7828), the name of this server (RFC 5001).
//
// Queries with such options are rare, so nothing of this is on the common way of a query. Any thread.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string_view>

#include "zone/wire/query.hpp"

namespace signpost::server {

struct OptionAnswers {
  const sockaddr* peer = nullptr; // of the query
  std::uint16_t keepalive = 0;    // idle time-out of the connection in 100 ms; 0: none, as over UDP
  std::string_view nsid;          // at most ReplyOptions::max_nsid octets; empty: none
};

/// Fills the query's reply options with the answers to what it asked for.
void answer_options(wire::Query& query, const OptionAnswers& answers) noexcept;

} // namespace signpost::server
