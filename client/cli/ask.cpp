#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/cli/resolve.hpp"

namespace signpost::cli {

namespace {

using Clock = std::chrono::steady_clock;

class Socket {
public:
  Socket(const resolver::Server& server, int type) {
    sockaddr_storage address{};
    const auto size = Endpoint{.address = server.address, .port = server.port}.to_sockaddr(address);
    fd_ = ::socket(address.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd_ >= 0 && ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), size) < 0 && errno != EINPROGRESS)
      error_ = errno;
    if (fd_ < 0) error_ = errno;
  }
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  [[nodiscard]] int error() const { return error_; }

  // False: the time is over.
  [[nodiscard]] bool wait(short events, Clock::time_point until) const {
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
      if (left <= 0) return false;
      pollfd entry{fd_, events, 0};
      const int ready = ::poll(&entry, 1, static_cast<int>(std::min<decltype(left)>(left, 60'000)));
      if (ready > 0) return true;
      if (ready < 0 && errno != EINTR) return false;
    }
  }

  // Octets moved, or -1 with errno.
  [[nodiscard]] ssize_t send(resolver::Bytes bytes) const {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  [[nodiscard]] ssize_t receive(std::span<std::uint8_t> into) const { return ::recv(fd_, into.data(), into.size(), 0); }

private:
  int fd_ = -1, error_ = 0;
};

Failure unreachable(const resolver::Server& server, int error) {
  return {Exit::unavailable, "the DNS server at " + server.to_string() + " cannot be reached (" + std::strerror(error) +
                                 "); start signpostd, or name another with --dns ADDR:PORT or SIGNPOST_DNS"};
}

Failure silent(const resolver::Server& server) {
  return {Exit::unavailable, "the DNS server at " + server.to_string() +
                                 " did not answer in time; is it a DNS server, and not too busy? Another is named with "
                                 "--dns ADDR:PORT or SIGNPOST_DNS"};
}

bool belongs(const resolver::Reply& reply, std::uint16_t id, const std::string& name, std::uint16_t qtype) {
  if (reply.id != id) return false;
  return (reply.qname.empty() && reply.rcode != 0) || (reply.qname == name && reply.qtype == qtype);
}

Expected<DnsAnswer> ask_tcp(const resolver::Server& server, const std::vector<std::uint8_t>& query,
                            const std::string& name, std::uint16_t qtype, Clock::time_point until) {
  const Socket socket(server, SOCK_STREAM);
  if (socket.error() != 0) return tl::make_unexpected(unreachable(server, socket.error()));
  std::vector<std::uint8_t> out{static_cast<std::uint8_t>(query.size() >> 8), static_cast<std::uint8_t>(query.size())};
  out.insert(out.end(), query.begin(), query.end());
  for (std::size_t sent = 0; sent < out.size();) {
    if (!socket.wait(POLLOUT, until)) return tl::make_unexpected(silent(server));
    const auto moved = socket.send(resolver::Bytes(out).subspan(sent));
    if (moved < 0 && errno != EAGAIN) return tl::make_unexpected(unreachable(server, errno));
    sent += static_cast<std::size_t>(std::max<ssize_t>(moved, 0));
  }
  std::vector<std::uint8_t> in(2 + 65535);
  for (std::size_t got = 0;;) {
    const std::size_t size = got < 2 ? 0 : static_cast<std::size_t>(in[0]) << 8 | in[1];
    if (got >= 2 && got >= 2 + size) {
      std::vector<std::uint8_t> message(in.begin() + 2, in.begin() + 2 + static_cast<std::ptrdiff_t>(size));
      auto reply = resolver::read_reply(message);
      if (!reply || !belongs(*reply, static_cast<std::uint16_t>(query[0] << 8 | query[1]), name, qtype))
        return fail(Exit::error, "the DNS server at " + server.to_string() + " sent something that is no valid reply");
      return DnsAnswer{std::move(*reply), std::move(message), true};
    }
    if (!socket.wait(POLLIN, until)) return tl::make_unexpected(silent(server));
    const auto moved = socket.receive(std::span(in).subspan(got));
    if (moved == 0)
      return fail(Exit::unavailable, "the DNS server at " + server.to_string() + " closed the connection");
    if (moved < 0 && errno != EAGAIN) return tl::make_unexpected(unreachable(server, errno));
    got += static_cast<std::size_t>(std::max<ssize_t>(moved, 0));
  }
}

} // namespace

Expected<DnsAnswer> ask(const resolver::Server& server, const std::string& name, std::uint16_t qtype, bool tcp,
                        std::chrono::milliseconds timeout) {
  std::uint16_t id = 0;
  while (getrandom(&id, sizeof id, 0) < 0 && errno == EINTR) {
  }
  const auto query = resolver::write_query(name, qtype, id);
  if (query.empty()) return fail(Exit::usage, "\"" + name + "\" cannot be a DNS name");
  const auto until = Clock::now() + timeout;
  if (tcp) return ask_tcp(server, query, name, qtype, until);

  const Socket socket(server, SOCK_DGRAM);
  if (socket.error() != 0) return tl::make_unexpected(unreachable(server, socket.error()));
  std::chrono::milliseconds pause{250};
  std::array<std::uint8_t, 65535> in;
  for (auto now = Clock::now(); now < until; now = Clock::now(), pause *= 2) {
    if (socket.send(query) < 0 && errno != EAGAIN) return tl::make_unexpected(unreachable(server, errno));
    const auto resend = std::min(until, now + pause);
    while (socket.wait(POLLIN, resend)) {
      const auto got = socket.receive(in);
      if (got < 0 && errno != EAGAIN && errno != EINTR) return tl::make_unexpected(unreachable(server, errno));
      if (got < 0) continue;
      const resolver::Bytes message(in.data(), static_cast<std::size_t>(got));
      auto reply = resolver::read_reply(message);
      if (!reply || !belongs(*reply, id, name, qtype)) continue;
      if (reply->truncated()) return ask_tcp(server, query, name, qtype, until);
      return DnsAnswer{std::move(*reply), {message.begin(), message.end()}, false};
    }
  }
  return tl::make_unexpected(silent(server));
}

} // namespace signpost::cli
