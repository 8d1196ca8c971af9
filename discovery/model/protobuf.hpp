// Reads request bodies in application/vnd.kubernetes.protobuf: what typed Go clients send for create, update, delete.
//
// Decode only; answers stay JSON. Field numbers come from the same field lists as JSON (fields.hpp). Hostile input:
// bounded by the body's size, nesting bounded, no recursion on input depth. Pure functions, any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <tl/expected.hpp>

#include "discovery/model/json.hpp"

namespace signpost::model {

/// The k8s\0 envelope (runtime.Unknown).
struct ProtobufEnvelope {
  std::string api_version;
  std::string kind;
  std::span<const std::uint8_t> raw; // points into the body
};

[[nodiscard]] tl::expected<ProtobufEnvelope, DecodeError> read_envelope(std::span<const std::uint8_t> body);
[[nodiscard]] tl::expected<Object, DecodeError> decode_protobuf(Kind kind, std::span<const std::uint8_t> raw);

/// metav1.DeleteOptions, from protobuf or JSON.
struct DeleteOptions {
  std::optional<std::int64_t> grace_period_seconds;
  std::optional<std::string> precondition_uid;
  std::optional<std::string> precondition_resource_version;
  std::optional<std::string> propagation_policy;
  std::vector<std::string> dry_run;
};
[[nodiscard]] tl::expected<DeleteOptions, DecodeError> decode_delete_options(std::span<const std::uint8_t> raw);
[[nodiscard]] tl::expected<DeleteOptions, DecodeError> decode_delete_options(const Json& json);

} // namespace signpost::model
