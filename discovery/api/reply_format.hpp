// Answers in other formats than JSON: what was made as JSON, translated.
//
// Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "discovery/api/negotiation.hpp"
#include "discovery/api/request.hpp"
#include "discovery/model/protobuf.hpp"

namespace signpost::api {

/// The object or list in its envelope; apiVersion and kind say what it is. nullopt: nothing that protobuf has.
[[nodiscard]] std::optional<std::string> to_protobuf(std::string_view json);

/// Translates a body in JSON as `wanted` says. What has no form in protobuf, and what is made while it is sent, stays
/// as it is.
void translate(Reply& reply);

/// A list in protobuf before it is known how it ends: its envelope and metadata, to be followed by `items_size` bytes
/// of items.
struct ProtobufListHead {
  std::string_view api_version, kind; // "v1", "ServiceList"
  std::string resource_version, continue_token;
  std::size_t remaining = 0; // 0: not said
  std::size_t items_size = 0;
};
void append_list_head(const ProtobufListHead& head, std::string& out);
/// Appends the object as an item; false: its text cannot be read.
[[nodiscard]] bool append_list_item(const model::WireMessage& message, std::string_view json, std::string& out);

/// The same, of a list in YAML.
[[nodiscard]] bool append_yaml_item(std::string_view json, std::string& out);

} // namespace signpost::api
