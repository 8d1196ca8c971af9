#include "server/config/options.hpp"
#include "server/config/registry_rules.hpp"

namespace signpost::server::corefile {
namespace {

constexpr std::uint64_t max_ttl = 3600; // seconds, as CoreDNS's kubernetes

/// A source's own zones; empty: those of the block, one of which has a name that services can be below.
tl::expected<std::vector<std::string>, std::string> source_zones(const Line& line, const std::vector<Token>& words,
                                                                 const Reading& reading) {
  std::vector<std::string> zones;
  for (const Token& word : words) {
    auto key = parse_key(word.text, 53);
    if (!key) return tl::unexpected(word.place() + key.error());
    for (ZonePort& zone : *key) {
      const auto& served = reading.block.zones;
      if (std::none_of(served.begin(), served.end(), [&](const auto& s) { return is_at_or_below(zone.zone, s); }))
        return tl::unexpected(word.place() + quote(zone.zone) +
                              " is outside this block's zones and would never be asked; instead: add it before the {");
      zones.push_back(std::move(zone.zone));
    }
  }
  const auto& all = zones.empty() ? reading.block.zones : zones;
  if (std::any_of(all.begin(), all.end(), [](const std::string& zone) { return zone == "."; }))
    return wrong(line, line.name.text + " cannot own the root; instead: " + line.name.text +
                           " cluster.local in-addr.arpa ip6.arpa");
  if (!all.empty() && std::all_of(all.begin(), all.end(), [](const std::string& zone) { return is_reverse(zone); }))
    return wrong(line, line.name.text +
                           " has reverse zones only; instead: add the cluster's zone, for instance cluster.local");
  return zones;
}

Done one_source(const Line& line, const Reading& reading) {
  if (std::holds_alternative<std::monostate>(reading.block.source)) return {};
  return wrong(line, "this block has a source already; instead: one of registry, objects and kubernetes");
}

struct RegistryReading {
  bool has_vip = false;
};

Done read_data(const Line& line, RegistryReading&, Reading& reading) {
  reading.settings.data = line.arguments[0].text;
  return {};
}

Done read_listen(const Line& line, RegistryReading&, Reading& reading) {
  for (const Token& word : line.arguments) {
    const auto endpoint = api_endpoint(word.text);
    if (!endpoint) return tl::unexpected(word.place() + endpoint.error());
    reading.settings.api.push_back(*endpoint);
  }
  return {};
}

Done read_reserve(const Line& line, std::vector<model::Prefix>& prefixes, Reading& reading) {
  for (const Token& word : line.arguments) {
    const auto address = model::Address::parse(word.text);
    if (!address)
      return tl::unexpected(word.place() + quote(word.text) +
                            " is not an address; instead: one of the prefixes' of vip");
    if (std::none_of(prefixes.begin(), prefixes.end(), [&](const auto& prefix) { return prefix.contains(*address); }))
      return tl::unexpected(word.place() + word.text +
                            " lies in none of the prefixes of vip; instead: reserve one of theirs");
    reading.settings.reserved.push_back(*address);
  }
  return {};
}

constexpr Option<std::vector<model::Prefix>> vip_table[] = {
    {"reserve", 1, any_number, "reserve ADDRESS...", read_reserve, false,
     "addresses that are given to who asks for them, and else last"},
};

std::vector<Entry> vip_options() { return entries<std::vector<model::Prefix>>(vip_table); }

Done read_vip(const Line& line, RegistryReading& target, Reading& reading) {
  if (target.has_vip) return wrong(line, "vip stands twice; instead: write both prefixes in one line");
  target.has_vip = true;
  std::vector<std::string> words;
  for (const Token& word : line.arguments) words.push_back(word.text);
  auto prefixes = vip_prefixes(words);
  if (!prefixes) return wrong(line, prefixes.error());
  reading.settings.vips = *prefixes;
  reading.settings.reserved.clear();
  read_options<std::vector<model::Prefix>>(line, vip_table, *prefixes, reading);
  return {};
}

Done read_history(const Line& line, RegistryReading&, Reading& reading) {
  const auto revisions = parse_number(line.arguments[0].text, 1, 1u << 30);
  if (!revisions)
    return wrong(line, quote(line.arguments[0].text) + " is not a number of revisions; instead: history 100000 5m");
  const auto age = parse_duration(line.arguments[1].text);
  if (!age || *age < std::chrono::seconds(1))
    return wrong(line, quote(line.arguments[1].text) + " is not a time of at least 1s; instead: history 100000 5m");
  reading.settings.history_revisions = static_cast<std::size_t>(*revisions);
  reading.settings.history_age = std::chrono::ceil<std::chrono::seconds>(*age);
  return {};
}

template <class T>
Done read_ttl(const Line& line, T&, Reading& reading) {
  const auto ttl = parse_number(line.arguments[0].text, 0, max_ttl);
  if (!ttl)
    return wrong(line,
                 "ttl " + quote(line.arguments[0].text) + " is not a number of seconds from 0 to 3600; instead: ttl 5");
  reading.block.ttl = static_cast<std::uint32_t>(*ttl);
  return {};
}

/// As CoreDNS's: without zones all of the block's; with them, those in place of the reverse zones. `none` is none.
template <class T>
Done read_fallthrough(const Line& line, T&, Reading& reading) {
  std::vector<std::string> zones;
  const bool none = line.arguments.size() == 1 && line.arguments[0].text == "none";
  if (line.arguments.empty()) zones = {"."};
  for (const Token& word : line.arguments) {
    if (none) break;
    auto key = parse_key(word.text, 53);
    if (!key) return tl::unexpected(word.place() + key.error());
    for (ZonePort& zone : *key) zones.push_back(std::move(zone.zone));
  }
  reading.block.fallthrough = std::move(zones);
  return {};
}

constexpr std::string_view fallthrough_meaning =
    "names of these zones that are not known here are asked of the `forward` that covers them, in this block or in "
    "another one at the same address; without ZONES all names, `none`: none (in-addr.arpa ip6.arpa)";

constexpr Option<RegistryReading> registry_table[] = {
    {"data", 1, 1, "data DIRECTORY", read_data, false, "the folder it is kept in"},
    {"listen", 1, any_number, "listen ADDRESS:PORT...", read_listen, false,
     "where its API is served; loopback addresses only (127.0.0.1:8080)"},
    {"vip", 1, 2, "vip PREFIX [PREFIX]", read_vip, true,
     "where virtual IPs are taken from; two prefixes are for both families, the first is the primary one (10.96.0.0/12 fd00:10:96::/112)",
     vip_options},
    {"history", 2, 2, "history REVISIONS DURATION", read_history, false,
     "how many changes are kept for watches and pages, and for how long; older ones answer 410 Expired"},
    {"fallthrough", 0, any_number, "fallthrough [ZONES...]", read_fallthrough<RegistryReading>, false,
     fallthrough_meaning},
    {"ttl", 1, 1, "ttl SECONDS", read_ttl<RegistryReading>, false, "of the answers, from 0 to 3600 seconds (5)"},
};

constexpr Option<ObjectsSource> objects_table[] = {
    {"fallthrough", 0, any_number, "fallthrough [ZONES...]", read_fallthrough<ObjectsSource>, false,
     fallthrough_meaning},
    {"ttl", 1, 1, "ttl SECONDS", read_ttl<ObjectsSource>, false, "of the answers, from 0 to 3600 seconds (5)"},
};

} // namespace

std::vector<Entry> registry_options() { return entries<RegistryReading>(registry_table); }
std::vector<Entry> objects_options() { return entries<ObjectsSource>(objects_table); }

Done read_registry(const Line& line, Reading& reading) {
  if (auto one = one_source(line, reading); !one) return one;
  if (!reading.registry_place.empty())
    return wrong(line, "there is a registry already at " + reading.registry_place + "; instead: keep one");
  reading.registry_place = line.place().substr(0, line.place().size() - 2);
  auto zones = source_zones(line, line.arguments, reading);
  if (!zones) reading.findings.problems.push_back(zones.error());

  reading.settings.vips = default_vips();
  reading.settings.reserved = reserved_of(reading.settings.vips);
  RegistryReading target;
  read_options<RegistryReading>(line, registry_table, target, reading);
  if (reading.settings.api.empty()) reading.settings.api.push_back(default_api());
  reading.block.source = RegistrySource{zones ? std::move(*zones) : std::vector<std::string>{}};
  return {};
}

Done read_objects(const Line& line, Reading& reading) {
  if (auto one = one_source(line, reading); !one) return one;
  if (line.arguments.empty()) return wrong(line, "objects names no file; instead: objects FILE...");
  auto zones = source_zones(line, {}, reading);
  if (!zones) return tl::unexpected(zones.error());
  ObjectsSource source{.files = {}, .zones = std::move(*zones), .place = {line.place()}};
  for (const Token& word : line.arguments) source.files.push_back(word.text);
  read_options<ObjectsSource>(line, objects_table, source, reading);
  reading.block.source = std::move(source);
  return {};
}

Done read_kubernetes(const Line& line, Reading&) {
  return wrong(line, "Signpost cannot watch a Kubernetes API server yet; instead: registry or objects FILE...");
}

} // namespace signpost::server::corefile
