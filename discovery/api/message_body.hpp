// Collects the body of one HTTP/1.1 message from pieces, by its length or its chunks, within limits. The framing is
// the library's; what it leaves unbounded (chunk extensions, trailers) is bounded here. Pure: bytes in, bytes out.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace signpost::api {

class MessageBody {
public:
  /// `head` is the request's head, already judged by parse_head().
  MessageBody(std::string_view head, std::size_t max_bytes);
  ~MessageBody();

  enum class State : std::uint8_t { more, done, malformed, too_large };
  /// Takes what it can use from the front of `input` and erases it there.
  State take(std::string& input);

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::string release();

private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

} // namespace signpost::api
