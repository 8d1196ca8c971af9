#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "discovery/model/protobuf.hpp"
#include "discovery/model/protobuf_wire.hpp"
#include "discovery/model/text.hpp"
#include "discovery/model/time.hpp"
#include "discovery/model/wire_schema.hpp"

namespace signpost::model {
namespace {

using Bytes = std::span<const std::uint8_t>;

/// Messages, elements of lists and entries of maps that one object may be made of: an empty one takes two bytes on the
/// wire and a hundred here.
constexpr std::size_t max_parts = 100'000;

struct Walk {
  std::string error;
  std::size_t parts = 0;
};

/// JSON has only UTF-8; other bytes become U+FFFD.
std::string utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::size_t const length = utf8_length(text);
    if (length == 0)
      out += "\xef\xbf\xbd";
    else
      out += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

/// The value, and whether it is the type's zero.
struct Value {
  Json json;
  bool zero;
};

Value read_time(Walk& walk, Bytes bytes, WireForm form) {
  std::int64_t seconds = 0;
  std::int32_t nanoseconds = 0;
  ProtobufReader time(bytes, walk.error);
  while (time.next()) {
    if (time.number() == 1 && time.expect(varint_type, "Seconds")) seconds = static_cast<std::int64_t>(time.value());
    if (time.number() == 2 && time.expect(varint_type, "Nanos")) nanoseconds = static_cast<std::int32_t>(time.value());
  }
  std::string text;
  if (!bytes.empty()) text = form == WireForm::time ? time_text(seconds) : micro_time_text(seconds, nanoseconds / 1000);
  bool const zero = text.empty();
  return {zero ? Json() : Json(std::move(text)), zero};
}

Value read_int_or_string(Walk& walk, Bytes bytes) {
  bool is_text = false;
  std::int32_t number = 0;
  std::string text;
  ProtobufReader fields(bytes, walk.error);
  while (fields.next()) {
    switch (fields.number()) {
    case 1:
      if (fields.expect(varint_type, "Type")) is_text = fields.value() == 1;
      break;
    case 2:
      if (fields.expect(varint_type, "IntVal")) number = static_cast<std::int32_t>(fields.value());
      break;
    case 3:
      if (fields.expect(bytes_type, "StrVal")) text = utf8(fields.text());
      break;
    default: break;
    }
  }
  bool const zero = is_text ? text.empty() : number == 0;
  return {is_text ? Json(std::move(text)) : Json(number), zero};
}

Json read_quantity(Walk& walk, Bytes bytes) {
  std::string text;
  ProtobufReader quantity(bytes, walk.error);
  while (quantity.next())
    if (quantity.number() == 1 && quantity.expect(bytes_type, "String")) text = utf8(quantity.text());
  return text.empty() ? Json("0") : Json(std::move(text));
}

void read_entry(Walk& walk, Bytes bytes, WireForm form, Json& map) {
  std::string key;
  Json value = form == WireForm::text_map ? Json("") : Json("0");
  ProtobufReader entry(bytes, walk.error);
  while (entry.next()) {
    if (entry.number() == 1 && entry.expect(bytes_type, "key")) key = utf8(entry.text());
    if (entry.number() == 2 && entry.expect(bytes_type, "value"))
      value = form == WireForm::text_map ? Json(utf8(entry.text())) : read_quantity(walk, entry.bytes());
  }
  map[std::move(key)] = std::move(value);
}

/// A value that is no message and no map.
Value read_scalar(Walk& walk, ProtobufReader& reader, const WireField& field) {
  const auto is = [&](WireType type) { return reader.expect(type, field.json); };
  switch (field.form) {
  case WireForm::text:
    if (!is(bytes_type)) break;
    return {utf8(reader.text()), reader.bytes().empty()};
  case WireForm::boolean:
    if (!is(varint_type)) break;
    return {reader.value() != 0, reader.value() == 0};
  case WireForm::int32:
    if (!is(varint_type)) break;
    return {static_cast<std::int32_t>(reader.value()), static_cast<std::int32_t>(reader.value()) == 0};
  case WireForm::int64:
    if (!is(varint_type)) break;
    return {static_cast<std::int64_t>(reader.value()), reader.value() == 0};
  case WireForm::time:
  case WireForm::micro_time:
    if (!is(bytes_type)) break;
    return read_time(walk, reader.bytes(), field.form);
  case WireForm::int_or_string:
    if (!is(bytes_type)) break;
    return read_int_or_string(walk, reader.bytes());
  case WireForm::quantity:
    if (!is(bytes_type)) break;
    return {read_quantity(walk, reader.bytes()), false};
  case WireForm::text_map:
  case WireForm::quantity_map:
  case WireForm::message: break;
  }
  return {Json(), true};
}

void read_message(Walk& walk, Bytes bytes, const WireMessage& message, Json& out);

/// Numbers in a list may come packed, all in one field.
void read_packed(Walk& walk, Bytes bytes, const WireField& field, Json& out) {
  ProtobufReader numbers(bytes, walk.error);
  while (const auto number = numbers.next_packed()) {
    if (++walk.parts > max_parts) {
      walk.error = "too many elements in " + std::string(field.json);
      return;
    }
    if (field.form == WireForm::int32)
      out[field.json].push_back(static_cast<std::int32_t>(*number));
    else
      out[field.json].push_back(static_cast<std::int64_t>(*number));
  }
}

void read_field(Walk& walk, ProtobufReader& reader, const WireField& field, Json& out) {
  if (field.presence == Presence::inlined) {
    if (reader.expect(bytes_type, field.json)) read_message(walk, reader.bytes(), *field.message, out);
    return;
  }
  const bool repeated = field.presence == Presence::repeated;
  const bool is_map = field.form == WireForm::text_map || field.form == WireForm::quantity_map;
  if ((repeated || is_map || field.form == WireForm::message) && ++walk.parts > max_parts) {
    walk.error = "too many elements in " + std::string(field.json);
    return;
  }
  if (is_map) {
    if (!reader.expect(bytes_type, field.json)) return;
    Json& map = out[field.json];
    if (!map.is_object()) map = Json::object();
    return read_entry(walk, reader.bytes(), field.form, map);
  }
  if (field.form == WireForm::message) {
    if (!reader.expect(bytes_type, field.json)) return;
    Json* place = &out[field.json];
    if (repeated) place = &place->emplace_back(Json::object());
    return read_message(walk, reader.bytes(), *field.message, *place); // two of one that is not repeated are merged
  }
  const bool is_number = field.form == WireForm::int32 || field.form == WireForm::int64;
  if (repeated && is_number && reader.type() == bytes_type) return read_packed(walk, reader.bytes(), field, out);
  Value value = read_scalar(walk, reader, field);
  if (!walk.error.empty()) return;
  if (repeated)
    out[field.json].push_back(std::move(value.json));
  else if (value.json.is_null() || (value.zero && field.presence == Presence::unless_zero))
    out.erase(field.json);
  else
    out[field.json] = std::move(value.json);
}

// Deep only as the table is.
void read_message(Walk& walk, Bytes bytes, const WireMessage& message, Json& out) {
  if (!out.is_object()) out = Json::object();
  ProtobufReader reader(bytes, walk.error);
  while (reader.next()) {
    for (const WireField& field : message.fields) {
      if (field.number != reader.number()) continue;
      read_field(walk, reader, field, out);
      break;
    }
  }
}

} // namespace

tl::expected<ProtobufEnvelope, DecodeError> read_envelope(Bytes body) {
  constexpr std::array<std::uint8_t, 4> magic{'k', '8', 's', 0};
  if (body.size() < magic.size() || !std::equal(magic.begin(), magic.end(), body.begin())) {
    return tl::unexpected(
        DecodeError{"provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"});
  }
  if (body.size() == magic.size()) return tl::unexpected(DecodeError{"empty body"});
  ProtobufEnvelope envelope;
  std::string error, encoding;
  ProtobufReader unknown(body.subspan(magic.size()), error);
  while (unknown.next()) {
    if (unknown.number() == 1 && unknown.expect(bytes_type, "TypeMeta")) {
      ProtobufReader type(unknown.bytes(), error);
      while (type.next()) {
        if (type.number() == 1 && type.expect(bytes_type, "APIVersion")) envelope.api_version = utf8(type.text());
        if (type.number() == 2 && type.expect(bytes_type, "Kind")) envelope.kind = utf8(type.text());
      }
    }
    if (unknown.number() == 2 && unknown.expect(bytes_type, "Raw")) envelope.raw = unknown.bytes();
    if (unknown.number() == 3 && unknown.expect(bytes_type, "ContentEncoding")) encoding = unknown.text();
  }
  if (error.empty() && !encoding.empty()) error = "content encoding " + encoding + " is not supported";
  if (!error.empty()) return tl::unexpected(DecodeError{std::move(error)});
  return envelope;
}

tl::expected<Json, DecodeError> read_protobuf(const WireMessage& message, Bytes raw) {
  Walk walk;
  Json document = Json::object();
  read_message(walk, raw, message, document);
  if (!walk.error.empty()) return tl::unexpected(DecodeError{std::move(walk.error)});
  return document;
}

} // namespace signpost::model
