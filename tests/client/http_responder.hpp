// An HTTP/1.1 server for tests: answers on a free port of loopback with what a function of the test says.
//
// One connection at a time, kept alive. A body may come in pieces (chunked), and end with a dropped connection.
#pragma once

#include <arpa/inet.h>
#include <atomic>
#include <functional>
#include <mutex>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace testing {

struct HttpAsked {
  std::string method, target, head, body;
  [[nodiscard]] bool is(std::string_view want_method, std::string_view target_start) const {
    return method == want_method && target.starts_with(target_start);
  }
};

struct HttpAnswer {
  int status = 200;
  std::string body{};
  std::vector<std::string> chunks{};   // if not empty: sent chunked instead of body
  bool drop = false;                   // close without the last chunk, or without answering at all if there is no body
  std::string head{};                  // further header lines, each with CR LF
  std::string raw{};                   // if not empty: these octets instead of a reply, then the connection is closed
  std::function<std::string()> more{}; // with raw: what follows it, until that is empty or the client has gone
};

class HttpResponder {
public:
  using Handler = std::function<HttpAnswer(const HttpAsked&)>;

  explicit HttpResponder(Handler handler) : handler_(std::move(handler)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    listen(listener_, 16);
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpResponder() {
    stop_ = true;
    thread_.join();
    close(listener_);
  }
  HttpResponder(const HttpResponder&) = delete;
  HttpResponder& operator=(const HttpResponder&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::vector<HttpAsked> asked() {
    const std::scoped_lock lock(mutex_);
    return asked_;
  }
  [[nodiscard]] int connections() const { return connections_; }

private:
  [[nodiscard]] bool readable(int fd) const {
    while (!stop_) {
      pollfd entry{fd, POLLIN, 0};
      if (poll(&entry, 1, 20) > 0) return true;
    }
    return false;
  }

  void serve() {
    while (readable(listener_)) {
      const int peer = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer < 0) continue;
      ++connections_;
      std::string input;
      while (one(peer, input)) {
      }
      close(peer);
    }
  }

  bool fill(int peer, std::string& input) const {
    char buffer[16384];
    if (!readable(peer)) return false;
    const auto got = recv(peer, buffer, sizeof buffer, 0);
    if (got <= 0) return false;
    input.append(buffer, static_cast<std::size_t>(got));
    return true;
  }

  bool one(int peer, std::string& input) {
    while (input.find("\r\n\r\n") == std::string::npos)
      if (!fill(peer, input)) return false;
    HttpAsked asked;
    const auto end = input.find("\r\n\r\n") + 4;
    asked.head = input.substr(0, end);
    input.erase(0, end);
    const auto first = asked.head.find(' '), second = asked.head.find(' ', first + 1);
    asked.method = asked.head.substr(0, first);
    asked.target = asked.head.substr(first + 1, second - first - 1);
    std::size_t length = 0;
    if (const auto at = asked.head.find("Content-Length: "); at != std::string::npos)
      length = std::stoul(asked.head.substr(at + 16));
    while (input.size() < length)
      if (!fill(peer, input)) return false;
    asked.body = input.substr(0, length);
    input.erase(0, length);
    {
      const std::scoped_lock lock(mutex_);
      asked_.push_back(asked);
    }
    const auto answer = handler_(asked);
    if (!answer.raw.empty()) {
      for (auto piece = answer.raw; put(peer, piece) && answer.more && !stop_;)
        if (piece = answer.more(); piece.empty()) break;
      return false;
    }
    if (answer.drop && answer.body.empty() && answer.chunks.empty()) return false;
    std::string out =
        "HTTP/1.1 " + std::to_string(answer.status) + " X\r\nContent-Type: application/json\r\n" + answer.head;
    if (answer.chunks.empty()) {
      put(peer, out + "Content-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n" + answer.body);
    } else {
      put(peer, out + "Transfer-Encoding: chunked\r\n\r\n");
      char size[32];
      for (const auto& chunk : answer.chunks) {
        snprintf(size, sizeof size, "%zx\r\n", chunk.size());
        put(peer, size + chunk + "\r\n");
      }
      if (!answer.drop) put(peer, "0\r\n\r\n");
    }
    return !answer.drop;
  }

  static bool put(int peer, const std::string& text) {
    for (std::size_t sent = 0; sent < text.size();) {
      const auto moved = send(peer, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (moved <= 0) return false;
      sent += static_cast<std::size_t>(moved);
    }
    return true;
  }

  Handler handler_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  std::vector<HttpAsked> asked_;
  std::thread thread_;
};

} // namespace testing
