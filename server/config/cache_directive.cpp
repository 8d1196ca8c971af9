#include "server/config/options.hpp"

namespace signpost::server::corefile {
namespace {

constexpr std::size_t entry_bytes = 512; // what CoreDNS's count of answers is taken for
constexpr std::size_t min_bytes = 1u << 20;
constexpr std::uint64_t max_entries = 1u << 26;
constexpr std::uint64_t max_ttl = 7 * 86400; // seconds; RFC 8767 4: a week is the most that makes sense
constexpr std::uint64_t coredns_min_ttl = 5; // seconds

struct CacheReading {
  CacheSettings cache;
  std::size_t entries = 0; // of both kinds, where a capacity was given
};

tl::expected<std::chrono::seconds, std::string> read_ttl(const Line& line, const Token& word) {
  const auto ttl = parse_number(word.text, 1, 0xFFFFFFFFu);
  if (!ttl)
    return wrong(line, "the TTL " + quote(word.text) + " is not a number of seconds above zero; instead: one like 30");
  return std::chrono::seconds(std::min(*ttl, max_ttl));
}

/// CAPACITY [TTL] [MINTTL]
Done read_capacity(const Line& line, CacheReading& target, Reading& reading) {
  const bool success = line.name.text == "success";
  const auto capacity = parse_number(line.arguments[0].text, 0, max_entries);
  if (!capacity)
    return wrong(line, "the capacity " + quote(line.arguments[0].text) +
                           " is not a number of answers; instead: one like 9984");
  target.entries += static_cast<std::size_t>(*capacity);
  if (line.arguments.size() > 1) {
    const auto ttl = read_ttl(line, line.arguments[1]);
    if (!ttl) return tl::unexpected(ttl.error());
    (success ? target.cache.max_ttl : target.cache.max_negative_ttl) = *ttl;
  }
  if (line.arguments.size() > 2) {
    const auto least = parse_number(line.arguments[2].text, 0, 0xFFFFFFFFu);
    if (!least)
      return wrong(line, "the least TTL " + quote(line.arguments[2].text) +
                             " is not a number of seconds; instead: leave it out");
    if (*least > coredns_min_ttl)
      return wrong(line, "a least TTL above " + std::to_string(coredns_min_ttl) +
                             " s is not supported yet; instead: leave it out");
    if (*least > 0)
      reading.warn(line, "a least TTL has no effect in Signpost: an answer lives as long as its TTL says");
  }
  return {};
}

/// success|denial [ZONES...]: the zones of the block's own source are never cached, so disabling them is nothing.
Done read_disable(const Line& line, CacheReading&, Reading& reading) {
  const std::string& what = line.arguments[0].text;
  if (what != "success" && what != "denial")
    return wrong(line, "disable " + quote(what) + " is no kind of answer; instead: success or denial");
  if (line.arguments.size() == 1)
    return wrong(line, "disable for all zones is not supported yet; instead: leave cache out");
  for (std::size_t i = 1; i < line.arguments.size(); ++i)
    if (auto zone = parse_zone(line.arguments[i].text); !zone)
      return wrong(line, zone.error() + "; instead: a name like cluster.local");
  reading.warn(line, "names of a source are never cached in Signpost; disable has no effect on other names");
  return {};
}

Done read_servfail(const Line& line, CacheReading& target, Reading& reading) {
  const auto duration = parse_duration(line.arguments[0].text);
  if (!duration || *duration > std::chrono::minutes(5))
    return wrong(line,
                 "servfail " + quote(line.arguments[0].text) + " is not a time of at most 5m; instead: one like 5s");
  return without_effect(line, target, reading);
}

constexpr Option<CacheReading> cache_table[] = {
    {"success", 1, 3, "success CAPACITY [TTL] [MINTTL]", read_capacity, false,
     "how many answers with records, and for how many seconds at most"},
    {"denial", 1, 3, "denial CAPACITY [TTL] [MINTTL]", read_capacity, false,
     "the same for answers that a name or a type does not exist"},
    {"disable", 1, any_number, "disable success|denial ZONE...", read_disable, false, no_effect},
    {"prefetch", 1, 3, "prefetch AMOUNT [DURATION] [PERCENTAGE%]", without_effect<CacheReading>, false, no_effect},
    {"servfail", 1, 1, "servfail DURATION", read_servfail, false, no_effect},
    {"serve_stale", 0, any_number, "", not_yet<CacheReading>},
    {"serve_stale_policy", 0, any_number, "", not_yet<CacheReading>},
    {"keepttl", 0, any_number, "", not_yet<CacheReading>},
};

} // namespace

std::vector<Entry> cache_options() { return entries<CacheReading>(cache_table); }

Done read_cache(const Line& line, Reading& reading) {
  CacheReading target;
  std::size_t zones = 0;
  if (!line.arguments.empty()) {
    const std::string& first = line.arguments[0].text;
    const bool is_ttl = first.find_first_not_of("-0123456789") == std::string::npos;
    if (is_ttl) {
      const auto ttl = read_ttl(line, line.arguments[0]);
      if (!ttl) return tl::unexpected(ttl.error());
      target.cache.max_ttl = *ttl;
      target.cache.max_negative_ttl = *ttl;
    }
    zones = is_ttl ? 1 : 0;
  }
  for (std::size_t i = zones; i < line.arguments.size(); ++i) {
    const auto zone = parse_zone(line.arguments[i].text);
    if (!zone) return wrong(line, zone.error() + "; instead: cache [TTL]");
    for (const std::string& served : reading.block.zones)
      if (!is_at_or_below(served, *zone))
        return wrong(line, "a cache for some of the block's zones only is not supported yet; instead: leave " +
                               quote(line.arguments[i].text) + " out");
  }
  read_options<CacheReading>(line, cache_table, target, reading);
  if (target.entries > 0) target.cache.bytes = std::max(min_bytes, target.entries * entry_bytes);
  reading.block.cache = target.cache;
  return {};
}

} // namespace signpost::server::corefile
