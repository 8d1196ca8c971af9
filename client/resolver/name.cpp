#include "client/resolver/name.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <initializer_list>
#include <net/if.h>

namespace signpost::resolver {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool name_character(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; }

bool below_special(const std::string& name, const Home& home, std::initializer_list<std::string_view> domains) {
  if (within(name, home.cluster_domain)) return false;
  if (std::ranges::any_of(home.search, [&](const std::string& domain) { return within(name, domain); })) return false;
  return std::ranges::any_of(domains, [&](std::string_view domain) { return within(name, domain); });
}

void add_outside(const std::string& name, long dots, const std::string& unless, const Home& home,
                 std::vector<Reading>& out) {
  const auto first = out.size();
  const auto as_it_is = [&] {
    if (dots > 0 && !special_name(name, home)) out.push_back({.name = name});
  };
  if (dots >= static_cast<long>(home.ndots)) as_it_is();
  for (const auto& domain : home.search) out.push_back({.name = name + '.' + domain});
  if (dots < static_cast<long>(home.ndots)) as_it_is();
  if (out.size() > first) out[first].unless = unless;
}

std::vector<Reading> readings(const std::string& name, const Home& home) {
  const std::string svc = ".svc." + home.cluster_domain;
  if (within(name, home.cluster_domain)) return {{.name = name}};
  if (std::ranges::any_of(home.search, [&](const std::string& domain) { return within(name, domain); }))
    return {{.name = name}};
  if (name.ends_with(".svc")) return {{.name = name + '.' + home.cluster_domain}};
  const auto dots = std::ranges::count(name, '.');
  std::vector<Reading> out;
  if (name.find(".svc.") != std::string::npos || dots > 2) {
    add_outside(name, dots, "", home, out);
    return out;
  }
  const std::string own = '.' + home.name_space + svc;
  const auto parent = name.substr(name.find('.') + 1); // with one label the name itself
  switch (dots) {
  case 0:
    out.push_back({.name = name + own});
    add_outside(name, dots, "", home, out);
    break;
  case 1:
    out.push_back({.name = name + svc});
    out.push_back({.name = name + own, .only_if = parent + own});
    add_outside(name, dots, parent + svc, home, out);
    break;
  default: out.push_back({.name = name + svc}); add_outside(name, dots, parent + svc, home, out);
  }
  return out;
}

std::optional<std::string> one_label(std::string_view text) {
  auto label = canonical_name(text);
  return label && label->find('.') == std::string::npos ? label : std::nullopt;
}

} // namespace

bool within(std::string_view name, std::string_view domain) {
  if (!name.ends_with(domain)) return false;
  return name.size() == domain.size() || name[name.size() - domain.size() - 1] == '.';
}

std::optional<Special> special_name(const std::string& name, const Home& home) {
  if (below_special(name, home, {"localhost"})) return Special::loopback;
  if (below_special(name, home, {"invalid", "onion", "test"})) return Special::nonexistent;
  return std::nullopt;
}

std::vector<Address> loopback(Family family) {
  std::vector<Address> out;
  if (family != Family::ipv6) out.push_back(*read_address("127.0.0.1"));
  if (family != Family::ipv4) out.push_back(*read_address("::1"));
  return out;
}

std::optional<Address> read_address(std::string_view text) {
  const auto percent = text.find('%');
  const std::string terminated(text.substr(0, percent));
  Address address;
  if (terminated.size() != std::min(percent, text.size()) || terminated.find('\0') != std::string::npos)
    return std::nullopt;
  if (percent == std::string_view::npos && inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1)
    return address;
  address.family = Family::ipv6;
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) != 1) return std::nullopt;
  if (percent == std::string_view::npos) return address;
  const bool link_local = address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80;
  const std::string zone(text.substr(percent + 1));
  address.zone = if_nametoindex(zone.c_str());
  if (address.zone == 0) {
    const auto* const end = zone.data() + zone.size();
    const auto [stop, error] = std::from_chars(zone.data(), end, address.zone);
    if (error != std::errc{} || stop != end) return std::nullopt;
  }
  return link_local && address.zone != 0 ? std::optional(address) : std::nullopt;
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

  if (name->starts_with('_')) {
    const auto second = name->find("._");
    const auto rest = second == std::string::npos ? second : name->find('.', second + 2);
    if (rest == std::string::npos || name->find('.') != second || !query.port.empty()) return std::nullopt;
    plan.service = name->substr(0, rest + 1);
    name->erase(0, rest + 1);
  } else if (named_port) {
    const auto port = one_label(query.port), protocol = one_label(query.protocol);
    if (!port || !protocol) return std::nullopt;
    plan.service = '_' + *port + "._" + *protocol + '.';
  }
  if (below_special(*name, home, {"localhost", "invalid"}) || (absolute && special_name(*name, home))) {
    plan.special = special_name(*name, home);
  } else {
    plan.readings = absolute ? std::vector<Reading>{{.name = *name}} : readings(*name, home);
    // What completes a name may make it too long for a reading.
    const auto legal = [&](const Reading& reading) { return canonical_name(plan.service + reading.name).has_value(); };
    const auto all = plan.readings.size();
    std::erase_if(plan.readings, [&](const Reading& reading) { return !legal(reading); });
    if (plan.readings.empty() && all > 0) return std::nullopt;
    if (plan.readings.empty()) plan.special = Special::nonexistent;
  }
  plan.name = plan.service + (plan.readings.empty() ? *name : plan.readings[0].name);
  return canonical_name(plan.name) ? std::optional(std::move(plan)) : std::nullopt;
}

} // namespace signpost::resolver
