#include "discovery/model/protobuf.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "discovery/model/fields.hpp"
#include "discovery/model/time.hpp"

namespace signpost::model {
namespace {

using Bytes = std::span<const std::uint8_t>;

enum WireType : unsigned { varint_type = 0, fixed64_type = 1, bytes_type = 2, fixed32_type = 5 };

// One message's fields in order. The texts are those of Go's generated readers.
class Reader {
public:
  explicit Reader(Bytes bytes, std::string& error) : rest_(bytes), error_(error) {}

  /// Goes to the next field; false at the end and after an error.
  bool next() {
    if (rest_.empty() || !error_.empty()) return false;
    std::uint64_t const tag = varint();
    if (!error_.empty()) return false;
    number_ = static_cast<unsigned>(std::min<std::uint64_t>(tag >> 3, UINT32_MAX));
    type_ = static_cast<unsigned>(tag & 7);
    if (number_ == 0) return fail("proto: illegal tag 0 (wire type " + std::to_string(type_) + ")");
    switch (type_) {
    case varint_type: value_ = varint(); break;
    case fixed64_type: (void)take(8); break;
    case fixed32_type: (void)take(4); break;
    case bytes_type: bytes_ = take(varint()); break;
    default: return fail("proto: illegal wireType " + std::to_string(type_));
    }
    return error_.empty();
  }

  [[nodiscard]] unsigned number() const { return number_; }
  [[nodiscard]] unsigned type() const { return type_; }
  [[nodiscard]] std::uint64_t value() const { return value_; }
  [[nodiscard]] Bytes bytes() const { return bytes_; }

private:
  bool fail(std::string what) {
    if (error_.empty()) error_ = std::move(what);
    return false;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < 10; ++i) {
      if (i >= rest_.size()) {
        fail("unexpected EOF");
        return 0;
      }
      value |= static_cast<std::uint64_t>(rest_[i] & 0x7f) << (7 * i);
      if (rest_[i] < 0x80) {
        rest_ = rest_.subspan(i + 1);
        return value;
      }
    }
    fail("proto: integer overflow");
    return 0;
  }
  Bytes take(std::uint64_t size) {
    if (size > rest_.size()) {
      fail("unexpected EOF");
      return {};
    }
    auto const taken = rest_.first(static_cast<std::size_t>(size));
    rest_ = rest_.subspan(static_cast<std::size_t>(size));
    return taken;
  }

  Bytes rest_;
  std::string& error_;
  unsigned number_ = 0, type_ = 0;
  std::uint64_t value_ = 0;
  Bytes bytes_;
};

struct Decoder {
  std::string error;
  std::size_t list_structs = 0;
};

std::string text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

bool expect(Decoder& decoder, const Reader& reader, unsigned type, std::string_view name) {
  if (reader.type() == type) return true;
  decoder.error = "proto: wrong wireType = " + std::to_string(reader.type()) + " for field " + std::string(name);
  return false;
}

template <Structure T>
void decode_message(Decoder& decoder, Bytes bytes, T& out);
template <Structure T>
void read(Decoder& decoder, const Reader& reader, T& out, std::string_view name, Form form);

template <class Number>
requires(std::is_arithmetic_v<Number>) void read(Decoder& decoder, const Reader& reader, Number& out,
                                                 std::string_view name, Form) {
  if (expect(decoder, reader, varint_type, name)) out = static_cast<Number>(reader.value());
}

void read(Decoder& decoder, const Reader& reader, std::string& out, std::string_view name, Form form) {
  if (!expect(decoder, reader, bytes_type, name)) return;
  if (form == Form::plain) {
    out = text_of(reader.bytes());
    return;
  }
  std::int64_t seconds = 0;
  std::int32_t nanoseconds = 0;
  Reader time(reader.bytes(), decoder.error);
  while (time.next()) {
    if (time.number() == 1) read(decoder, time, seconds, name, Form::plain);
    if (time.number() == 2) read(decoder, time, nanoseconds, name, Form::plain);
  }
  if (reader.bytes().empty())
    out.clear();
  else
    out = form == Form::time ? time_text(seconds) : micro_time_text(seconds, nanoseconds / 1000);
}

void read(Decoder& decoder, const Reader& reader, IntOrString& out, std::string_view name, Form) {
  if (!expect(decoder, reader, bytes_type, name)) return;
  std::int64_t type = 0;
  std::int32_t number = 0;
  std::string text;
  Reader fields(reader.bytes(), decoder.error);
  while (fields.next()) {
    switch (fields.number()) {
    case 1: read(decoder, fields, type, "Type", Form::plain); break;
    case 2: read(decoder, fields, number, "IntVal", Form::plain); break;
    case 3: read(decoder, fields, text, "StrVal", Form::plain); break;
    default: break;
    }
  }
  if (type == 1) {
    out.value = std::move(text);
  } else {
    out.value = number;
  }
}

// Go writes a port it was not given as the number 0, which no port is.
void read(Decoder& decoder, const Reader& reader, std::optional<IntOrString>& out, std::string_view name, Form form) {
  read(decoder, reader, out.emplace(), name, form);
  if (*out == IntOrString{0} || *out == IntOrString{""}) out.reset();
}

template <class T>
void read(Decoder& decoder, const Reader& reader, std::optional<T>& out, std::string_view name, Form form) {
  read(decoder, reader, out ? *out : out.emplace(), name, form);
}

template <class T>
void read(Decoder& decoder, const Reader& reader, std::vector<T>& out, std::string_view name, Form form) {
  if constexpr (Structure<T>) {
    if (++decoder.list_structs > max_list_structs) {
      decoder.error = "too many elements in " + std::string(name);
      return;
    }
  }
  read(decoder, reader, out.emplace_back(), name, form);
}

void read(Decoder& decoder, const Reader& reader, std::map<std::string, std::string>& out, std::string_view name,
          Form) {
  if (!expect(decoder, reader, bytes_type, name)) return;
  std::string key, value;
  Reader entry(reader.bytes(), decoder.error);
  while (entry.next()) {
    if (entry.number() == 1) read(decoder, entry, key, name, Form::plain);
    if (entry.number() == 2) read(decoder, entry, value, name, Form::plain);
  }
  out.insert_or_assign(std::move(key), std::move(value));
}

template <Structure T>
void read(Decoder& decoder, const Reader& reader, T& out, std::string_view name, Form) {
  if (expect(decoder, reader, bytes_type, name)) decode_message(decoder, reader.bytes(), out);
}

// Deep only as the structs are: a message within a message is a member of a struct.
template <Structure T>
void decode_message(Decoder& decoder, Bytes bytes, T& out) {
  Reader reader(bytes, decoder.error);
  while (reader.next()) {
    std::apply(
        [&](const auto&... fields) {
          ((reader.number() == fields.number &&
            (read(decoder, reader, out.*fields.member, fields.name, fields.form), true)) ||
           ...);
        },
        Schema<T>::fields);
  }
}

template <class T>
tl::expected<Object, DecodeError> decode_kind(Bytes raw) {
  Decoder decoder;
  tl::expected<Object, DecodeError> result(tl::in_place, std::in_place_type<T>);
  decode_message(decoder, raw, std::get<T>(*result));
  if (!decoder.error.empty()) return tl::unexpected(DecodeError{std::move(decoder.error)});
  return result;
}

} // namespace

