#include "discovery/api/message_body.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace signpost::api {
namespace {

namespace http = boost::beast::http;

/// A chunk's size line and extensions, or the trailer: what must be there whole before it can be read.
constexpr std::size_t max_framing = 8192;

} // namespace

struct MessageBody::Parser {
  http::request_parser<http::string_body> http;
  State state = State::more;
};

MessageBody::MessageBody(std::string_view head, std::size_t max_bytes) : parser_(std::make_unique<Parser>()) {
  auto& parser = parser_->http;
  parser.header_limit(static_cast<std::uint32_t>(head.size() + 1));
  parser.body_limit(max_bytes);
  parser.eager(false);
  boost::beast::error_code error;
  const std::size_t used = parser.put(boost::asio::buffer(head.data(), head.size()), error);
  if (error == http::error::body_limit)
    parser_->state = State::too_large;
  else if (error || used != head.size() || !parser.is_header_done())
    parser_->state = State::malformed;
  else if (parser.is_done())
    parser_->state = State::done;
  parser.eager(true);
}

MessageBody::~MessageBody() = default;

MessageBody::State MessageBody::take(std::string& input) {
  auto& parser = parser_->http;
  std::size_t used = 0;
  while (parser_->state == State::more && used < input.size()) {
    boost::beast::error_code error;
    const std::size_t count = parser.put(boost::asio::buffer(input.data() + used, input.size() - used), error);
    used += count;
    if (error == http::error::need_more) {
      if (input.size() - used > max_framing) parser_->state = State::malformed;
      break;
    }
    if (error == http::error::body_limit)
      parser_->state = State::too_large;
    else if (error)
      parser_->state = State::malformed;
    else if (parser.is_done())
      parser_->state = State::done;
    else if (count == 0)
      break;
  }
  input.erase(0, used);
  return parser_->state;
}

std::size_t MessageBody::size() const { return parser_->http.get().body().size(); }

std::string MessageBody::release() { return std::move(parser_->http.get().body()); }

} // namespace signpost::api
