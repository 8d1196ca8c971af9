#include "discovery/registry/status.hpp"

#include <unordered_set>

#include "discovery/registry/field_errors.hpp"

namespace signpost::registry {
namespace {

Status about(const model::KindInfo& kind, std::string_view name, int code, std::string_view reason) {
  Status status;
  status.code = code;
  status.reason = reason;
  status.has_details = true;
  status.name = name;
  status.group = kind.group;
  status.kind = kind.plural;
  return status;
}

std::string subject(const model::KindInfo& kind, std::string_view name) {
  return std::string(kind.qualified_resource()) + ' ' + quoted(name);
}

} // namespace

Status not_found(const model::KindInfo& kind, std::string_view name) {
  Status status = about(kind, name, 404, "NotFound");
  status.message = subject(kind, name) + " not found";
  return status;
}

Status already_exists(const model::KindInfo& kind, std::string_view name) {
  Status status = about(kind, name, 409, "AlreadyExists");
  status.message = subject(kind, name) + " already exists";
  return status;
}

Status conflict(const model::KindInfo& kind, std::string_view name, std::string_view why) {
  Status status = about(kind, name, 409, "Conflict");
  status.message = "Operation cannot be fulfilled on " + subject(kind, name) + ": " + std::string(why);
  return status;
}

Status modified(const model::KindInfo& kind, std::string_view name) {
  return conflict(kind, name,
                  "the object has been modified; please apply your changes to the latest version and try again");
}

Status bad_request(std::string message) {
  Status status;
  status.code = 400;
  status.reason = "BadRequest";
  status.message = std::move(message);
  return status;
}

Status invalid(const model::KindInfo& kind, std::string_view name, std::vector<Cause> causes) {
  Status status = about(kind, name, 422, "Invalid");
  status.kind = kind.name;
  std::vector<std::string> lines;
  std::unordered_set<std::string> said;
  for (const Cause& cause : causes) {
    std::string line = cause.field + ": " + cause.message;
    // Upstream lists equal errors once in the sentence, yet each of them as a cause.
    if (said.insert(line).second) lines.push_back(std::move(line));
  }
  status.message = std::string(kind.name);
  if (!kind.group.empty()) status.message.append(".").append(kind.group);
  status.message += ' ' + quoted(name) + " is invalid: ";
  if (lines.size() == 1) {
    status.message += lines.front();
  } else {
    status.message += '[';
    for (std::size_t i = 0; i < lines.size(); ++i) status.message += (i == 0 ? "" : ", ") + lines[i];
    status.message += ']';
  }
  status.causes = std::move(causes);
  return status;
}

Status internal_error(std::string message) {
  Status status;
  status.code = 500;
  status.reason = "InternalError";
  status.message = "Internal error occurred: " + message;
  status.has_details = true;
  status.causes.push_back({"", std::move(message), ""});
  return status;
}

Status unavailable(std::string message) {
  Status status;
  status.code = 503;
  status.reason = "ServiceUnavailable";
  status.message = std::move(message);
  status.retry_after_seconds = 1;
  return status;
}

Status forbidden(const model::KindInfo& kind, std::string_view name, std::string_view why) {
  Status status = about(kind, name, 403, "Forbidden");
  status.message = subject(kind, name) + " is forbidden: " + std::string(why);
  return status;
}

Status method_not_allowed(std::string message) {
  Status status;
  status.code = 405;
  status.reason = "MethodNotAllowed";
  status.message = std::move(message);
  return status;
}

Status expired(std::string message) {
  Status status;
  status.code = 410;
  status.reason = "Expired";
  status.message = std::move(message);
  return status;
}

} // namespace signpost::registry
