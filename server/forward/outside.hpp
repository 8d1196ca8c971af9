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

#include "zone/wire/query.hpp"

namespace signpost::server {

/// The one control message of a socket bound to a wildcard: IP_PKTINFO or IPV6_PKTINFO.
struct PacketInfo {
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(in6_pktinfo))> octets;
  std::size_t length;
};

/// Where a late answer goes.
struct ReplyTo {
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

/// Sends a late answer over UDP; one that cannot be sent is lost, as datagrams are.
void send_datagram(const ReplyTo& to, std::span<const std::uint8_t> reply) noexcept;

class Outside {
public:
  virtual ~Outside() = default;

  /// A query for a name in none of our zones. `buffer` holds the query (its first `query_length` octets) and takes
  /// the reply.
  [[nodiscard]] virtual Taken take(const wire::Query& query, wire::Transport transport, std::span<std::uint8_t> buffer,
                                   std::size_t query_length, const ReplyTo& reply_to) noexcept = 0;

  /// A CNAME answer (in `buffer`, `answer_length` octets) whose target is outside: completes it with the target's
  /// records of the query's type, or gives it back unchanged where nothing forwards.
  [[nodiscard]] virtual Taken chase(const wire::Query& query, wire::Transport transport, std::span<std::uint8_t> buffer,
                                    std::size_t answer_length, std::span<const std::uint8_t> target,
                                    const ReplyTo& reply_to) noexcept = 0;
};

} // namespace signpost::server
