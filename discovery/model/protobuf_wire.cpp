#include "discovery/model/protobuf_wire.hpp"

#include <algorithm>

namespace signpost::model {

bool ProtobufReader::next() {
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

std::optional<std::uint64_t> ProtobufReader::next_packed() {
  if (rest_.empty() || !error_.empty()) return std::nullopt;
  const std::uint64_t value = varint();
  return error_.empty() ? std::optional(value) : std::nullopt;
}

std::string_view ProtobufReader::text() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }

bool ProtobufReader::expect(WireType type, std::string_view name) {
  if (type_ == type) return true;
  return fail("proto: wrong wireType = " + std::to_string(type_) + " for field " + std::string(name));
}

bool ProtobufReader::fail(std::string what) {
  if (error_.empty()) error_ = std::move(what);
  return false;
}

std::uint64_t ProtobufReader::varint() {
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

ProtobufReader::Bytes ProtobufReader::take(std::uint64_t size) {
  if (size > rest_.size()) {
    fail("unexpected EOF");
    return {};
  }
  auto const taken = rest_.first(static_cast<std::size_t>(size));
  rest_ = rest_.subspan(static_cast<std::size_t>(size));
  return taken;
}

void append_varint(std::uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7f) | 0x80);
  out += static_cast<char>(value);
}

void append_number_field(unsigned number, std::uint64_t value, std::string& out) {
  append_varint(number << 3 | varint_type, out);
  append_varint(value, out);
}

void append_bytes_field(unsigned number, std::string_view bytes, std::string& out) {
  append_varint(number << 3 | bytes_type, out);
  append_varint(bytes.size(), out);
  out += bytes;
}

} // namespace signpost::model
