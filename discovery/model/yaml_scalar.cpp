#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "discovery/model/yaml.hpp"

namespace signpost::model {
namespace {

constexpr std::string_view true_words[] = {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"};
constexpr std::string_view false_words[] = {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"};
constexpr std::string_view null_words[] = {"", "~", "null", "Null", "NULL"};

template <std::size_t N>
bool one_of(const std::string_view (&words)[N], std::string_view text) {
  return std::find(std::begin(words), std::end(words), text) != std::end(words);
}

// Go's strconv.ParseInt(text, 0, 64): 0x, 0o, 0b, a leading zero for octal.
std::optional<Json> integer(std::string_view text) {
  bool const negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    char const mark = text[1];
    base = mark == 'x' || mark == 'X' ? 16 : mark == 'b' || mark == 'B' ? 2 : 8;
    bool const lettered = base != 8 || mark == 'o' || mark == 'O';
    text.remove_prefix(lettered ? 2 : 1);
  }
  std::uint64_t value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!negative) return Json(value);
  if (value > std::uint64_t{1} << 63) return std::nullopt;
  return Json(static_cast<std::int64_t>(-value));
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool is_float(std::string_view text) {
  std::size_t i = 0;
  auto const digits = [&] {
    std::size_t const begin = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
    return i - begin;
  };
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
  std::size_t count = digits();
  if (i < text.size() && text[i] == '.') {
    ++i;
    std::size_t const after = digits();
    if (count == 0 && after == 0) return false;
    count += after;
  }
  if (count == 0) return false;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

std::optional<Json> floating(std::string_view text) {
  if (!is_float(text)) return std::nullopt;
  if (text.front() == '+') text.remove_prefix(1);
  double value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return Json(value);
}

} // namespace

Json plain_scalar(const std::string& text) {
  if (one_of(null_words, text)) return nullptr;
  if (one_of(true_words, text)) return true;
  if (one_of(false_words, text)) return false;
  char const first = text.front();
  if ((first < '0' || first > '9') && first != '-' && first != '+' && first != '.') return text;
  std::string digits = text;
  std::erase(digits, '_');
  if (auto number = integer(digits)) return *number;
  if (auto number = floating(digits)) return *number;
  return text;
}

} // namespace signpost::model
