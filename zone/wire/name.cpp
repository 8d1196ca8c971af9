#include "zone/wire/name.hpp"

#include <cstring>

namespace signpost::wire {
namespace {

std::uint8_t lower(std::uint8_t octet) noexcept {
  return octet >= 'A' && octet <= 'Z' ? static_cast<std::uint8_t>(octet | 0x20) : octet;
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Reads the octet that the escape behind a backslash stands for; moves `at` behind it.
std::optional<std::uint8_t> unescape(std::string_view text, std::size_t& at) noexcept {
  if (at >= text.size()) return std::nullopt;
  if (!is_digit(text[at])) return static_cast<std::uint8_t>(text[at++]);
  if (text.size() - at < 3 || !is_digit(text[at + 1]) || !is_digit(text[at + 2])) return std::nullopt;
  const int value = (text[at] - '0') * 100 + (text[at + 1] - '0') * 10 + (text[at + 2] - '0');
  if (value > 255) return std::nullopt;
  at += 3;
  return static_cast<std::uint8_t>(value);
}

} // namespace

bool WireName::operator==(const WireName& other) const {
  return length == other.length && std::memcmp(octets.data(), other.octets.data(), length) == 0;
}

bool append_label(WireName& name, std::string_view label) noexcept {
  if (label.empty() || label.size() > max_label || name.length + label.size() + 1 > max_name) return false;
  std::uint8_t* at = name.octets.data() + name.length - 1;
  *at++ = static_cast<std::uint8_t>(label.size());
  for (const char c : label) *at++ = lower(static_cast<std::uint8_t>(c));
  *at = 0;
  name.label_offset[name.labels++] = static_cast<std::uint8_t>(name.length - 1);
  name.length = static_cast<std::uint16_t>(name.length + label.size() + 1);
  name.label_offset[name.labels] = static_cast<std::uint8_t>(name.length - 1);
  return true;
}

std::optional<WireName> name_from_text(std::string_view text) noexcept {
  WireName name;
  if (text.empty() || text == ".") return name;
  std::array<char, max_label> label;
  std::size_t length = 0;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at++];
    if (c == '.') {
      if (!append_label(name, {label.data(), length})) return std::nullopt;
      length = 0;
      continue;
    }
    std::uint8_t octet = static_cast<std::uint8_t>(c);
    if (c == '\\') {
      const auto escaped = unescape(text, at);
      if (!escaped) return std::nullopt;
      octet = *escaped;
    }
    if (length == max_label) return std::nullopt;
    label[length++] = static_cast<char>(octet);
  }
  if (length > 0 && !append_label(name, {label.data(), length})) return std::nullopt;
  return name;
}

std::optional<WireName> name_from_wire(std::span<const std::uint8_t> octets) noexcept {
  WireName name;
  for (std::size_t at = 0; at < octets.size();) {
    const std::size_t length = octets[at++];
    if (length == 0) return name;
    if (length > max_label || length > octets.size() - at) return std::nullopt;
    if (!append_label(name, {reinterpret_cast<const char*>(octets.data() + at), length})) return std::nullopt;
    at += length;
  }
  return std::nullopt;
}

std::string name_to_text(std::span<const std::uint8_t> wire) {
  std::string text;
  for (std::size_t at = 0; at < wire.size() && wire[at] != 0;) {
    const std::size_t end = at + 1 + wire[at];
    for (++at; at < end && at < wire.size(); ++at) {
      const std::uint8_t octet = wire[at];
      if (octet <= 0x20 || octet >= 0x7f) {
        text += {'\\', static_cast<char>('0' + octet / 100), static_cast<char>('0' + octet / 10 % 10),
                 static_cast<char>('0' + octet % 10)};
        continue;
      }
      if (std::strchr(".\\\"();@$", octet) != nullptr) text += '\\';
      text += static_cast<char>(octet);
    }
    text += '.';
  }
  return text.empty() ? "." : text;
}

} // namespace signpost::wire
