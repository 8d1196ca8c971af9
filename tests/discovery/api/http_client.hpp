// A small HTTP client for tests: says exactly the bytes it is given, and reads answers byte for byte.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

namespace signpost::test {

struct Answer {
  int status = 0;                             // 0: the connection ended without one
  std::map<std::string, std::string> headers; // names in lower case; the last one counts
  std::string body;
  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
};

class HttpClient {
public:
  explicit HttpClient(std::uint16_t port, int receive_buffer = 0) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer != 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~HttpClient() { ::close(fd_); }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] int descriptor() const { return fd_; }

  void send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  void request(const std::string& method, const std::string& target, const std::string& body = "",
               const std::string& headers = "") {
    std::string text = method + " " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers;
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    send(text + "\r\n" + body);
  }

  Answer ask(const std::string& method, const std::string& target, const std::string& body = "",
             const std::string& headers = "") {
    request(method, target, body, headers);
    return read_answer(method == "HEAD");
  }

  /// Status line and headers; the body is left.
  Answer read_head() {
    Answer answer;
    while (input_.find("\r\n\r\n") == std::string::npos)
      if (!more()) return answer;
    const std::size_t end = input_.find("\r\n\r\n");
    std::string head = input_.substr(0, end + 2);
    input_.erase(0, end + 4);
    answer.status = head.size() > 12 ? std::atoi(head.c_str() + 9) : 0;
    std::size_t at = head.find("\r\n") + 2;
    while (at < head.size()) {
      const std::size_t line_end = head.find("\r\n", at);
      const std::size_t colon = head.find(": ", at);
      std::string name = head.substr(at, colon - at);
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      answer.headers[name] = head.substr(colon + 2, line_end - colon - 2);
      at = line_end + 2;
    }
    return answer;
  }

  Answer read_answer(bool without_body = false) {
    Answer answer = read_head();
    if (answer.status == 0 || without_body) return answer;
    if (answer.headers.contains("transfer-encoding")) {
      while (auto chunk = read_chunk()) answer.body += *chunk;
    } else if (answer.headers.contains("content-length")) {
      const std::size_t length = std::stoul(answer.headers["content-length"]);
      while (input_.size() < length && more()) {
      }
      answer.body = input_.substr(0, length);
      input_.erase(0, length);
    } else {
      while (more()) {
      }
      answer.body = std::move(input_);
    }
    return answer;
  }

  /// nullopt: the last chunk, or the connection has ended; ended_cleanly() tells.
  std::optional<std::string> read_chunk() {
    while (input_.find("\r\n") == std::string::npos)
      if (!more()) return std::nullopt;
    const std::size_t line = input_.find("\r\n");
    const std::size_t length = std::stoul(input_.substr(0, line), nullptr, 16);
    while (input_.size() < line + 2 + length + 2)
      if (!more()) return std::nullopt;
    std::string chunk = input_.substr(line + 2, length);
    input_.erase(0, line + 2 + length + 2);
    clean_ = length == 0;
    if (length == 0) return std::nullopt;
    return chunk;
  }
  [[nodiscard]] bool ended_cleanly() const { return clean_; }

  /// The next line of a watch, as JSON; discarded: the watch has ended.
  nlohmann::json read_line() {
    while (lines_.find('\n') == std::string::npos) {
      auto chunk = read_chunk();
      if (!chunk) return nlohmann::json(nlohmann::json::value_t::discarded);
      lines_ += *chunk;
    }
    const std::size_t end = lines_.find('\n');
    auto json = nlohmann::json::parse(lines_.substr(0, end), nullptr, false);
    lines_.erase(0, end + 1);
    return json;
  }

  /// Nothing more comes within the time.
  bool quiet(int milliseconds) {
    if (!input_.empty() || !lines_.empty()) return false;
    pollfd wait{fd_, POLLIN, 0};
    return ::poll(&wait, 1, milliseconds) == 0;
  }
  /// Reads until the other side closes; false: it did not within ten seconds.
  bool closes() {
    while (true) {
      pollfd wait{fd_, POLLIN, 0};
      if (::poll(&wait, 1, 10'000) <= 0) return false;
      char buffer[65536];
      if (::recv(fd_, buffer, sizeof buffer, 0) <= 0) return true;
    }
  }

private:
  bool more() {
    pollfd wait{fd_, POLLIN, 0};
    if (::poll(&wait, 1, 20'000) <= 0) return false;
    char buffer[65536];
    const ssize_t count = ::recv(fd_, buffer, sizeof buffer, 0);
    if (count <= 0) return false;
    input_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  int fd_;
  bool connected_ = false, clean_ = false;
  std::string input_, lines_;
};

} // namespace signpost::test
