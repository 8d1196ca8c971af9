// What a listener does with a question outside our zones: the one interface between listeners (UDP, TCP) and
// cache + forwarding.
//
// take() runs on the listener's thread, for UDP on a packet worker: it must not block, lock or allocate there. Either
// it answers at once (a cache hit, REFUSED), or it takes the question over and answers later, from the forwarding
// thread, through the ReplyTo.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "server/cache/answer.hpp"
#include "zone/wire/query.hpp"

namespace signpost::server {

class Aliases; // aliases.hpp

/// The one control message of a socket bound to a wildcard: IP_PKTINFO or IPV6_PKTINFO.
struct PacketInfo {
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(in6_pktinfo))> octets;
  std::size_t length;
};

/// Where a late answer goes.
struct ReplyTo {
  const std::shared_ptr<const Aliases>* aliases = nullptr; // who follows aliases for this client; valid during the call
  int udp_socket = -1;     // ≥ 0: sendmsg() on this socket (it outlives the forwarder)
  sockaddr_storage peer{}; // with this destination
  socklen_t peer_length = 0;
  PacketInfo from{}; // as this control message; empty: the address that the socket is bound to
  std::shared_ptr<std::function<void(std::span<const std::uint8_t>)>> tcp; // else: call with the whole reply, from any
                                                                           // thread, once; empty span: give up
};

struct Taken {
  bool later = false;     // the answer comes through ReplyTo
  std::size_t length = 0; // !later: octets of the reply in `buffer`; 0: no reply at all
};

/// Sends a late answer; empty: there is none. Over UDP one that cannot be sent is lost, as datagrams are. False: there
/// was no memory to hand it back.
bool send_late(const ReplyTo& to, std::span<const std::uint8_t> reply) noexcept;

/// Who waits within the daemon for what an alias leads to.
class Waiter {
public:
  virtual ~Waiter() = default;
  /// Called once, on the thread of the forwarder that was asked; what `answer` points to is valid during the call.
  virtual void found(const AnswerView& answer, std::uint32_t age) noexcept = 0;
};

/// A name that an alias leads to, and what is wanted of it.
struct Link {
  std::span<const std::uint8_t> name; // wire form, lower case
  std::uint16_t type = 0;
  bool dnssec_ok = false, checking_disabled = false;
};

class Outside {
public:
  virtual ~Outside() = default;

  /// A query for a name in none of our zones. `buffer` holds the query (its first `query_length` octets) and takes
  /// the reply.
  [[nodiscard]] virtual Taken take(const wire::Query& query, wire::Transport transport, std::span<std::uint8_t> buffer,
                                   std::size_t query_length, const ReplyTo& reply_to) noexcept = 0;

  /// A query that is answered by an alias of ours, whose target is one of the names that this covers(): answered later
  /// from its beginning, by the Aliases of `reply_to`. `buffer` holds header and question and takes the reply.
  [[nodiscard]] virtual Taken follow(const wire::Query& query, wire::Transport transport,
                                     std::span<std::uint8_t> buffer, const ReplyTo& reply_to) noexcept = 0;

  /// Whether questions for this name (wire form, lower case) are forwarded. Any thread.
  [[nodiscard]] virtual bool covers(std::span<const std::uint8_t> name) const noexcept = 0;

  /// Finds what an alias leads to; `waiter` is told. A name that is not covered is asked all the same: whoever said the
  /// alias may know it. False: it is one of our own, or there is no room. Any thread.
  [[nodiscard]] virtual bool ask(const Link& link, std::shared_ptr<Waiter> waiter) noexcept = 0;
};

} // namespace signpost::server
