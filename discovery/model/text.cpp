#include "discovery/model/text.hpp"

#include <array>

namespace signpost::model {
namespace {

constexpr std::array<bool, 256> make_plain() {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x80; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}
constexpr std::array<bool, 256> plain = make_plain();

void append_escape(std::string& out, unsigned char c) {
  switch (c) {
  case '"': out += "\\\""; return;
  case '\\': out += "\\\\"; return;
  case '\n': out += "\\n"; return;
  case '\r': out += "\\r"; return;
  case '\t': out += "\\t"; return;
  default: break;
  }
  constexpr char digits[] = "0123456789abcdef";
  out += "\\u00";
  out += digits[c >> 4];
  out += digits[c & 15];
}

} // namespace

std::size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  auto const at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char const lead = at(0);
  if (lead < 0x80) return 1;
  std::size_t const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, beyond U+10FFFF.
  if ((lead == 0xe0 && at(1) < 0xa0) || (lead == 0xed && at(1) > 0x9f) || (lead == 0xf0 && at(1) < 0x90) ||
      (lead == 0xf4 && at(1) > 0x8f)) {
    return 0;
  }
  return length;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t begin = 0, i = 0;
  while (i < text.size()) {
    auto const c = static_cast<unsigned char>(text[i]);
    if (plain[c]) {
      ++i;
      continue;
    }
    if (c >= 0x80) {
      if (std::size_t const length = utf8_length(text.substr(i)); length != 0) {
        i += length;
        continue;
      }
    }
    out.append(text, begin, i - begin);
    if (c >= 0x80) {
      out += "\xef\xbf\xbd";
    } else {
      append_escape(out, c);
    }
    begin = ++i;
  }
  out.append(text, begin, i - begin);
  out += '"';
}

} // namespace signpost::model
