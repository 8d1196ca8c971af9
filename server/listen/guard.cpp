#include "server/listen/guard.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

namespace signpost::server {
namespace {

constexpr int backlog = 4096;      // or net.core.somaxconn, where that is less
constexpr int port_attempts = 256; // until one is free for UDP and TCP on every address

struct Failure {
  const char* doing;
  int error;
};

/// A socket bound to the address without SO_REUSEPORT.
tl::expected<Socket, Failure> bind_alone(const Endpoint& endpoint, int type) {
  const SocketAddress address(endpoint);
  Socket socket(::socket(address.storage.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return tl::unexpected(Failure{"socket", errno});
  const int one = 1;
  if (address.storage.ss_family == AF_INET6) ::setsockopt(socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  // For TCP alone: lets a restart pass connections in TIME_WAIT; for UDP it would share the port.
  if (type == SOCK_STREAM) ::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (::bind(socket.fd(), address.get(), address.length) != 0) return tl::unexpected(Failure{"bind", errno});
  if (type == SOCK_STREAM && ::listen(socket.fd(), backlog) != 0) return tl::unexpected(Failure{"listen", errno});
  return socket;
}

tl::expected<Claim, Failure> claim_one(const Endpoint& endpoint) {
  auto tcp = bind_alone(endpoint, SOCK_STREAM);
  if (!tcp) return tl::unexpected(tcp.error());
  Claim claim{{endpoint.address, local_endpoint(tcp->fd()).port, endpoint.zone}, std::move(*tcp)};
  if (const auto probe = bind_alone(claim.endpoint, SOCK_DGRAM); !probe) return tl::unexpected(probe.error());
  return claim;
}

std::string sentence(const Endpoint& endpoint, const Failure& failure) {
  const std::string where = endpoint.to_string();
  if (is_link_local(endpoint.address) && scope_id(endpoint.zone) == 0)
    return where + " cannot be listened on: " +
           (endpoint.zone.empty()
                ? "a link-local address needs its interface: write " + endpoint.address.to_string() + "%INTERFACE"
                : "this host has no interface " + endpoint.zone + ": see `ip address`");
  switch (failure.error) {
  case EADDRINUSE:
    return where + " is in use (by another program or signpostd): stop it or choose another address with --dns";
  case EACCES:
  case EPERM:
    return "permission denied for port " + std::to_string(endpoint.port) + " on " + endpoint.address.to_string() +
           ": start as root or with CAP_NET_BIND_SERVICE, or choose a port from 1024 with --dns";
  case EADDRNOTAVAIL:
    return endpoint.address.to_string() +
           " is not an address of this host: choose one that `ip address` shows, with --dns or bind";
  case EAFNOSUPPORT:
    return where + " cannot be listened on: this host has no IPv6; choose an IPv4 address with --dns or bind";
  case EMFILE:
  case ENFILE: return where + " cannot be listened on: too many open files; raise the limit (ulimit -n)";
  default:
    return where + " cannot be listened on: " + failure.doing + ": " + std::strerror(failure.error) +
           "; choose another address with --dns or bind";
  }
}

} // namespace

tl::expected<std::vector<Claim>, std::string> claim(std::span<const Endpoint> endpoints) {
  for (std::size_t i = 0; i < endpoints.size(); ++i)
    if (endpoints[i].port != 0 && std::find(endpoints.begin(), endpoints.begin() + static_cast<std::ptrdiff_t>(i),
                                            endpoints[i]) != endpoints.begin() + static_cast<std::ptrdiff_t>(i))
      return tl::unexpected(endpoints[i].to_string() + " is listed twice: remove one");

  for (int attempt = 0;; ++attempt) {
    std::vector<Claim> claims;
    std::uint16_t free_port = 0;
    std::optional<std::string> retry;
    for (Endpoint endpoint : endpoints) {
      const bool any_port = endpoint.port == 0;
      if (any_port) endpoint.port = free_port;
      auto claimed = claim_one(endpoint);
      if (!claimed) {
        std::string text = sentence(endpoint, claimed.error());
        if (!any_port || claimed.error().error != EADDRINUSE || attempt + 1 >= port_attempts)
          return tl::unexpected(std::move(text));
        retry = std::move(text);
        break;
      }
      if (any_port) free_port = claimed->endpoint.port;
      claims.push_back(std::move(*claimed));
    }
    if (!retry) return claims;
  }
}

} // namespace signpost::server
