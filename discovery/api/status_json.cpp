#include "discovery/api/status_json.hpp"

#include <array>
#include <fmt/format.h>

#include "discovery/api/negotiation.hpp"

namespace signpost::api {
namespace {

/// Length of the well-formed UTF-8 sequence at the front (RFC 3629); 0: there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    if (!follows(1) || !follows(2)) return 0;
    if (lead == 0xe0 && byte(1) < 0xa0) return 0;
    if (lead == 0xed && byte(1) > 0x9f) return 0;
    return 3;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    if (lead == 0xf0 && byte(1) < 0x90) return 0;
    if (lead == 0xf4 && byte(1) > 0x8f) return 0;
    return 4;
  }
  return 0;
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  if (out.back() != '{') out += ',';
  append_json_string(out, name);
  out += ':';
  append_json_string(out, value);
}

void append_details(std::string& out, const registry::Status& status) {
  out += ",\"details\":{";
  append_member(out, "name", status.name);
  append_member(out, "group", status.group);
  append_member(out, "kind", status.kind);
  append_member(out, "uid", status.uid);
  if (!status.causes.empty()) {
    if (out.back() != '{') out += ',';
    out += "\"causes\":[";
    for (const registry::Cause& cause : status.causes) {
      if (out.back() != '[') out += ',';
      out += '{';
      append_member(out, "reason", cause.reason);
      append_member(out, "message", cause.message);
      append_member(out, "field", cause.field);
      out += '}';
    }
    out += ']';
  }
  if (status.retry_after_seconds) {
    if (out.back() != '{') out += ',';
    out += "\"retryAfterSeconds\":" + std::to_string(*status.retry_after_seconds);
  }
  out += '}';
}

} // namespace

void append_json_string(std::string& out, std::string_view text) {
  static constexpr std::string_view digits = "0123456789abcdef";
  out += '"';
  while (!text.empty()) {
    const char c = text.front();
    if (static_cast<unsigned char>(c) >= 0x80) {
      const std::size_t length = utf8_length(text);
      if (length == 0)
        out += "\xef\xbf\xbd";
      else
        out += text.substr(0, length);
      text.remove_prefix(length == 0 ? 1 : length);
      continue;
    }
    text.remove_prefix(1);
    switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default:
      if (static_cast<unsigned char>(c) >= 0x20)
        out += c;
      else {
        out += "\\u00";
        out += digits[static_cast<unsigned char>(c) >> 4];
        out += digits[static_cast<unsigned char>(c) & 15];
      }
    }
  }
  out += '"';
}

std::string status_json(const registry::Status& status, std::string_view continue_token) {
  std::string out = "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{";
  append_member(out, "continue", continue_token);
  out += "},\"status\":\"Failure\"";
  append_member(out, "message", status.message);
  append_member(out, "reason", status.reason);
  if (status.has_details) append_details(out, status);
  out += ",\"code\":" + std::to_string(status.code) + "}";
  return out;
}

Reply status_reply(const registry::Status& status) {
  Reply reply = json_reply(status.code, status_json(status));
  if (status.retry_after_seconds)
    reply.headers.emplace_back("Retry-After", std::to_string(*status.retry_after_seconds));
  return reply;
}

std::string success_json(const model::KindInfo& kind, std::string_view name, std::string_view uid) {
  std::string out = "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\",\"details\":{";
  append_member(out, "name", name);
  append_member(out, "group", kind.group);
  append_member(out, "kind", kind.plural);
  append_member(out, "uid", uid);
  out += "}}";
  return out;
}

registry::Status no_such_resource() {
  registry::Status status;
  status.code = 404;
  status.reason = "NotFound";
  status.message = "the server could not find the requested resource";
  status.has_details = true;
  return status;
}

registry::Status method_refused() {
  registry::Status status;
  status.code = 405;
  status.reason = "MethodNotAllowed";
  status.message = "the server does not allow this method on the requested resource";
  status.has_details = true;
  return status;
}

registry::Status not_acceptable_status() {
  registry::Status status;
  status.code = 406;
  status.reason = "NotAcceptable";
  status.message = not_acceptable;
  return status;
}

registry::Status wrong_metadata_status(model::Kind kind, bool list) {
  registry::Status status = not_acceptable_status();
  const std::string_view name = model::info(kind).name;
  status.message =
      list ? fmt::format("you requested PartialObjectMetadata, but the requested object is a list (*core.{}List)", name)
           : fmt::format("you requested PartialObjectMetadataList, but the requested object is not a list (*core.{})",
                         name);
  return status;
}

registry::Status unsupported_media_type(std::string_view accepted) {
  registry::Status status;
  status.code = 415;
  status.reason = "UnsupportedMediaType";
  status.message =
      fmt::format("the body of the request was in an unknown format - accepted media types include: {}", accepted);
  return status;
}

registry::Status body_too_large(std::size_t limit) {
  registry::Status status;
  status.code = 413;
  status.reason = "RequestEntityTooLarge";
  status.message = fmt::format("Request entity is too large: limit is {}", limit);
  return status;
}

registry::Status invalid_revision(std::string_view text) {
  return registry::bad_request(fmt::format("invalid resource version: resourceVersion: Invalid value: \"{}\": "
                                           "strconv.ParseUint: parsing \"{}\": invalid syntax",
                                           text, text));
}

registry::Status too_large_revision(std::int64_t asked, std::int64_t current) {
  registry::Status status;
  status.code = 504;
  status.reason = "Timeout";
  status.message = fmt::format("Timeout: Too large resource version: {}, current: {}", asked, current);
  status.has_details = true;
  status.causes.push_back({"ResourceVersionTooLarge", "Too large resource version", ""});
  status.retry_after_seconds = 1;
  return status;
}

registry::Status invalid_option(std::string_view options, registry::Cause cause) {
  registry::Status status;
  status.code = 422;
  status.reason = "Invalid";
  status.message = fmt::format("{}.meta.k8s.io \"\" is invalid: {}: {}", options, cause.field, cause.message);
  status.has_details = true;
  status.group = "meta.k8s.io";
  status.kind = std::string(options);
  status.causes.push_back(std::move(cause));
  return status;
}

} // namespace signpost::api
