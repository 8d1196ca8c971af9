// The wire format of protocol buffers (tags, varints, lengths), reading and writing: what a message is made of, without
// knowing any message.
//
// Input is hostile: nothing is read beyond the bytes given. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace signpost::model {

enum WireType : unsigned { varint_type = 0, fixed64_type = 1, bytes_type = 2, fixed32_type = 5 };

/// One message's fields in order. The texts of errors are those of Go's generated readers.
class ProtobufReader {
public:
  using Bytes = std::span<const std::uint8_t>;

  /// `error` is empty until something is wrong, then says what; readers of messages within share it.
  explicit ProtobufReader(Bytes bytes, std::string& error) : rest_(bytes), error_(error) {}

  /// Goes to the next field; false at the end and after an error.
  bool next();

  [[nodiscard]] unsigned number() const { return number_; }
  [[nodiscard]] unsigned type() const { return type_; }
  /// Of a varint.
  [[nodiscard]] std::uint64_t value() const { return value_; }
  /// Of bytes_type.
  [[nodiscard]] Bytes bytes() const { return bytes_; }
  /// The same as text, which may be no UTF-8.
  [[nodiscard]] std::string_view text() const;
  /// Of a reader of packed numbers, which have no tags: the next one; nullopt at the end and after an error.
  std::optional<std::uint64_t> next_packed();
  /// Whether the field has the type; if not, that is the error.
  bool expect(WireType type, std::string_view name);

private:
  bool fail(std::string what);
  std::uint64_t varint();
  Bytes take(std::uint64_t size);

  Bytes rest_;
  std::string& error_;
  unsigned number_ = 0, type_ = 0;
  std::uint64_t value_ = 0;
  Bytes bytes_;
};

void append_varint(std::uint64_t value, std::string& out);
/// A field of varint_type. Negative numbers are given as their two's complement in 64 bits.
void append_number_field(unsigned number, std::uint64_t value, std::string& out);
/// A field of bytes_type: text, or a message.
void append_bytes_field(unsigned number, std::string_view bytes, std::string& out);

} // namespace signpost::model
