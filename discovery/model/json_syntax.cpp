#include <vector>

#include "discovery/model/document.hpp"
#include "discovery/model/text.hpp"

namespace signpost::model {
namespace {

// Follows the texts of Go's encoding/json scanner: what was looked for when a character did not fit.
class Scanner {
public:
  Scanner(std::string_view text, std::size_t max_depth) : text_(text), max_depth_(max_depth) {}

  SyntaxError run() {
    bool const whole = document();
    if (whole) return {"invalid UTF-8 or number out of range in JSON", 0};
    return {message_, at_};
  }

private:
  [[nodiscard]] bool end() const { return at_ >= text_.size(); }
  [[nodiscard]] char peek() const { return text_[at_]; }

  void skip_blanks() {
    while (!end() && (peek() == ' ' || peek() == '\t' || peek() == '\r' || peek() == '\n')) ++at_;
  }

  static std::string quote(char c) {
    if (c == '\'') return "'\\''";
    if (c == '"') return "'\"'";
    auto const byte = static_cast<unsigned char>(c);
    switch (c) {
    case '\\': return "'\\\\'";
    case '\n': return "'\\n'";
    case '\r': return "'\\r'";
    case '\t': return "'\\t'";
    case '\a': return "'\\a'";
    case '\b': return "'\\b'";
    case '\f': return "'\\f'";
    case '\v': return "'\\v'";
    default: break;
    }
    if (byte >= 0xa1 && byte != 0xad) { // Go takes the byte for a code point of Latin-1
      return std::string("'") + static_cast<char>(0xc0 | byte >> 6) + static_cast<char>(0x80 | (byte & 0x3f)) + "'";
    }
    if (byte >= 0x20 && byte < 0x7f) return std::string("'") + c + "'";
    constexpr char digits[] = "0123456789abcdef";
    std::string const hex{digits[byte >> 4], digits[byte & 15]};
    return byte < 0x80 ? "'\\x" + hex + "'" : "'\\u00" + hex + "'";
  }

  bool wrong(std::string_view context) {
    if (end()) {
      message_ = "unexpected end of JSON input";
    } else {
      message_ = "invalid character " + quote(peek()) + " " + std::string(context);
    }
    return false;
  }

  // No recursion: the open containers are kept as characters.
  bool document() {
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
    skip_blanks();
    if (!value()) return false;
    while (!open_.empty()) {
      skip_blanks();
      bool const object = open_.back() == '{';
      if (!end() && peek() == (object ? '}' : ']')) {
        ++at_;
        open_.pop_back();
        continue;
      }
      if (end() || peek() != ',') return wrong(object ? "after object key:value pair" : "after array element");
      ++at_;
      skip_blanks();
      if (object ? !member("looking for beginning of object key string") : !value()) return false;
    }
    skip_blanks();
    return end() || wrong("after top-level value");
  }

  bool member(std::string_view wanted) {
    if (end() || peek() != '"') return wrong(wanted);
    if (!string()) return false;
    skip_blanks();
    if (end() || peek() != ':') return wrong("after object key");
    ++at_;
    skip_blanks();
    return value();
  }

  // A scalar whole, or a container up to and with its first scalar.
  bool value() {
    while (true) {
      if (end()) return wrong("");
      char const c = peek();
      if (c == '"') return string();
      if (c == '-' || (c >= '0' && c <= '9')) return number();
      if (c == 't') return literal("true");
      if (c == 'f') return literal("false");
      if (c == 'n') return literal("null");
      if (c != '{' && c != '[') return wrong("looking for beginning of value");
      if (open_.size() >= max_depth_) return wrong("exceeded max depth");
      open_ += c;
      ++at_;
      skip_blanks();
      if (!end() && peek() == (c == '{' ? '}' : ']')) {
        ++at_;
        open_.pop_back();
        return true;
      }
      if (c == '{') {
        if (end() || peek() != '"') return wrong("looking for beginning of object key string");
        if (!string()) return false;
        skip_blanks();
        if (end() || peek() != ':') return wrong("after object key");
        ++at_;
        skip_blanks();
      }
    }
  }

  bool literal(std::string_view word) {
    for (std::size_t i = 0; i < word.size(); ++i, ++at_) {
      if (end() || peek() != word[i]) {
        return wrong("in literal " + std::string(word) + " (expecting '" + word[i] + "')");
      }
    }
    return true;
  }

  bool string() {
    for (++at_; !end(); ++at_) {
      char const c = peek();
      if (c == '"') {
        ++at_;
        return true;
      }
      if (static_cast<unsigned char>(c) < 0x20) return wrong("in string literal");
      if (c != '\\') continue;
      ++at_;
      if (end()) break;
      if (peek() == 'u') {
        for (int i = 0; i < 4; ++i) {
          ++at_;
          if (end()) return wrong("");
          char const digit = peek();
          bool const hex =
              (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f') || (digit >= 'A' && digit <= 'F');
          if (!hex) return wrong("in \\u hexadecimal character escape");
        }
      } else if (std::string_view("\"\\/bfnrt").find(peek()) == std::string_view::npos) {
        return wrong("in string escape code");
      }
    }
    return wrong("");
  }

  [[nodiscard]] bool digit() const { return !end() && peek() >= '0' && peek() <= '9'; }
  void skip_digits() {
    while (digit()) ++at_;
  }

  bool number() {
    if (peek() == '-') {
      ++at_;
      if (!digit()) return wrong("in numeric literal");
    }
    if (peek() == '0')
      ++at_;
    else
      skip_digits();
    if (!end() && peek() == '.') {
      ++at_;
      if (!digit()) return wrong("after decimal point in numeric literal");
      skip_digits();
    }
    if (!end() && (peek() == 'e' || peek() == 'E')) {
      ++at_;
      if (!end() && (peek() == '+' || peek() == '-')) ++at_;
      if (!digit()) return wrong("in exponent of numeric literal");
      skip_digits();
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t max_depth_;
  std::string open_;
  std::string message_;
};

} // namespace

SyntaxError syntax_error(std::string_view text, std::size_t max_depth) { return Scanner(text, max_depth).run(); }

} // namespace signpost::model
