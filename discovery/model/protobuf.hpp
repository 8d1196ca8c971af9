// The API's second encoding, application/vnd.kubernetes.protobuf, which typed Go clients send and some programs want
// back. It is translated to JSON documents and back; everything else in the tree reads and writes JSON.
//
//   auto envelope = read_envelope(body);                         // k8s\0, what it is, the message
//   auto document = read_protobuf(wire_message(Kind::pod), envelope->raw);
//
// Hostile input: bounded by the body's size and by a count of its parts, no recursion on input depth. Pure functions,
// any thread.
#pragma once

#include <span>
#include <string>
#include <tl/expected.hpp>

#include "discovery/model/json.hpp"

namespace signpost::model {

/// What a message's fields are; one for every kind and for what else goes over the wire.
struct WireMessage;

[[nodiscard]] const WireMessage& wire_message(Kind kind);
/// By apiVersion and kind, of everything that can be asked or answered: "v1" "Service", "v1" "Status", "meta.k8s.io/v1"
/// "PartialObjectMetadata", …; nullptr: there is none.
[[nodiscard]] const WireMessage* find_wire_message(std::string_view api_version, std::string_view kind);

/// The k8s\0 envelope (runtime.Unknown).
struct ProtobufEnvelope {
  std::string api_version;
  std::string kind;
  std::span<const std::uint8_t> raw; // the message; points into the body
};

[[nodiscard]] tl::expected<ProtobufEnvelope, DecodeError> read_envelope(std::span<const std::uint8_t> body);
/// Appends all of an envelope but its last bytes, the message itself.
void append_envelope_head(std::string_view api_version, std::string_view kind, std::size_t message_size,
                          std::string& out);

/// The message as a JSON document, without apiVersion and kind. Unknown fields are passed over.
[[nodiscard]] tl::expected<Json, DecodeError> read_protobuf(const WireMessage& message,
                                                            std::span<const std::uint8_t> raw);
/// Appends the document as a message. Members that the message does not have, or not so, are left out: objects may
/// hold some that nobody here has looked into.
void write_protobuf(const WireMessage& message, const Json& document, std::string& out);

} // namespace signpost::model
