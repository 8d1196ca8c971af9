#include "discovery/api/head.hpp"

#include <algorithm>
#include <array>

#include "discovery/model/address.hpp"

namespace signpost::api {
namespace {

constexpr std::size_t max_fields = 100;
constexpr std::size_t max_target = 8192;
constexpr std::size_t max_method = 16;

bool is_token_char(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char); }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

tl::unexpected<HeadError> refuse(int status, std::string message) {
  return tl::make_unexpected(HeadError{status, std::move(message)});
}

bool list_has(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (same(trim(list.substr(0, comma)), word)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

/// "http://127.0.0.1:8080/api" -> host and path. The authority then counts as the Host (RFC 9112, 3.2.2).
bool split_absolute(std::string_view target, std::string_view& host, std::string_view& path) {
  constexpr std::string_view scheme = "http://";
  if (target.size() < scheme.size() || !same(target.substr(0, scheme.size()), scheme)) return false;
  target.remove_prefix(scheme.size());
  const std::size_t slash = std::min(target.find('/'), target.size());
  host = target.substr(0, slash);
  path = slash == target.size() ? std::string_view("/") : target.substr(slash);
  return !host.empty() && host.find('@') == std::string_view::npos && host.find('?') == std::string_view::npos;
}

tl::expected<void, HeadError> parse_request_line(std::string_view line, Head& head, std::string_view& authority) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return refuse(400, "malformed request line");
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(head.method) || head.method.size() > max_method) return refuse(400, "malformed method");
  if (version.size() != 8 || !version.starts_with("HTTP/") || version[6] != '.')
    return refuse(400, "malformed HTTP version");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return refuse(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
  head.minor = version.back() - '0';
  if (head.target.size() > max_target) return refuse(414, "request target is too long");
  for (const char c : head.target)
    if (c <= 0x20 || c == 0x7f || c == '#') return refuse(400, "malformed request target");
  if (head.target.empty()) return refuse(400, "malformed request target");
  if (head.target.front() != '/') {
    std::string_view path;
    if (!split_absolute(head.target, authority, path)) return refuse(400, "malformed request target");
    head.target = path;
  }
  return {};
}

tl::expected<std::uint64_t, HeadError> parse_length(std::string_view value) {
  if (value.empty() || value.size() > 18) return refuse(400, "malformed Content-Length");
  std::uint64_t length = 0;
  for (const char c : value) {
    if (c < '0' || c > '9') return refuse(400, "malformed Content-Length");
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return length;
}

struct Seen {
  bool host = false, length = false, coding = false, connection_close = false, connection_keep = false;
};

tl::expected<void, HeadError> take_field(std::string_view name, std::string_view value, Head& head, Seen& seen) {
  if (same(name, "host")) {
    if (seen.host) return refuse(400, "more than one Host");
    seen.host = true;
    head.host = value;
  } else if (same(name, "content-length")) {
    if (seen.length) return refuse(400, "more than one Content-Length");
    seen.length = true;
    const auto length = parse_length(value);
    if (!length) return tl::make_unexpected(length.error());
    head.content_length = *length;
  } else if (same(name, "transfer-encoding")) {
    if (seen.coding) return refuse(400, "more than one Transfer-Encoding");
    seen.coding = true;
    if (!same(value, "chunked")) return refuse(501, "no Transfer-Encoding but chunked is understood");
    head.chunked = true;
  } else if (same(name, "expect")) {
    if (!same(value, "100-continue")) return refuse(417, "no expectation but 100-continue is understood");
    head.expect_continue = true;
  } else if (same(name, "connection")) {
    seen.connection_close = seen.connection_close || list_has(value, "close");
    seen.connection_keep = seen.connection_keep || list_has(value, "keep-alive");
  } else if (same(name, "user-agent")) {
    if (head.user_agent.empty()) head.user_agent = value;
  } else if (same(name, "accept-encoding")) {
    if (head.accept_encoding.empty()) head.accept_encoding = value;
  } else if (same(name, "accept")) {
    if (head.accept.empty()) head.accept = value;
  } else if (same(name, "content-type")) {
    if (!head.content_type.empty()) return refuse(400, "more than one Content-Type");
    head.content_type = value;
  } else if (same(name, "origin")) {
    head.has_origin = true;
    head.origin = value;
  }
  return {};
}

tl::expected<void, HeadError> check_line(std::string_view line) {
  for (const char c : line)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f)
      return refuse(400, "control character in the request's head");
  return {};
}

} // namespace

tl::expected<Head, HeadError> parse_head(std::string_view text) {
  Head head;
  Seen seen;
  std::string_view authority;
  bool first = true;
  std::size_t fields = 0;
  while (true) {
    const std::size_t end = text.find("\r\n");
    if (end == std::string_view::npos) return refuse(400, "malformed request head");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 2);
    if (auto clean = check_line(line); !clean) return tl::make_unexpected(clean.error());
    if (first) {
      if (auto read = parse_request_line(line, head, authority); !read) return tl::make_unexpected(read.error());
      first = false;
      continue;
    }
    if (line.empty()) break;
    if (line.front() == ' ' || line.front() == '\t') return refuse(400, "folded header field");
    if (++fields > max_fields) return refuse(431, "too many header fields");
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
      return refuse(400, "malformed header field");
    if (auto taken = take_field(line.substr(0, colon), trim(line.substr(colon + 1)), head, seen); !taken)
      return tl::make_unexpected(taken.error());
  }
  if (!text.empty()) return refuse(400, "malformed request head");
  if (!seen.host && head.minor == 1) return refuse(400, "missing Host");
  if (seen.length && seen.coding) return refuse(400, "Content-Length and Transfer-Encoding exclude each other");
  if (head.chunked && head.minor == 0) return refuse(400, "HTTP/1.0 has no Transfer-Encoding");
  if (!authority.empty()) head.host = authority;
  head.keep_alive = !seen.connection_close && (head.minor == 1 || seen.connection_keep);
  return head;
}

tl::expected<void, HeadError> check_beginning(std::string_view text) {
  const std::size_t line_end = text.find('\n');
  if (line_end != std::string_view::npos) {
    if (line_end == 0 || text[line_end - 1] != '\r') return refuse(400, "lines must end in CRLF");
    const std::string_view line = text.substr(0, line_end - 1);
    if (auto clean = check_line(line); !clean) return clean;
    Head head;
    std::string_view authority;
    return parse_request_line(line, head, authority);
  }
  const std::size_t space = std::min(text.find(' '), text.size());
  if (space > max_method ||
      !std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(space), is_token_char))
    return refuse(400, "this is not an HTTP request");
  return {};
}

bool is_loopback_host(std::string_view host) {
  std::string_view name = host;
  if (name.starts_with('[')) {
    const std::size_t bracket = name.find(']');
    if (bracket == std::string_view::npos) return false;
    const std::string_view port = name.substr(bracket + 1);
    if (!port.empty() && port.front() != ':') return false;
    const auto address = model::Address::parse(name.substr(1, bracket - 1));
    return address && address->is_loopback();
  }
  name = name.substr(0, name.find(':'));
  if (name.ends_with('.')) name.remove_suffix(1);
  if (same(name, "localhost")) return true;
  const auto address = model::Address::parse(name);
  return address && address->is_v4() && address->is_loopback();
}

} // namespace signpost::api
