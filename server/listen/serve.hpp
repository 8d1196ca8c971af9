// One message in, one reply out: the way of every query, whichever transport brought it.
//
// read -> the zone's answer, or the block's cache and forwarding, or REFUSED. In place, no allocation, no lock. The
// calling thread is a registered and online reader (zone/index/epoch.hpp) during the call.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "server/forward/outside.hpp"
#include "server/listen/counters.hpp"
#include "server/listen/router.hpp"
#include "zone/authority/authority.hpp"
#include "zone/wire/query.hpp"

namespace signpost::server {

/// What a thread needs for one message at a time.
struct Serving {
  const Router& router;
  wire::Transport transport;
  Counters& counters;
  wire::Query query{};
  std::array<std::uint8_t, wire::max_name + 1> target{}; // of a CNAME that leads outside
};

/// Hands a sound query to the block of its name. `make` gives the ReplyTo, called only if needed.
template <class MakeReplyTo>
[[nodiscard]] Taken pass_on(Serving& serving, std::span<std::uint8_t> buffer, std::size_t length, MakeReplyTo& make) {
  const BlockRoute* route = serving.router.find(serving.query.qname());
  if (route == nullptr || route->outside == nullptr)
    return {.later = false, .length = wire::write_error(buffer, serving.query, wire::Rcode::refused)};
  serving.counters.outside.add();
  return route->outside->take(serving.query, serving.transport, buffer, length, make());
}

/// Lets the block of a CNAME's target complete the answer; without one it is sent as it is.
template <class MakeReplyTo>
[[nodiscard]] Taken complete(Serving& serving, std::span<std::uint8_t> buffer, std::size_t length, MakeReplyTo& make) {
  std::size_t end = 0;
  while (end + 1 < serving.target.size() && serving.target[end] != 0) end += serving.target[end] + 1u;
  const std::span<const std::uint8_t> target(serving.target.data(), std::min(end + 1, serving.target.size()));
  const BlockRoute* route = serving.router.find(target);
  if (route == nullptr || route->outside == nullptr) return {.later = false, .length = length};
  serving.counters.outside.add();
  return route->outside->chase(serving.query, serving.transport, buffer, length, target, make());
}

/// `buffer` holds the message (its first `length` octets) and takes the reply. `cut`: the message was longer than the
/// buffer, which makes it malformed. A length of 0 and not later: no reply.
template <class MakeReplyTo>
[[nodiscard]] Taken serve(Serving& serving, std::span<std::uint8_t> buffer, std::size_t length, bool cut,
                          MakeReplyTo&& make) {
  wire::Query& query = serving.query;
  wire::read_query({buffer.data(), length}, query);
  if (cut && query.check == wire::Check::ok) [[unlikely]] {
    query.check = wire::Check::error;
    query.rcode = wire::Rcode::formerr;
  }

  Taken taken;
  if (query.check == wire::Check::ok) [[likely]] {
    const BlockRoute* route = serving.router.first();
    if (route == nullptr) route = serving.router.find(query.qname());
    zone::Outcome outcome{.verdict = zone::Verdict::outside, .length = 0};
    if (route != nullptr && route->zone != nullptr)
      outcome = zone::answer(*route->zone, query, serving.transport, buffer, length, serving.target);
    switch (outcome.verdict) {
    case zone::Verdict::reply: taken.length = outcome.length; break;
    case zone::Verdict::outside: taken = pass_on(serving, buffer, length, make); break;
    case zone::Verdict::chase: taken = complete(serving, buffer, outcome.length, make); break;
    }
  } else if (query.check == wire::Check::error) {
    taken.length = wire::write_error(buffer, query, query.rcode);
  }

  if (taken.length > 0)
    serving.counters.replies[buffer[3] & 0x0F].add();
  else if (!taken.later)
    serving.counters.dropped.add();
  return taken;
}

} // namespace signpost::server
