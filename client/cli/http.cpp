#include "client/cli/http.hpp"

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/version.hpp>
#include <optional>

namespace signpost::cli {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr std::uint32_t most_header = 64 * 1024;

std::string text_of(beast::string_view text) { return {text.data(), text.size()}; }

// 299 - "text"
std::string warning_text(const std::string& value) {
  const auto open = value.find('"'), close = value.rfind('"');
  return open == std::string::npos || close <= open ? value : value.substr(open + 1, close - open - 1);
}

} // namespace

std::string Url::origin() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? '[' + host.substr(0, host.find('%')) + ']' : host) + ':' + port; // the zone is ours alone (RFC 6874)
}

Expected<Url> read_url(std::string_view text) {
  const auto bad = [&](const std::string& why) {
    return fail(Exit::usage, "the server URL \"" + std::string(text) + "\" " + why);
  };
  std::string_view rest = text;
  if (rest.starts_with("https://"))
    return bad("asks for TLS, which this version does not speak yet; give an http:// address on this machine, for "
               "instance of 'kubectl proxy' or a TLS tunnel");
  if (!rest.starts_with("http://")) return bad("must start with http://, as in http://127.0.0.1:8080");
  rest.remove_prefix(7);
  Url url;
  const auto slash = std::min(rest.find('/'), rest.size());
  url.prefix = rest.substr(slash);
  while (url.prefix.ends_with('/')) url.prefix.pop_back();
  auto authority = rest.substr(0, slash);
  if (authority.find('@') != std::string_view::npos) return bad("must not hold a user name");
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) return bad("lacks a closing bracket");
    url.host = authority.substr(1, close - 1);
    if (const auto zone = url.host.find("%25"); zone != std::string::npos) url.host.erase(zone + 1, 2); // RFC 6874
    authority.remove_prefix(close + 1);
  } else {
    const auto colon = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, colon);
    authority.remove_prefix(colon);
  }
  if (authority.starts_with(':'))
    url.port = authority.substr(1);
  else if (!authority.empty())
    return bad("cannot be read; write http://HOST:PORT");
  const bool number = !url.port.empty() && url.port.find_first_not_of("0123456789") == std::string::npos;
  if (url.host.empty() || !number || url.port.size() > 5 || std::stoul(url.port) > 65535)
    return bad("must name a host and may name a port, as in http://127.0.0.1:8080");
  if (text.find_first_of(" \t\r\n") != std::string_view::npos) return bad("must not hold spaces");
  return url;
}

class HttpClient::Connection {
public:
  Connection(Url url, HttpLimits limits) : url_(std::move(url)), limits_(limits), stream_(io_) {}

  Expected<HttpReply> exchange(const HttpRequest& request, std::chrono::milliseconds silence,
                               const std::function<bool(std::string_view)>* piece) {
    for (const bool reused : {open_, false}) {
      if (!open_)
        if (auto connected = connect(); !connected) return tl::make_unexpected(connected.error());
      bool nothing_came = false;
      auto reply = attempt(request, silence, piece, nothing_came);
      if (reply) return reply;
      close();
      // A server may close an idle connection at any time; what surely was not begun is sent again.
      if (!reused || !nothing_came || request.method == "POST") return reply;
    }
    return fail(Exit::unavailable, "the connection was closed");
  }

private:
  // Runs one asynchronous operation to its end, so that the stream's time-out applies.
  template <class Start>
  error_code wait(std::chrono::milliseconds time, Start start) {
    error_code result = asio::error::would_block;
    stream_.expires_after(time);
    start([&](error_code error, auto&&...) { result = error; });
    io_.restart();
    io_.run();
    return result;
  }

  Failure lost(const error_code& error, const char* what) const {
    const std::string where = "http://" + url_.origin();
    if (error == beast::error::timeout)
      return {Exit::unavailable, where + " did not answer in time; is the server overloaded?"};
    if (error == http::error::header_limit || error == http::error::buffer_overflow)
      return {Exit::error, where + " sent a head of more than " + std::to_string(most_header / 1024) + " KiB"};
    if (error == http::error::body_limit)
      return {Exit::error, where + " sent a reply of more than " + std::to_string(limits_.body >> 20) +
                               " MiB; is the URL that of a signpostd API?"};
    if (error == http::error::partial_message)
      return {Exit::unavailable, where + " closed the connection in the middle of its reply"};
    if (error.category() == http::make_error_code(http::error::bad_version).category() &&
        error != http::error::end_of_stream)
      return {Exit::error, where + " sent something that is not HTTP (" + error.message() +
                               "); is the URL that of a signpostd API?"};
    return {Exit::unavailable, "cannot " + std::string(what) + " " + where + ": " + error.message()};
  }

