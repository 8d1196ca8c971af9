#include "discovery/api/request.hpp"

#include "discovery/api/watch_feed.hpp"

namespace signpost::api {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr std::size_t max_parameters = 256;
constexpr std::size_t max_segments = 16;

} // namespace

Reply::Reply() = default;
Reply::Reply(Reply&&) noexcept = default;
Reply& Reply::operator=(Reply&&) noexcept = default;
Reply::~Reply() = default;

Reply no_memory_reply() {
  Reply reply = text_reply(503, "503 Service Unavailable: out of memory; try again\n");
  reply.close = true;
  return reply;
}

Stream::Step ResumedStream::next(std::string& out) {
  if (begin_.empty()) return rest_ ? rest_->next(out) : Step::failed;
  if (out.empty())
    out = std::move(begin_);
  else
    out += begin_;
  begin_ = {};
  return Step::more;
}

Method parse_method(std::string_view text) {
  if (text == "GET") return Method::get;
  if (text == "HEAD") return Method::head;
  if (text == "POST") return Method::post;
  if (text == "PUT") return Method::put;
  if (text == "PATCH") return Method::patch;
  if (text == "DELETE") return Method::del;
  if (text == "OPTIONS") return Method::options;
  return Method::other;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus_is_space)
      c = ' ';
    else if (c == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return std::nullopt;
    out.push_back(c);
  }
  return out;
}

std::optional<Query> Query::parse(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view parameter = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (parameter.empty()) continue;
    const std::size_t equals = parameter.find('=');
    auto name = percent_decode(parameter.substr(0, equals), true);
    auto value = percent_decode(equals == std::string_view::npos ? "" : parameter.substr(equals + 1), true);
    if (!name || !value || query.parameters_.size() == max_parameters) return std::nullopt;
    query.parameters_.emplace_back(std::move(*name), std::move(*value));
  }
  return query;
}

std::string_view Query::get(std::string_view name) const {
  for (const auto& [key, value] : parameters_)
    if (key == name) return value;
  return {};
}

bool Query::has(std::string_view name) const {
  for (const auto& parameter : parameters_)
    if (parameter.first == name) return true;
  return false;
}

std::vector<std::string_view> Query::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : parameters_)
    if (key == name) values.push_back(value);
  return values;
}

bool Query::flag(std::string_view name) const {
  if (!has(name)) return false;
  const std::string_view value = get(name);
  for (const std::string_view yes : {"", "1", "t", "T", "true", "TRUE", "True"})
    if (value == yes) return true;
  return false;
}

std::optional<Target> parse_target(std::string_view text) {
  if (text.empty() || text.front() != '/') return std::nullopt;
  Target target;
  const std::size_t question = text.find('?');
  if (question != std::string_view::npos) {
    auto query = Query::parse(text.substr(question + 1));
    if (!query) return std::nullopt;
    target.query = std::move(*query);
  }
  std::string_view path = text.substr(0, question);
  path.remove_prefix(1);
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    auto segment = percent_decode(path.substr(0, slash), false);
    if (!segment || segment->empty() || target.segments.size() == max_segments) return std::nullopt;
    for (const char c : *segment)
      if (c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return std::nullopt;
    target.segments.push_back(std::move(*segment));
    if (slash == path.size()) break;
    path.remove_prefix(slash + 1);
    if (path.empty()) return std::nullopt; // "a//"
  }
  return target;
}

Reply text_reply(int status, std::string body) {
  Reply reply;
  reply.status = status;
  reply.content_type = "text/plain; charset=utf-8";
  reply.body = std::move(body);
  return reply;
}

Reply json_reply(int status, std::string body) {
  Reply reply;
  reply.status = status;
  reply.body = std::move(body);
  return reply;
}

} // namespace signpost::api
