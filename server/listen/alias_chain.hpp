// An answer whose aliases lead through several authorities: own zones, blocks that forward, and back again.
//
// A chain runs on forwarding threads, whichever block's it meets. Each name is routed anew as if the client had asked
// for it at its address: by our own zones first, then by the upstreams of its block. What is found is a part, a whole
// message about that name; the parts become one answer at the end, with the rcode of the last and every record's own
// TTL (RFC 1034 3.6.2, 4.3.2; RFC 6604). Bounded in aliases, in octets and in time; a name that comes again, or an
// alias too many, is SERVFAIL.
//
// Each step hands over to the next through a queue, so that nothing recurses.
#pragma once

#include <cstdint>

#include "server/forward/aliases.hpp"

namespace signpost::server {

class Router;

/// Answers a client's question from its beginning. Forwarding threads; `router` lives as long as question.aliases.
void follow_aliases(const Router& router, Question question) noexcept;

/// The same where `answer`, which stays open, was found for the question's own name.
void go_on_with_aliases(const Router& router, Question question, const AnswerView& answer, std::uint32_t age) noexcept;

} // namespace signpost::server