  Expected<void> connect() {
    asio::ip::tcp::resolver resolver(io_);
    error_code error;
    const auto endpoints = resolver.resolve(url_.host, url_.port, error);
    if (!error) error = wait(limits_.connect, [&](auto done) { stream_.async_connect(endpoints, std::move(done)); });
    if (error)
      return fail(Exit::unavailable, "the API server at http://" + url_.origin() + " cannot be reached (" +
                                         error.message() +
                                         "); start signpostd, or name another with --server URL or SIGNPOST_SERVER");
    error_code ignored;
    stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
    buffer_.clear();
    open_ = true;
    return {};
  }

  void close() {
    error_code ignored;
    stream_.socket().close(ignored);
    open_ = false;
  }

  Expected<HttpReply> attempt(const HttpRequest& request, std::chrono::milliseconds silence,
                              const std::function<bool(std::string_view)>* piece, bool& nothing_came) {
    http::request<http::string_body> message;
    message.method_string(request.method);
    message.target(url_.prefix + request.target);
    message.version(11);
    message.set(http::field::host, url_.origin());
    message.set(http::field::user_agent, "signpost");
    message.set(http::field::accept, request.accept);
    if (!request.content_type.empty()) message.set(http::field::content_type, request.content_type);
    message.body() = request.body;
    message.prepare_payload();

    auto error = wait(limits_.reply, [&](auto done) { http::async_write(stream_, message, std::move(done)); });
    if (error) {
      nothing_came = true;
      return tl::make_unexpected(lost(error, "write to"));
    }
    http::response_parser<http::buffer_body> parser;
    parser.header_limit(most_header);
    if (piece == nullptr)
      parser.body_limit(limits_.body);
    else
      parser.body_limit(boost::none); // what is not handed over is measured in read_body
    const auto until = Clock::now() + limits_.whole;
    error = wait(limits_.reply, [&](auto done) { http::async_read_header(stream_, buffer_, parser, std::move(done)); });
    if (error) {
      nothing_came = error == http::error::end_of_stream || error == asio::error::connection_reset;
      return tl::make_unexpected(lost(error, "read from"));
    }
    HttpReply reply;
    reply.status = static_cast<int>(parser.get().result_int());
    reply.content_type = text_of(parser.get()[http::field::content_type]);
    for (const auto& field : parser.get())
      if (field.name() == http::field::warning) reply.warnings.push_back(warning_text(text_of(field.value())));
    const bool hand_over = piece != nullptr && reply.status == 200;
    if (auto read = hand_over ? read_body(parser, piece, silence, Clock::time_point::max(), reply)
                              : read_body(parser, nullptr, limits_.reply, until, reply);
        !read)
      return tl::make_unexpected(read.error());
    if (!parser.is_done() || !parser.get().keep_alive()) close();
    return reply;
  }

  template <class Parser>
  Expected<void> read_body(Parser& parser, const std::function<bool(std::string_view)>* piece,
                           std::chrono::milliseconds silence, Clock::time_point until, HttpReply& reply) {
    std::array<char, 64 * 1024> chunk;
    while (!parser.is_done()) {
      if (Clock::now() >= until) return tl::make_unexpected(lost(beast::error::timeout, "read from"));
      parser.get().body().data = chunk.data();
      parser.get().body().size = chunk.size();
      // read_some hands over what is there; async_read would wait until the chunk is full.
      auto error = wait(silence, [&](auto done) { http::async_read_some(stream_, buffer_, parser, std::move(done)); });
      if (error == http::error::need_buffer) error = {};
      const std::string_view got(chunk.data(), chunk.size() - parser.get().body().size);
      if (piece != nullptr) {
        if (!got.empty() && !(*piece)(got)) return {};
      } else {
        if (reply.body.size() + got.size() > limits_.body)
          error = http::error::body_limit;
        else
          reply.body += got;
      }
      if (error) return tl::make_unexpected(lost(error, "read from"));
    }
    return {};
  }

  Url url_;
  HttpLimits limits_;
  asio::io_context io_{1};
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{1024 * 1024};
  bool open_ = false;
};

HttpClient::HttpClient(Url url, HttpLimits limits)
    : connection_(std::make_unique<Connection>(std::move(url), limits)) {}

HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;

Expected<HttpReply> HttpClient::exchange(const HttpRequest& request, std::chrono::milliseconds silence,
                                         const std::function<bool(std::string_view)>* piece) {
  const auto start = Clock::now();
  auto reply = connection_->exchange(request, silence, piece);
  if (on_exchange)
    on_exchange({.method = request.method,
                 .target = request.target,
                 .status = reply ? reply->status : 0,
                 .failure = reply ? std::string_view() : std::string_view(reply.error().message),
                 .took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start)});
  return reply;
}

Expected<HttpReply> HttpClient::send(const HttpRequest& request) { return exchange(request, {}, nullptr); }

Expected<HttpReply> HttpClient::stream(const HttpRequest& request, std::chrono::milliseconds silence,
                                       const std::function<bool(std::string_view)>& piece) {
  return exchange(request, silence, &piece);
}

} // namespace signpost::cli
