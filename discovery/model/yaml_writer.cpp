#include <algorithm>
#include <vector>

#include "discovery/model/manifest.hpp"
#include "discovery/model/text.hpp"
#include "discovery/model/yaml.hpp"

namespace signpost::model {
namespace {

constexpr std::string_view leading_keys[] = {"apiVersion", "kind", "metadata", "items", "spec", "status"};

std::size_t rank(const std::string& key) {
  return static_cast<std::size_t>(std::find(std::begin(leading_keys), std::end(leading_keys), key) - leading_keys);
}

// Line and paragraph separator, and the controls that turn the direction of what is shown after them.
bool separator_or_direction(std::string_view sequence) {
  return (sequence >= "\xe2\x80\xa8" && sequence <= "\xe2\x80\xae") ||
         (sequence >= "\xe2\x81\xa6" && sequence <= "\xe2\x81\xa9");
}

// C1 controls, line separators and the byte order mark are no plain text to a YAML reader, nor to one who reads it on a
// screen what turns the direction.
bool printable(std::string_view text, bool multi_line) {
  for (std::size_t i = 0; i < text.size();) {
    auto const length = utf8_length(text.substr(i));
    auto const sequence = text.substr(i, length);
    if (length == 0) return false;
    if (length == 1 && (sequence[0] == 0x7f || static_cast<unsigned char>(sequence[0]) < 0x20)) {
      if (sequence[0] != '\n' || !multi_line) return false;
    }
    if (length == 2 && sequence[0] == '\xc2' && static_cast<unsigned char>(sequence[1]) < 0xa0) return false;
    if (separator_or_direction(sequence) || sequence == "\xef\xbb\xbf") return false;
    i += length;
  }
  return true;
}

// YAML 1.1 readers take 2026-11-23 for a date and 1:30 for a number in base 60; .inf and = are values as well.
bool like_a_number(std::string_view text) {
  char const first = text.front();
  return (first >= '0' && first <= '9') || first == '+' || first == '.' || first == '=';
}

bool can_be_plain(const std::string& text) {
  if (text.empty() || !plain_scalar(text).is_string() || text == "<<") return false;
  if (!printable(text, false)) return false;
  if (std::string_view("-?:,[]{}#&*!|>'\"%@`= \t~<").find(text.front()) != std::string_view::npos) return false;
  if (text.back() == ' ' || text.back() == ':') return false;
  if (text.find(": ") != std::string::npos || text.find(" #") != std::string::npos) return false;
  if (text.find_first_of("{}[],\"'\\") != std::string::npos) return false;
  if (!like_a_number(text)) return true;
  // 10.0.0.1 and 10.96.0.0/12 stay as they are: two dots or more are no number anywhere.
  return text.front() != '.' && text.front() != '+' && text.front() != '=' &&
         std::count(text.begin(), text.end(), '.') > 1 && text.find_first_of(":-_eE") == std::string::npos;
}

bool can_be_block(const std::string& text) {
  return text.size() > 1 && text.find('\n') != std::string::npos && text.front() != '\n' && text.front() != ' ' &&
         printable(text, true);
}

class Writer {
public:
  std::string out;

  // After "key:" or "-": scalars follow on the line, containers below (or, in a sequence, beside).
  void value(const Json& json, std::size_t indent, bool in_sequence) {
    if (json.is_object() && !json.empty()) {
      out += in_sequence ? ' ' : '\n';
      object(json, indent, in_sequence);
    } else if (json.is_array() && !json.empty()) {
      out += in_sequence ? ' ' : '\n';
      array(json, in_sequence ? indent : indent - 2, in_sequence);
    } else {
      out += ' ';
      scalar(json, indent);
    }
  }

  void object(const Json& json, std::size_t indent, bool first_in_place) {
    std::vector<const Json::object_t::value_type*> members;
    for (const auto& member : json.get_ref<const Json::object_t&>()) members.push_back(&member);
    std::stable_sort(members.begin(), members.end(),
                     [](const auto* a, const auto* b) { return rank(a->first) < rank(b->first); });
    for (const auto* member : members) {
      if (!first_in_place) out.append(indent, ' ');
      first_in_place = false;
      if (can_be_plain(member->first)) {
        out += member->first;
      } else {
        quoted(member->first);
      }
      out += ':';
      value(member->second, indent + 2, false);
    }
  }

  void array(const Json& json, std::size_t indent, bool first_in_place) {
    for (const auto& element : json) {
      if (!first_in_place) out.append(indent, ' ');
      first_in_place = false;
      out += '-';
      value(element, indent + 2, true);
    }
  }

  void scalar(const Json& json, std::size_t indent) {
    const auto* const text = json.get_ptr<const std::string*>();
    if (text == nullptr) {
      out += json.dump();
    } else if (can_be_plain(*text)) {
      out += *text;
    } else if (indent > 0 && can_be_block(*text)) {
      block(*text, indent);
      return;
    } else {
      quoted(*text);
    }
    out += '\n';
  }

  void block(std::string_view text, std::size_t indent) {
    bool const ends = text.back() == '\n';
    out += !ends ? "|-\n" : text[text.size() - 2] == '\n' ? "|+\n" : "|\n";
    if (ends) text.remove_suffix(1);
    while (true) {
      auto const end = text.find('\n');
      auto const line = text.substr(0, end);
      if (!line.empty()) out.append(indent, ' ');
      out += line;
      out += '\n';
      if (end == std::string_view::npos) return;
      text.remove_prefix(end + 1);
    }
  }

  // A JSON string is a double-quoted YAML scalar, but for a few characters that YAML wants escaped.
  void quoted(const std::string& text) {
    std::string literal;
    append_json_string(literal, text);
    for (std::size_t i = 0; i < literal.size();) {
      auto const length = std::max<std::size_t>(utf8_length(std::string_view(literal).substr(i)), 1);
      auto const sequence = std::string_view(literal).substr(i, length);
      constexpr char digits[] = "0123456789abcdef";
      auto const last = static_cast<unsigned char>(sequence.back());
      if (printable(sequence, false)) {
        out += sequence;
      } else if (length == 1) {
        out += "\\x7f";
      } else if (length == 2) {
        ((out += "\\x") += digits[last >> 4]) += digits[last & 15];
      } else if (sequence == "\xef\xbb\xbf") {
        out += "\\uFEFF";
      } else {
        auto const code =
            (static_cast<unsigned char>(sequence[1]) & 0x3fu) << 6 | (last & 0x3fu); // of 0xe2: U+2000 and on
        out += "\\u2";
        for (int const shift : {8, 4, 0}) out += digits[code >> shift & 15];
      }
      i += length;
    }
  }
};

} // namespace

std::string to_yaml(const Json& json) {
  Writer writer;
  if (json.is_object() && !json.empty()) {
    writer.object(json, 0, false);
  } else if (json.is_array() && !json.empty()) {
    writer.array(json, 0, false);
  } else {
    writer.scalar(json, 0);
  }
  return std::move(writer.out);
}

} // namespace signpost::model