tl::expected<ProtobufEnvelope, DecodeError> read_envelope(Bytes body) {
  constexpr std::array<std::uint8_t, 4> magic{'k', '8', 's', 0};
  if (body.size() < magic.size() || !std::equal(magic.begin(), magic.end(), body.begin())) {
    return tl::unexpected(
        DecodeError{"provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"});
  }
  ProtobufEnvelope envelope;
  Decoder decoder;
  std::string encoding;
  Reader unknown(body.subspan(magic.size()), decoder.error);
  while (unknown.next()) {
    if (unknown.number() == 1 && expect(decoder, unknown, bytes_type, "TypeMeta")) {
      Reader type(unknown.bytes(), decoder.error);
      while (type.next()) {
        if (type.number() == 1) read(decoder, type, envelope.api_version, "APIVersion", Form::plain);
        if (type.number() == 2) read(decoder, type, envelope.kind, "Kind", Form::plain);
      }
    }
    if (unknown.number() == 2 && expect(decoder, unknown, bytes_type, "Raw")) envelope.raw = unknown.bytes();
    if (unknown.number() == 3) read(decoder, unknown, encoding, "ContentEncoding", Form::plain);
  }
  if (decoder.error.empty() && !encoding.empty()) decoder.error = "content encoding " + encoding + " is not supported";
  if (!decoder.error.empty()) return tl::unexpected(DecodeError{std::move(decoder.error)});
  return envelope;
}

tl::expected<Object, DecodeError> decode_protobuf(Kind kind, Bytes raw) {
  switch (kind) {
  case Kind::name_space: return decode_kind<Namespace>(raw);
  case Kind::service: return decode_kind<Service>(raw);
  case Kind::endpoint_slice: return decode_kind<EndpointSlice>(raw);
  case Kind::endpoints: return decode_kind<Endpoints>(raw);
  case Kind::service_cidr: return decode_kind<ServiceCidr>(raw);
  case Kind::ip_address: return decode_kind<IpAddress>(raw);
  case Kind::lease: return decode_kind<Lease>(raw);
  case Kind::event: return decode_kind<Event>(raw);
  case Kind::group_event: return decode_kind<GroupEvent>(raw);
  case Kind::pod: return decode_kind<Pod>(raw);
  case Kind::node: return decode_kind<Node>(raw);
  }
  return tl::unexpected(DecodeError{"no such kind"});
}

tl::expected<AccessReview, DecodeError> decode_access_review(Bytes raw) {
  Decoder decoder;
  AccessReview review;
  decode_message(decoder, raw, review);
  if (!decoder.error.empty()) return tl::unexpected(DecodeError{std::move(decoder.error)});
  return review;
}

DeleteOptions flatten(WireDeleteOptions&& wire) {
  DeleteOptions options;
  options.grace_period_seconds = wire.grace_period_seconds;
  if (wire.preconditions) {
    options.precondition_uid = std::move(wire.preconditions->uid);
    options.precondition_resource_version = std::move(wire.preconditions->resource_version);
  }
  options.propagation_policy = std::move(wire.propagation_policy);
  options.dry_run = std::move(wire.dry_run);
  return options;
}

tl::expected<DeleteOptions, DecodeError> decode_delete_options(Bytes raw) {
  Decoder decoder;
  WireDeleteOptions wire;
  decode_message(decoder, raw, wire);
  if (!decoder.error.empty()) return tl::unexpected(DecodeError{std::move(decoder.error)});
  return flatten(std::move(wire));
}

} // namespace signpost::model
