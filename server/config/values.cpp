#include "server/config/values.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace signpost::server::corefile {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Nanoseconds of the unit that `text` begins with; the unit is taken off.
std::optional<double> take_unit(std::string_view& text) {
  static constexpr std::pair<std::string_view, double> units[] = {{"ns", 1},          {"us", 1e3},  {"\xC2\xB5s", 1e3},
                                                                  {"\xCE\xBCs", 1e3}, {"ms", 1e6},  {"s", 1e9},
                                                                  {"m", 60e9},        {"h", 3600e9}};
  for (const auto& [name, value] : units)
    if (text.starts_with(name)) {
      text.remove_prefix(name.size());
      return value;
    }
  return std::nullopt;
}

std::string reverse_name_v4(std::span<const std::uint8_t> bytes, int octets) {
  std::string name;
  for (int i = octets - 1; i >= 0; --i) name += std::to_string(bytes[static_cast<std::size_t>(i)]) + ".";
  return name + "in-addr.arpa";
}

std::string reverse_name_v6(std::span<const std::uint8_t> bytes, int nibbles) {
  std::string name;
  for (int i = nibbles - 1; i >= 0; --i) {
    const int byte = bytes[static_cast<std::size_t>(i / 2)];
    name.push_back(hex_digits[static_cast<std::size_t>(i % 2 == 0 ? byte >> 4 : byte & 15)]);
    name.push_back('.');
  }
  return name + "ip6.arpa";
}

} // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  if (text == "0") return std::chrono::nanoseconds(0);
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    const auto length = static_cast<std::size_t>(
        std::find_if(text.begin(), text.end(), [](char c) { return !is_digit(c) && c != '.'; }) - text.begin());
    if (!std::any_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(length), is_digit)) return std::nullopt;
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + length, value, std::chars_format::fixed);
    if (error != std::errc{} || end != text.data() + length) return std::nullopt;
    text.remove_prefix(length);
    const auto unit = take_unit(text);
    if (!unit) return std::nullopt;
    total += value * *unit;
  }
  if (total > 100 * 365.0 * 86400e9) return std::nullopt;
  return std::chrono::nanoseconds(std::llround(total));
}

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t least, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) return std::nullopt;
  return value;
}

tl::expected<std::string, std::string> parse_zone(std::string_view text) {
  const std::string quoted = "\"" + std::string(text) + "\"";
  if (text == ".") return std::string(".");
  std::string name(text);
  if (name.ends_with('.')) name.pop_back();
  if (name.empty()) return tl::unexpected(quoted + " is not a zone name");
  if (name.size() > 253) return tl::unexpected(quoted + " is longer than 253 letters, the most a zone name may have");
  std::size_t label = 0;
  for (char& c : name) {
    if (c == '.') {
      if (label == 0) return tl::unexpected(quoted + " is not a zone name: a label is empty");
      label = 0;
      continue;
    }
    if (++label > 63) return tl::unexpected(quoted + " is not a zone name: a label is longer than 63 letters");
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (!is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '_')
      return tl::unexpected(quoted + " is not a zone name: it may have letters, digits, - and _ between dots");
  }
  if (label == 0) return tl::unexpected(quoted + " is not a zone name: a label is empty");
  return name;
}

std::optional<std::vector<std::string>> reverse_zones(std::string_view prefix) {
  const auto slash = prefix.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto base = model::Address::parse(prefix.substr(0, slash));
  if (!base) return std::nullopt;
  const auto length = parse_number(prefix.substr(slash + 1), 0, base->is_v4() ? 32 : 128);
  if (!length) return std::nullopt;

  const int step = base->is_v4() ? 8 : 4; // bits of a label
  const int bits = static_cast<int>(*length);
  const int labels = (bits + step - 1) / step;
  std::vector<std::uint8_t> bytes(base->bytes().begin(), base->bytes().end());
  const int spare = labels * step - bits; // bits of the last label that the prefix leaves open
  const int last = labels - 1;
  std::vector<std::string> zones;
  for (int value = 0; value < (1 << spare); ++value) {
    if (labels > 0) {
      auto& byte = bytes[static_cast<std::size_t>(last * step / 8)];
      const int shift = step == 4 && last % 2 == 0 ? 4 : 0;
      const int mask = ((1 << spare) - 1) << shift;
      byte = static_cast<std::uint8_t>((byte & ~mask) | (value << shift));
    }
    zones.push_back(base->is_v4() ? reverse_name_v4(bytes, labels) : reverse_name_v6(bytes, labels));
  }
  return zones;
}

tl::expected<std::vector<ZonePort>, std::string> parse_key(std::string_view text, std::uint16_t default_port) {
  std::string_view rest = text;
  if (const auto scheme_end = rest.find("://"); scheme_end != std::string_view::npos) {
    const auto scheme = rest.substr(0, scheme_end);
    if (scheme == "tls" || scheme == "https" || scheme == "https3" || scheme == "quic" || scheme == "grpc")
      return tl::unexpected("Signpost does not speak " + std::string(scheme) + ":// yet; instead: serve \"" +
                            std::string(rest.substr(scheme_end + 3)) + "\" with dns://");
    if (scheme != "dns")
      return tl::unexpected("there is no scheme \"" + std::string(scheme) + "://\"; instead: dns:// or leave it out");
    rest.remove_prefix(scheme_end + 3);
  }

  std::uint16_t port = default_port;
  const auto after_prefix = rest.find('/') == std::string_view::npos ? 0 : rest.find('/');
  if (const auto colon = rest.find(':', after_prefix); colon != std::string_view::npos) {
    const auto number = parse_number(rest.substr(colon + 1), 1, 65535);
    if (!number)
      return tl::unexpected("\"" + std::string(rest.substr(colon + 1)) + "\" in \"" + std::string(text) +
                            "\" is not a port; instead: a number from 1 to 65535");
    port = static_cast<std::uint16_t>(*number);
    rest = rest.substr(0, colon);
  }
  if (rest.empty()) rest = ".";

  std::vector<ZonePort> keys;
  if (rest.find('/') != std::string_view::npos) {
    const auto zones = reverse_zones(rest);
    if (!zones)
      return tl::unexpected("\"" + std::string(rest) +
                            "\" is not an address prefix; instead: one like 10.0.0.0/8 or fd00::/8");
    for (const std::string& zone : *zones) keys.push_back({zone, port});
    return keys;
  }
  auto zone = parse_zone(rest);
  if (!zone) return tl::unexpected(zone.error() + "; instead: a name like cluster.local");
  keys.push_back({std::move(*zone), port});
  return keys;
}

std::optional<LogSettings::Level> parse_log_level(std::string_view text) {
  using enum LogSettings::Level;
  static constexpr std::pair<std::string_view, LogSettings::Level> levels[] = {
      {"debug", debug}, {"info", info}, {"warning", warning}, {"error", error}};
  for (const auto& [name, level] : levels)
    if (name == text) return level;
  return std::nullopt;
}

} // namespace signpost::server::corefile
