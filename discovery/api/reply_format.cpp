#include "discovery/api/reply_format.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "discovery/model/manifest.hpp"
#include "discovery/model/protobuf_wire.hpp"

namespace signpost::api {
namespace {

using model::Json;

/// Of an object as deep as it may be, in a list.
constexpr std::size_t list_depth = model::JsonLimits{}.depth + 2;

std::string in_envelope(std::string_view api_version, std::string_view kind, std::string_view message) {
  std::string out;
  model::append_envelope_head(api_version, kind, message.size(), out);
  return out.append(message);
}

void append_item(const model::WireMessage& message, const Json& item, std::string& out) {
  std::string bytes;
  model::write_protobuf(message, item, bytes);
  model::append_bytes_field(2, bytes, out);
}

} // namespace

std::optional<std::string> to_protobuf(std::string_view json) {
  const auto document = model::parse_json(json, nullptr, {.depth = list_depth});
  if (!document || !document->is_object()) return std::nullopt;
  const std::string api_version(model::text_member(*document, "apiVersion")),
      kind(model::text_member(*document, "kind"));
  std::string message;
  if (const model::WireMessage* const known = model::find_wire_message(api_version, kind)) {
    model::write_protobuf(*known, *document, message);
    return in_envelope(api_version, kind, message);
  }
  const auto items = document->find("items");
  if (!kind.ends_with("List") || items == document->end()) return std::nullopt;
  const model::WireMessage* const element =
      model::find_wire_message(api_version, std::string_view(kind).substr(0, kind.size() - 4));
  if (element == nullptr) return std::nullopt;
  for (const Json& item : *items) append_item(*element, item, message);
  const auto meta = document->find("metadata");
  std::string revision, out;
  if (meta != document->end() && meta->is_object()) revision = model::text_member(*meta, "resourceVersion");
  append_list_head({api_version, kind, std::move(revision), {}, 0, message.size()}, out);
  return out.append(message);
}

void translate(Reply& reply) {
  const Format format = reply.wanted;
  if (format == Format::json || reply.stream || reply.watch || reply.content_type != "application/json") return;
  std::optional<std::string> body;
  if (format == Format::protobuf)
    body = to_protobuf(reply.body);
  else if (const auto document = model::parse_json(reply.body, nullptr, {.depth = list_depth}))
    body = model::to_yaml(*document);
  if (body) {
    reply.body = std::move(*body);
    reply.content_type = media_type(format);
  }
}

// Every list is {1 ListMeta{2 resourceVersion, 3 continue, 4 remainingItemCount}, 2 items}.
void append_list_head(const ProtobufListHead& head, std::string& out) {
  std::string meta, field;
  model::append_bytes_field(2, head.resource_version, meta);
  if (!head.continue_token.empty()) model::append_bytes_field(3, head.continue_token, meta);
  if (head.remaining != 0) model::append_number_field(4, head.remaining, meta);
  model::append_bytes_field(1, meta, field);
  model::append_envelope_head(head.api_version, head.kind, field.size() + head.items_size, out);
  out += field;
}

bool append_list_item(const model::WireMessage& message, std::string_view json, std::string& out) {
  const auto document = model::parse_json(json);
  if (document) append_item(message, *document, out);
  return document.has_value();
}

bool append_yaml_item(std::string_view json, std::string& out) {
  const auto document = model::parse_json(json);
  if (!document) return false;
  const std::string text = model::to_yaml(*document);
  std::string_view rest = text;
  for (std::string_view indent = "- "; !rest.empty(); indent = "  ") {
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    if (rest[0] != '\n') out += indent;
    out += rest.substr(0, end);
    rest.remove_prefix(end);
  }
  return true;
}

} // namespace signpost::api
