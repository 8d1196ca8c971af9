// A DNS server for tests: answers on a free port of loopback, over UDP and TCP, with what a function of the test says.
//
// The function runs on the responder's thread; `asked()` tells how often a question came. All public members may be
// called from any thread.
#pragma once

#include <arpa/inet.h>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace testing {

using Octets = std::vector<std::uint8_t>;

struct Asked {
  std::string name; // as it came, without the last dot
  std::uint16_t type = 0;
  int times = 1; // this one counted
  bool tcp = false;
  std::uint16_t port = 0; // of the client
  Octets query{};
};

inline void put16(Octets& out, unsigned value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

inline Octets wire_name(std::string name) {
  Octets out;
  while (!name.empty()) {
    const auto dot = std::min(name.find('.'), name.size());
    out.push_back(static_cast<std::uint8_t>(dot));
    out.insert(out.end(), name.begin(), name.begin() + static_cast<std::ptrdiff_t>(dot));
    name.erase(0, dot + 1);
  }
  out.push_back(0);
  return out;
}

inline Octets address_data(const char* text) {
  Octets out(16);
  if (inet_pton(AF_INET, text, out.data()) == 1)
    out.resize(4);
  else
    inet_pton(AF_INET6, text, out.data());
  return out;
}

inline Octets srv_data(unsigned priority, unsigned weight, unsigned port, const std::string& target) {
  Octets out;
  for (const unsigned value : {priority, weight, port}) put16(out, value);
  const auto name = wire_name(target);
  out.insert(out.end(), name.begin(), name.end());
  return out;
}

/// Builds a reply to one query.
class Reply {
public:
  explicit Reply(const Asked& asked, unsigned rcode = 0) : asked_(asked), rcode_(rcode) {}

  Reply& truncated() { return flags_ |= 0x0200, *this; }
  Reply& answer(const std::string& name, unsigned type, unsigned ttl, const Octets& data) {
    return add(answers_, name, type, ttl, data);
  }
  Reply& additional(const std::string& name, unsigned type, unsigned ttl, const Octets& data) {
    return add(additionals_, name, type, ttl, data);
  }
  Reply& address(const std::string& name, const char* text, unsigned ttl = 5) {
    const auto data = address_data(text);
    return answer(name, data.size() == 4 ? 1 : 28, ttl, data);
  }
  [[nodiscard]] Octets bytes() const {
    Octets out(asked_.query.begin(), asked_.query.begin() + 2);
    put16(out, flags_ | rcode_);
    for (const unsigned count : {1u, answers_.count, 0u, additionals_.count}) put16(out, count);
    const auto name = wire_name(asked_.name);
    out.insert(out.end(), name.begin(), name.end());
    put16(out, asked_.type);
    put16(out, 1);
    for (const auto* part : {&answers_, &additionals_}) out.insert(out.end(), part->octets.begin(), part->octets.end());
    return out;
  }

private:
  struct Part {
    unsigned count = 0;
    Octets octets{};
  };
  Reply& add(Part& part, const std::string& name, unsigned type, unsigned ttl, const Octets& data) {
    ++part.count;
    const auto owner = name == asked_.name ? Octets{0xc0, 12} : wire_name(name);
    part.octets.insert(part.octets.end(), owner.begin(), owner.end());
    for (const unsigned value : {type, 1u, ttl >> 16, ttl & 0xffff, static_cast<unsigned>(data.size())})
      put16(part.octets, value);
    part.octets.insert(part.octets.end(), data.begin(), data.end());
    return *this;
  }

  const Asked& asked_;
  unsigned rcode_;
  unsigned flags_ = 0x8580; // QR AA RD RA
  Part answers_, additionals_;
};

class DnsResponder {
public:
  /// Returns the messages to send back: none, one, or several.
  using Handler = std::function<std::vector<Octets>(const Asked&)>;

  explicit DnsResponder(Handler handler) : handler_(std::move(handler)) {
    for (int attempt = 0; attempt < 50 && !bind_both(); ++attempt) {
    }
    thread_ = std::thread([this] { serve(); });
  }
  ~DnsResponder() {
    stop_ = true;
    thread_.join();
    close(udp_);
    close(tcp_);
  }
  DnsResponder(const DnsResponder&) = delete;
  DnsResponder& operator=(const DnsResponder&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int asked(const std::string& name, unsigned type) {
    const std::scoped_lock lock(mutex_);
    return times_[{name, type}];
  }
  [[nodiscard]] int queries() {
    const std::scoped_lock lock(mutex_);
    int sum = 0;
    for (const auto& [question, times] : times_) sum += times;
    return sum;
  }

private:
  bool bind_both() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    udp_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    tcp_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bind(udp_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    getsockname(udp_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    if (bind(tcp_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 && listen(tcp_, 16) == 0) return true;
    close(udp_);
    close(tcp_);
    return false;
  }

  void serve() {
    while (!stop_) {
      pollfd entries[] = {{udp_, POLLIN, 0}, {tcp_, POLLIN, 0}};
      if (poll(entries, 2, 20) <= 0) continue;
      if (entries[0].revents != 0) serve_udp();
      if (entries[1].revents != 0) serve_tcp();
    }
  }

  void serve_udp() {
    Octets query(4096);
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const auto got = recvfrom(udp_, query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 12) return;
    query.resize(static_cast<std::size_t>(got));
    for (const auto& reply : replies(std::move(query), false, ntohs(from.sin_port)))
      sendto(udp_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
  }

  void serve_tcp() {
    const int peer = accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC);
    if (peer < 0) return;
    timeval patience{2, 0};
    setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::uint8_t size[2];
    if (recv(peer, size, 2, MSG_WAITALL) == 2) {
      Octets query(static_cast<std::size_t>(size[0] << 8 | size[1]));
      if (recv(peer, query.data(), query.size(), MSG_WAITALL) == static_cast<ssize_t>(query.size()) &&
          query.size() >= 12)
        for (const auto& reply : replies(std::move(query), true, 0)) {
          Octets framed;
          put16(framed, static_cast<unsigned>(reply.size()));
          framed.insert(framed.end(), reply.begin(), reply.end());
          [[maybe_unused]] const auto sent = send(peer, framed.data(), framed.size(), MSG_NOSIGNAL);
        }
    }
    close(peer);
  }

  std::vector<Octets> replies(Octets query, bool tcp, std::uint16_t port) {
    Asked asked{.tcp = tcp, .port = port};
    std::size_t at = 12;
    while (at < query.size() && query[at] != 0 && at + query[at] < query.size()) {
      if (!asked.name.empty()) asked.name += '.';
      asked.name.append(query.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                        query.begin() + static_cast<std::ptrdiff_t>(at) + 1 + query[at]);
      at += query[at] + 1u;
    }
    if (query.size() < at + 5) return {};
    asked.type = static_cast<std::uint16_t>(query[at + 1] << 8 | query[at + 2]);
    asked.query = std::move(query);
    {
      const std::scoped_lock lock(mutex_);
      asked.times = ++times_[{asked.name, asked.type}];
    }
    return handler_(asked);
  }

  Handler handler_;
  int udp_ = -1, tcp_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::map<std::pair<std::string, unsigned>, int> times_;
  std::thread thread_;
};

} // namespace testing
