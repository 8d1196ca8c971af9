// One message in, one reply out: the way of every query, whichever transport brought it.
//
// read -> the zone's answer, or the block's cache and forwarding, or REFUSED. In place, no allocation, no lock. The
// calling thread is a registered and online reader (zone/index/epoch.hpp) during the call.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "server/forward/outside.hpp"
#include "server/listen/counters.hpp"
#include "server/listen/here.hpp"
#include "server/listen/options.hpp"
#include "server/listen/router.hpp"
#include "server/log/query_log.hpp"
#include "zone/authority/authority.hpp"
#include "zone/wire/query.hpp"

namespace signpost::server {

/// What a thread needs for one message at a time.
struct Serving {
  Serving(const Router& to, wire::Transport over, Counters& count)
      : router(to), first(to.first() != nullptr ? to.first()->zone : nullptr), transport(over), counters(count) {
    query.reply_flags = to.forwards() ? wire::flag::ra : 0;
  }

  const Router& router;
  const zone::Zone* const first; // may be asked before the router; null: none
  const wire::Transport transport;
  Counters& counters;
  wire::Query query{};
  zone::Onward onward{};
  bool later = false;          // set when an answer comes through ReplyTo; whoever wants to know clears it
  std::uint16_t keepalive = 0; // idle time-out of the connection that is being served, in 100 ms (RFC 7828)
};

inline void count_reply(Counters& counters, std::span<const std::uint8_t> reply) noexcept {
  counters.replies[reply[3] & 0x0F].add();
  count_size(counters.reply_octets, reply.size());
}

/// Notes what became of a message; the octets to send.
inline std::size_t finish(Serving& serving, std::span<const std::uint8_t> buffer, Taken taken) {
  if (taken.later)
    serving.later = true;
  else if (taken.length > 0)
    count_reply(serving.counters, buffer.first(taken.length));
  else
    serving.counters.dropped.add();
  return taken.later ? 0 : taken.length;
}

/// Notes a query, after serve(), where its block has a log. `reply` as serve() left it.
[[gnu::noinline]] inline void log_query(Serving& serving, const sockaddr* peer, std::span<const std::uint8_t> reply) {
  const bool later = std::exchange(serving.later, false);
  const bool named = serving.query.check != wire::Check::drop && serving.query.question_length > 0;
  const BlockRoute* route = named ? serving.router.find(serving.query.qname()) : nullptr;
  if (route != nullptr && route->log != nullptr)
    route->log->record(serving.query, serving.transport, peer, reply, later);
}

/// Answers the options of a query.
template <class MakeReplyTo>
[[gnu::noinline]] void add_options(Serving& serving, const MakeReplyTo& reply_to) {
  sockaddr_storage storage;
  OptionAnswers answers{.peer = reply_to.peer(storage), .keepalive = serving.keepalive, .nsid = {}};
  if ((serving.query.asked & wire::Query::nsid) != 0) {
    const BlockRoute* route = serving.router.find(serving.query.qname());
    if (route != nullptr) answers.nsid = route->nsid;
  }
  answer_options(serving.query, answers);
}

/// Sends what was said here, or hands the query to who knows the rest. `reply_to` makes the ReplyTo, called only if
/// needed.
template <class MakeReplyTo>
[[gnu::noinline]] std::size_t pass_on(Serving& serving, std::span<std::uint8_t> buffer, std::size_t length, Here here,
                                      const MakeReplyTo& reply_to) {
  const wire::Query& query = serving.query;
  if (here.outside == nullptr) {
    if (here.length == 0)
      here.length = wire::write_error(buffer, query, wire::Rcode::refused, wire::ExtendedError::not_authoritative);
    return finish(serving, buffer, {false, here.length});
  }
  serving.counters.outside.add();
  if (serving.onward.links > 0)
    return finish(serving, buffer, here.outside->follow(query, serving.transport, buffer, reply_to()));
  return finish(serving, buffer, here.outside->take(query, serving.transport, buffer, length, reply_to()));
}

/// What is not a sound query that a zone answers: errors, drops, names that need the router.
template <class MakeReplyTo>
[[gnu::noinline]] std::size_t serve_others(Serving& serving, std::span<std::uint8_t> buffer, std::size_t length,
                                           const MakeReplyTo& reply_to) {
  const wire::Query& query = serving.query;
  const bool cut = length == buffer.size();
  if (query.check == wire::Check::drop) return finish(serving, buffer, {});
  if (query.check == wire::Check::error || cut)
    return finish(serving, buffer, {false, wire::write_error(buffer, query, cut ? wire::Rcode::formerr : query.rcode)});
  const Here here = answer_here(serving.router, query, serving.transport, buffer, serving.onward);
  return pass_on(serving, buffer, length, here, reply_to);
}

/// What the first zone has not answered to its end.
template <class MakeReplyTo>
[[gnu::noinline]] std::size_t serve_on(Serving& serving, std::span<std::uint8_t> buffer, std::size_t length,
                                       zone::Outcome said, const MakeReplyTo& reply_to) {
  const Here here =
      answer_on(serving.router, serving.query, serving.transport, buffer, serving.onward, said, serving.first);
  return pass_on(serving, buffer, length, here, reply_to);
}

/// `buffer` holds the message (its first `length` octets) and takes the reply, whose length is returned; 0: none, or
/// Serving::later. A message that fills the buffer may have been longer and counts as malformed. `reply_to` makes the
/// ReplyTo of a late answer, and its peer(sockaddr_storage&) tells who asks; both are called only if needed.
template <class MakeReplyTo>
[[nodiscard, gnu::always_inline]] inline std::size_t serve(Serving& serving, std::span<std::uint8_t> buffer,
                                                           std::size_t length, const MakeReplyTo& reply_to) {
  wire::read_query({buffer.data(), length}, serving.query);
  Counters& counters = serving.counters;
  counters.types[static_cast<std::size_t>(counted_type(serving.query.type))].add();
  count_size(counters.query_octets, length);
  counters.edns[std::size_t{serving.query.edns} + serving.query.dnssec_ok].add();
  if (serving.query.asked != 0) [[unlikely]]
    add_options(serving, reply_to);
  if (serving.query.check != wire::Check::ok || length == buffer.size() || serving.first == nullptr) [[unlikely]]
    return serve_others(serving, buffer, length, reply_to);
  const auto outcome = zone::answer(*serving.first, serving.query, serving.transport, buffer, serving.onward);
  if (outcome.verdict != zone::Verdict::reply) [[unlikely]]
    return serve_on(serving, buffer, length, outcome, reply_to);
  count_reply(counters, buffer.first(outcome.length));
  return outcome.length;
}

} // namespace signpost::server
