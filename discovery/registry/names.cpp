#include "discovery/registry/names.hpp"

#include <algorithm>
#include <charconv>

namespace signpost::registry {
namespace {

constexpr std::string_view dns1035_label_complaint =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view dns1123_label_complaint =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view dns1123_subdomain_complaint =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr std::string_view name_part_shape =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr std::string_view label_value_complaint =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alphanumeric(char c) { return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z'); }

bool is_lower_label(std::string_view text) {
  if (text.empty()) return false;
  const auto edge = [](char c) { return is_lower(c) || is_digit(c); };
  return edge(text.front()) && edge(text.back()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return edge(c) || c == '-'; });
}

bool is_lower_subdomain(std::string_view text) {
  while (true) {
    const std::size_t dot = text.find('.');
    if (!is_lower_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_name_part(std::string_view text) {
  return !text.empty() && is_alphanumeric(text.front()) && is_alphanumeric(text.back()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

// Both count bytes; upstream calls them the one or the other.
constexpr const char *characters = " characters", *bytes = " bytes";

std::string at_most(std::size_t length, const char* unit) {
  return "must be no more than " + std::to_string(length) + unit;
}

Complaints check(std::string_view text, bool fits, std::string_view complaint, std::size_t most,
                 const char* unit = characters) {
  Complaints out;
  if (text.size() > most) out.push_back(at_most(most, unit));
  if (!fits) out.emplace_back(complaint);
  return out;
}

} // namespace

Complaints check_dns1035_label(std::string_view text) {
  return check(text, is_lower_label(text) && is_lower(text.front()), dns1035_label_complaint, 63);
}

Complaints check_dns1123_label(std::string_view text) {
  const bool is_name = !is_lower_label(text) && is_lower_subdomain(text);
  return check(text, is_lower_label(text), is_name ? "must not contain dots" : dns1123_label_complaint, 63);
}

Complaints check_dns1123_subdomain(std::string_view text) {
  return check(text, is_lower_subdomain(text), dns1123_subdomain_complaint, 253);
}

Complaints check_qualified_name(std::string_view text) {
  Complaints out;
  std::string_view name = text;
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    const std::string_view prefix = text.substr(0, slash);
    name = text.substr(slash + 1);
    if (name.find('/') != std::string_view::npos) {
      return {"a qualified name " + std::string(name_part_shape) +
              " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"};
    }
    if (prefix.empty()) {
      out.emplace_back("prefix part must be non-empty");
    } else {
      for (const std::string& complaint :
           check(prefix, is_lower_subdomain(prefix), dns1123_subdomain_complaint, 253, bytes))
        out.push_back("prefix part " + complaint);
    }
  }
  if (name.empty()) out.emplace_back("name part must be non-empty");
  if (name.size() > 63) out.push_back("name part " + at_most(63, bytes));
  if (!is_name_part(name)) out.push_back("name part " + std::string(name_part_shape));
  return out;
}

Complaints check_label_value(std::string_view text) {
  return check(text, text.empty() || is_name_part(text), label_value_complaint, 63, bytes);
}

Complaints check_port_name(std::string_view text) {
  Complaints out;
  if (text.size() > 15) out.push_back(at_most(15, characters));
  if (!std::all_of(text.begin(), text.end(), [](char c) { return is_lower(c) || is_digit(c) || c == '-'; })) {
    out.emplace_back("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (std::none_of(text.begin(), text.end(), is_lower)) out.emplace_back("must contain at least one letter (a-z)");
  if (text.find("--") != std::string_view::npos) out.emplace_back("must not contain consecutive hyphens");
  if (!text.empty() && (text.front() == '-' || text.back() == '-')) {
    out.emplace_back("must not begin or end with a hyphen");
  }
  return out;
}

Complaints check_fqdn(std::string_view text) {
  if (!text.empty() && text.back() == '.') text.remove_suffix(1);
  if (Complaints out = check_dns1123_subdomain(text); !out.empty()) return out;
  if (text.find('.') == std::string_view::npos)
    return {"should be a domain with at least two segments separated by dots"};
  return {};
}

bool is_port(std::int64_t number) { return number >= 1 && number <= 65535; }

bool is_prefix_text(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const auto address = model::read_address(text.substr(0, slash));
  const std::string_view length = text.substr(slash + 1);
  if (!address || length.empty() || !std::all_of(length.begin(), length.end(), is_digit)) return false;
  int bits = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
  return error == std::errc() && bits <= (text.find(':') == std::string_view::npos ? 32 : 128);
}

std::string_view special_address_complaint(const model::Address& address) {
  const auto octets = address.bytes();
  if (address.is_unspecified()) {
    return address.is_v4() ? "may not be unspecified (0.0.0.0)" : "may not be unspecified (::)";
  }
  if (address.is_loopback()) return "may not be in the loopback range (127.0.0.0/8, ::1/128)";
  const bool link_local_unicast =
      address.is_v4() ? octets[0] == 169 && octets[1] == 254 : octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80;
  if (link_local_unicast) return "may not be in the link-local range (169.254.0.0/16, fe80::/10)";
  const bool link_local_multicast = address.is_v4() ? octets[0] == 224 && octets[1] == 0 && octets[2] == 0
                                                    : octets[0] == 0xff && (octets[1] & 0x0f) == 0x02;
  if (link_local_multicast) return "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)";
  return {};
}

} // namespace signpost::registry
