// A small HTTP/1.1 client with time-outs and limits: whole replies, or a body handed over piece by piece.
//
// Plain http only. One connection, kept open between requests; opened again when the server has closed it. Not
// thread-safe. Nothing here throws.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/cli/failure.hpp"

namespace signpost::cli {

/// "http://HOST:PORT/PREFIX"
struct Url {
  std::string host; // without brackets; a link-local address with its zone: "fe80::1%eth0"
  std::string port = "80";
  std::string prefix;                       // "" or "/…", no slash at its end
  [[nodiscard]] std::string origin() const; // for Host:
};

/// Errors say what a server URL must look like; https is one of them.
[[nodiscard]] Expected<Url> read_url(std::string_view text);

struct HttpRequest {
  std::string method = "GET";
  std::string target; // path and query, percent-encoded
  std::string accept = "application/json";
  std::string content_type{}; // with a body
  std::string body{};
};

struct HttpReply {
  int status = 0;
  std::string content_type;
  std::vector<std::string> warnings; // Warning headers, the text only
  std::string body;                  // empty where it was handed over
};

struct HttpLimits {
  std::chrono::milliseconds connect{5'000};
  std::chrono::milliseconds reply{30'000};   // between two pieces of a reply
  std::chrono::milliseconds whole{120'000};  // for a whole reply, so that a trickle ends, too; not of stream()
  std::size_t body = std::size_t{128} << 20; // of a whole reply, octets
};

/// What was asked and what came of it: for whoever wants to see (-v). `status` 0: no reply, `failure` says why.
struct HttpTrace {
  std::string_view method, target;
  int status = 0;
  std::string_view failure;
  std::chrono::milliseconds took{0};
};

class HttpClient {
public:
  explicit HttpClient(Url url, HttpLimits limits = {});
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) = delete;

  [[nodiscard]] Expected<HttpReply> send(const HttpRequest& request);

  /// Gives each piece of a 200's body to `piece` until that returns false, which closes the connection. A reply of
  /// another status is returned whole. `silence`: longest time between pieces.
  [[nodiscard]] Expected<HttpReply> stream(const HttpRequest& request, std::chrono::milliseconds silence,
                                           const std::function<bool(std::string_view)>& piece);

  /// Called after each request.
  std::function<void(const HttpTrace&)> on_exchange{};

private:
  [[nodiscard]] Expected<HttpReply> exchange(const HttpRequest& request, std::chrono::milliseconds silence,
                                             const std::function<bool(std::string_view)>* piece);
  class Connection;
  std::unique_ptr<Connection> connection_;
};

} // namespace signpost::cli
