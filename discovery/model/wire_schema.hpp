// Which protobuf field is which JSON member: the messages of the API as data, a table that readers and writers walk.
//
// Private to this room. No message holds itself, so walking one ends.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace signpost::model {

enum class WireForm : std::uint8_t {
  text,
  boolean,
  int32,
  int64,
  time,          // metav1.Time: {1 seconds, 2 nanoseconds}; RFC 3339 in JSON
  micro_time,    // metav1.MicroTime: the same, with microseconds
  int_or_string, // {1 type (0 number, 1 text), 2 number, 3 text}
  quantity,      // {1 text}; the text alone in JSON
  text_map,      // entries {1 key, 2 text}
  quantity_map,  // entries {1 key, 2 quantity}
  message,
};

/// What absence and zero mean.
enum class Presence : std::uint8_t {
  unless_zero, // zero is absent (Go's omitempty); Go writes zeros in protobuf all the same
  always,      // zero is shown
  pointer,     // absent and zero differ
  repeated,
  inlined, // a message of its own in protobuf, whose members are its holder's in JSON
};

struct WireMessage;

struct WireField {
  std::string_view json; // empty: inlined
  unsigned number;
  WireForm form;
  Presence presence;
  const WireMessage* message; // of form message

  constexpr WireField(std::string_view name, unsigned tag, WireForm of, Presence when = Presence::unless_zero)
      : json(name), number(tag), form(of), presence(when), message(nullptr) {}
  constexpr WireField(std::string_view name, unsigned tag, const WireMessage* of, Presence when = Presence::unless_zero)
      : json(name), number(tag), form(WireForm::message), presence(when), message(of) {}
};

struct WireMessage {
  std::span<const WireField> fields; // by ascending numbers
};

} // namespace signpost::model
