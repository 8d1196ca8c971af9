#include <nlohmann/json.hpp>

#include "discovery/model/protobuf.hpp"
#include "discovery/model/protobuf_wire.hpp"
#include "discovery/model/time.hpp"
#include "discovery/model/wire_schema.hpp"

namespace signpost::model {
namespace {

const std::string* text_of(const Json& json) { return json.get_ptr<const std::string*>(); }

/// Of a JSON integer as it is on the wire; nullopt: it is none, or does not fit.
std::optional<std::uint64_t> number_of(const Json& json, WireForm form) {
  if (!json.is_number_integer()) return std::nullopt;
  if (json.is_number_unsigned() && json.get<std::uint64_t>() > INT64_MAX) return std::nullopt;
  auto const number = json.get<std::int64_t>();
  if (form == WireForm::int32 && (number < INT32_MIN || number > INT32_MAX)) return std::nullopt;
  return static_cast<std::uint64_t>(number);
}

std::optional<std::string> time_message(const Json& json) {
  const std::string* const text = text_of(json);
  if (text == nullptr) return std::nullopt;
  auto const time = parse_time(*text);
  if (!time) return std::nullopt;
  std::string out;
  append_number_field(1, static_cast<std::uint64_t>(time->seconds), out);
  append_number_field(2, static_cast<std::uint64_t>(time->microseconds) * 1000, out);
  return out;
}

std::optional<std::string> int_or_string_message(const Json& json) {
  const std::string* const text = text_of(json);
  auto const number = number_of(json, WireForm::int32);
  if (text == nullptr && !number) return std::nullopt;
  std::string out;
  append_number_field(1, text != nullptr ? 1 : 0, out);
  append_number_field(2, number.value_or(0), out);
  append_bytes_field(3, text != nullptr ? *text : "", out);
  return out;
}

/// A quantity may be a number in JSON, and is text on the wire.
std::optional<std::string> quantity_message(const Json& json) {
  const std::string* const text = text_of(json);
  if (text == nullptr && !json.is_number()) return std::nullopt;
  std::string out;
  append_bytes_field(1, text != nullptr ? *text : json.dump(), out);
  return out;
}

void write_map(const WireField& field, const Json& json, std::string& out) {
  if (!json.is_object()) return;
  for (const auto& [key, value] : json.items()) {
    std::optional<std::string> bytes;
    if (field.form == WireForm::quantity_map)
      bytes = quantity_message(value);
    else if (const std::string* const text = text_of(value))
      bytes = *text;
    if (!bytes) continue;
    std::string entry;
    append_bytes_field(1, key, entry);
    append_bytes_field(2, *bytes, entry);
    append_bytes_field(field.number, entry, out);
  }
}

/// One value: the field's, or an element of it.
void write_value(const WireField& field, const Json& json, std::string& out) {
  std::optional<std::string> bytes;
  switch (field.form) {
  case WireForm::boolean:
    if (json.is_boolean()) append_number_field(field.number, json.get<bool>() ? 1 : 0, out);
    return;
  case WireForm::int32:
  case WireForm::int64:
    if (auto const number = number_of(json, field.form)) append_number_field(field.number, *number, out);
    return;
  case WireForm::text_map:
  case WireForm::quantity_map: return write_map(field, json, out);
  case WireForm::text:
    if (const std::string* const text = text_of(json)) append_bytes_field(field.number, *text, out);
    return;
  case WireForm::time:
  case WireForm::micro_time: bytes = time_message(json); break;
  case WireForm::int_or_string: bytes = int_or_string_message(json); break;
  case WireForm::quantity: bytes = quantity_message(json); break;
  case WireForm::message:
    if (json.is_object()) write_protobuf(*field.message, json, bytes.emplace());
    break;
  }
  if (bytes) append_bytes_field(field.number, *bytes, out);
}

} // namespace

// Deep only as the table is.
void write_protobuf(const WireMessage& message, const Json& document, std::string& out) {
  for (const WireField& field : message.fields) {
    if (field.presence == Presence::inlined) {
      write_value(field, document, out);
      continue;
    }
    auto const member = document.find(field.json);
    if (member == document.end()) continue;
    if (field.presence != Presence::repeated) {
      write_value(field, *member, out);
    } else if (member->is_array()) {
      for (const Json& element : *member) write_value(field, element, out);
    }
  }
}

void append_envelope_head(std::string_view api_version, std::string_view kind, std::size_t message_size,
                          std::string& out) {
  std::string type;
  append_bytes_field(1, api_version, type);
  append_bytes_field(2, kind, type);
  out += std::string_view("k8s\0", 4);
  append_bytes_field(1, type, out);
  append_varint(2u << 3 | bytes_type, out);
  append_varint(message_size, out);
}

} // namespace signpost::model
