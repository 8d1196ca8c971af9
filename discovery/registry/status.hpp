// Why the registry refuses a request: the facts of a Kubernetes Status object, before it becomes JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "discovery/model/kind.hpp"

namespace signpost::registry {

struct Cause {
  std::string reason;  // FieldValueRequired, FieldValueInvalid, …; may be empty
  std::string message; // without the field
  std::string field;   // spec.ports[0].name
};

struct Status {
  int code = 500;
  std::string reason; // NotFound, AlreadyExists, Conflict, Invalid, BadRequest, …; empty: none is sent
  std::string message;
  bool has_details = false;
  std::string name, group, kind, uid; // details; empty ones are not sent
  std::vector<Cause> causes;
  std::optional<int> retry_after_seconds;
};

template <class T>
using Result = tl::expected<T, Status>;

// The texts are those of kube-apiserver (reference: api-errors).
[[nodiscard]] Status not_found(const model::KindInfo& kind, std::string_view name);
[[nodiscard]] Status already_exists(const model::KindInfo& kind, std::string_view name);
[[nodiscard]] Status conflict(const model::KindInfo& kind, std::string_view name, std::string_view why);
/// The optimistic-lock conflict: "the object has been modified; please apply your changes to …".
[[nodiscard]] Status modified(const model::KindInfo& kind, std::string_view name);
[[nodiscard]] Status bad_request(std::string message);
/// 422 with one cause per error; the message lists them as upstream does (one: bare, several: [a, b]).
[[nodiscard]] Status invalid(const model::KindInfo& kind, std::string_view name, std::vector<Cause> causes);
[[nodiscard]] Status internal_error(std::string message);
[[nodiscard]] Status unavailable(std::string message);
[[nodiscard]] Status forbidden(const model::KindInfo& kind, std::string_view name, std::string_view why);
[[nodiscard]] Status method_not_allowed(std::string message);
[[nodiscard]] Status expired(std::string message);

} // namespace signpost::registry
