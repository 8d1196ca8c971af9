// Replies in gzip (RFC 1952), for clients that ask for it and where it pays: lists of thousands of objects shrink to a
// tenth.
// Threads: none inside.
#pragma once

#include "discovery/api/request.hpp"

namespace signpost::api {

/// Replies of up to so many octets are sent as they are, as kube-apiserver does.
inline constexpr std::size_t compressed_from = 128 * 1024;

/// Turns a longer reply into a compressed one. A few pieces of a stream are read for that.
void compress(Reply& reply);

} // namespace signpost::api
