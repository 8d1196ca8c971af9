#include "discovery/api/status_json.hpp"

#include <fmt/format.h>

#include "discovery/api/negotiation.hpp"
#include "discovery/model/text.hpp"

namespace signpost::api {
namespace {

void append_member(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  if (out.back() != '{') out += ',';
  model::append_json_string(out, name);
  out += ':';
  model::append_json_string(out, value);
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
