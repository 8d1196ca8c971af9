// Answers for clients that read nothing but protobuf: what was made as JSON, translated. Everyone else gets JSON, also
// who would rather have protobuf: clients decode by the answer's own Content-Type.
//
// Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "discovery/api/request.hpp"
#include "discovery/model/protobuf.hpp"

namespace signpost::api {

inline constexpr std::string_view protobuf_type = "application/vnd.kubernetes.protobuf";

/// The object or list in its envelope; apiVersion and kind say what it is. nullopt: nothing that protobuf has.
[[nodiscard]] std::optional<std::string> to_protobuf(std::string_view json);

/// A reply with a body in JSON; what has no form in protobuf, and bodies that are made while they are sent, stay as
/// they are.
[[nodiscard]] Reply to_protobuf(Reply reply);

/// A list before it is known how it ends: its envelope and metadata, to be followed by `items_size` bytes of items.
struct ProtobufListHead {
  std::string_view api_version, kind; // "v1", "ServiceList"
  std::string resource_version, continue_token;
  std::size_t remaining = 0; // 0: not said
  std::size_t items_size = 0;
};
void append_list_head(const ProtobufListHead& head, std::string& out);
/// Appends the object as an item.
void append_list_item(const model::WireMessage& message, std::string_view json, std::string& out);

} // namespace signpost::api
