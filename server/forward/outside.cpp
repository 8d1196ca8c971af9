#include "server/forward/outside.hpp"

#include <sys/uio.h>

#include <exception>

namespace signpost::server {

namespace {

void send_datagram(const ReplyTo& to, std::span<const std::uint8_t> reply) noexcept {
  sockaddr_storage peer = to.peer;
  PacketInfo from = to.from;
  iovec data{const_cast<std::uint8_t*>(reply.data()), reply.size()};
  const msghdr message{.msg_name = &peer,
                       .msg_namelen = to.peer_length,
                       .msg_iov = &data,
                       .msg_iovlen = 1,
                       .msg_control = from.length > 0 ? from.octets.data() : nullptr,
                       .msg_controllen = from.length,
                       .msg_flags = 0};
  (void)::sendmsg(to.udp_socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

} // namespace

bool send_late(const ReplyTo& to, std::span<const std::uint8_t> reply) noexcept {
  if (to.udp_socket >= 0) {
    if (!reply.empty()) send_datagram(to, reply);
    return true;
  }
  if (!to.tcp || !*to.tcp) return true;
  try {
    (*to.tcp)(reply);
  } catch (const std::exception&) {
    return false;
  }
  return true;
}

} // namespace signpost::server
