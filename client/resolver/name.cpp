#include "client/resolver/name.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

namespace signpost::resolver {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool name_character(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; }

std::string complete(const std::string& name, const Home& home) {
  const std::string domain = '.' + home.cluster_domain;
  if (name == home.cluster_domain || name.ends_with(domain)) return name;
  if (name.ends_with(".svc")) return name + domain;
  if (name.find(".svc.") != std::string::npos) return name;
  switch (std::ranges::count(name, '.')) {
  case 0: return name + '.' + home.name_space + ".svc" + domain;
  case 1: return name + ".svc" + domain;
  default: return name;
  }
}

std::optional<std::string> one_label(std::string_view text) {
  auto label = canonical_name(text);
  return label && label->find('.') == std::string::npos ? label : std::nullopt;
}

} // namespace

std::optional<Address> read_address(std::string_view text) {
  const std::string terminated(text);
  Address address;
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1) return address;
  address.family = Family::ipv6;
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

std::optional<std::string> canonical_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > 253) return std::nullopt;
  std::string out;
  std::size_t label = 0;
  for (const char c : name) {
    if (c == '.') {
      if (label == 0) return std::nullopt;
      label = 0;
    } else if (!name_character(lower(c)) || ++label > 63) {
      return std::nullopt;
    }
    out += lower(c);
  }
  return label == 0 ? std::nullopt : std::optional(out);
}

std::optional<Plan> plan(const Query& query, const Home& home) {
  Plan plan;
  plan.family = query.family;
  if (!query.port.empty() && std::ranges::all_of(query.port, [](char c) { return c >= '0' && c <= '9'; })) {
    const auto* const end = query.port.data() + query.port.size();
    if (std::from_chars(query.port.data(), end, plan.port).ec != std::errc{} || plan.port == 0) return std::nullopt;
  }
  const bool named_port = !query.port.empty() && plan.port == 0;
  if (auto literal = read_address(query.name)) {
    if (named_port || (query.family != Family::any && query.family != literal->family)) return std::nullopt;
    plan.literal = literal;
    plan.name = literal->to_string();
    return plan;
  }
  auto name = canonical_name(query.name);
  if (!name) return std::nullopt;
  const bool absolute = query.name.ends_with('.');

  std::string prefix;
  if (name->starts_with('_')) {
    const auto second = name->find("._");
    const auto rest = second == std::string::npos ? second : name->find('.', second + 2);
    if (rest == std::string::npos || name->find('.') != second || !query.port.empty()) return std::nullopt;
    prefix = name->substr(0, rest + 1);
    name->erase(0, rest + 1);
  } else if (named_port) {
    const auto port = one_label(query.port), protocol = one_label(query.protocol);
    if (!port || !protocol) return std::nullopt;
    prefix = '_' + *port + "._" + *protocol + '.';
  }
  plan.srv = !prefix.empty();
  auto full = canonical_name(prefix + (absolute ? *name : complete(*name, home)));
  if (!full) return std::nullopt;
  plan.name = std::move(*full);
  return plan;
}

} // namespace signpost::resolver
