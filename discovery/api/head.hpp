// Judges the head of an HTTP/1.1 request, byte by byte, before the HTTP library sees it.
//
// What a lenient parser lets through is how two programs come to disagree where a request ends. So here a line ends in
// CRLF and nothing else, a field is not folded, Content-Length and Transfer-Encoding exclude each other, and a message
// that is not exactly this gets 400 and the connection closed (RFC 9112; the library's version frames a body by
// Content-Length when a Transfer-Encoding is odd). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace signpost::api {

struct Head {
  std::string_view method;
  std::string_view target; // origin-form, whatever form was sent
  int minor = 1;           // HTTP/1.minor
  std::string_view host;
  std::string_view accept, accept_encoding, content_type, origin, user_agent; // views into the text; empty: absent
  bool has_origin = false;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool expect_continue = false;
  bool keep_alive = true;
};

struct HeadError {
  int status = 400;
  std::string message;
};

/// `text` begins with the request line and ends with the empty line's CRLF.
[[nodiscard]] tl::expected<Head, HeadError> parse_head(std::string_view text);

/// Whether what has arrived so far can still become a request: garbage (TLS, HTTP/0.9) need not be waited for.
[[nodiscard]] tl::expected<void, HeadError> check_beginning(std::string_view text);

/// Host without the port names this machine's loopback: localhost, 127.0.0.0/8, [::1].
[[nodiscard]] bool is_loopback_host(std::string_view host);

} // namespace signpost::api
