#include "server/listen/socket.hpp"

#include <netinet/in.h>
#include <unistd.h>

#include <cstring>

namespace signpost::server {

Socket::~Socket() {
  if (fd_ >= 0) ::close(fd_);
}

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

SocketAddress::SocketAddress(const Endpoint& endpoint) {
  const auto bytes = endpoint.address.bytes();
  if (endpoint.address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    std::memcpy(&v4.sin_addr, bytes.data(), bytes.size());
    length = sizeof v4;
    std::memcpy(&storage, &v4, length);
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    std::memcpy(&v6.sin6_addr, bytes.data(), bytes.size());
    v6.sin6_scope_id = scope_id(endpoint.zone);
    length = sizeof v6;
    std::memcpy(&storage, &v6, length);
  }
}

Endpoint local_endpoint(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  if (storage.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &storage, sizeof v4);
    return {model::Address::from_bytes({reinterpret_cast<const std::uint8_t*>(&v4.sin_addr), 4}), ntohs(v4.sin_port)};
  }
  sockaddr_in6 v6;
  std::memcpy(&v6, &storage, sizeof v6);
  return {model::Address::from_bytes({reinterpret_cast<const std::uint8_t*>(&v6.sin6_addr), 16}), ntohs(v6.sin6_port)};
}

} // namespace signpost::server
