#include "server/daemon/status.hpp"

#include <ctime>
#include <nlohmann/json.hpp>
#include <set>

#include "discovery/registry/registry.hpp"
#include "server/forward/forwarder.hpp"
#include "server/listen/listeners.hpp"

namespace signpost::server {

namespace {

using Json = nlohmann::ordered_json;

std::string rfc3339(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text, length};
}

Json texts(const std::vector<Endpoint>& endpoints, const std::string& scheme = "") {
  Json list = Json::array();
  for (const Endpoint& endpoint : endpoints) list.push_back(scheme + endpoint.to_string());
  return list;
}

void add_blocks(const Settings& settings, const Parts& parts, Json& page) {
  std::set<std::string> zones;
  Json sources = Json::array(), upstreams = Json::array();
  auto forwarder = parts.forwarders.begin(); // one for each block that forwards, in their order
  for (const ServerBlock& block : settings.blocks) {
    if (const auto* files = std::get_if<ObjectsSource>(&block.source))
      sources.push_back({{"kind", "objects"}, {"files", files->files}});
    else if (std::holds_alternative<RegistrySource>(block.source))
      sources.push_back({{"kind", "registry"}, {"data", settings.data}});
    if (!std::holds_alternative<std::monostate>(block.source)) zones.insert(block.zones.begin(), block.zones.end());
    if (block.forward && forwarder != parts.forwarders.end())
      for (const Endpoint& upstream : (*forwarder++)->upstreams())
        upstreams.push_back({{"address", upstream.to_string()}, {"zones", block.zones}});
  }
  page["zones"] = zones;
  page["sources"] = std::move(sources);
  if (!upstreams.empty()) page["upstreams"] = std::move(upstreams);
}

void add_forwarding(const Parts& parts, Json& page) {
  if (parts.forwarders.empty()) return;
  ForwardCounters sum;
  for (const Forwarder* forwarder : parts.forwarders) {
    const ForwardCounters one = forwarder->counters();
    sum.cache_entries += one.cache_entries;
    sum.cache_bytes += one.cache_bytes;
    sum.cache_hits += one.cache_hits;
    sum.cache_misses += one.cache_misses;
    sum.tries += one.tries;
    sum.timeouts += one.timeouts;
    sum.failures += one.failures;
  }
  page["cache"] = {{"entries", sum.cache_entries},
                   {"bytes", sum.cache_bytes},
                   {"hits", sum.cache_hits},
                   {"misses", sum.cache_misses}};
  page["forwarding"] = {{"tries", sum.tries}, {"timeouts", sum.timeouts}, {"failures", sum.failures}};
}

void add_questions(const Listeners& listeners, Json& page) {
  std::uint64_t questions = 0, dropped = 0;
  for (const auto transport : {wire::Transport::udp, wire::Transport::tcp})
    for (const auto family : {model::Family::ipv4, model::Family::ipv6}) {
      const Totals totals = listeners.totals(transport, family);
      questions += totals.queries;
      dropped += totals.dropped;
    }
  page["questions"] = questions;
  page["dropped"] = dropped;
}

} // namespace

std::string status_page(const StatusFacts& facts) {
  Json page = {{"version", SIGNPOST_VERSION},
               {"started", rfc3339(facts.started)},
               {"uptimeSeconds", facts.uptime.count()},
               {"ready", facts.ready}};
  add_blocks(facts.settings, facts.parts, page);
  page["dns"] = texts(facts.dns);
  page["api"] = texts(facts.settings.api, "http://");
  page["services"] = facts.parts.services;
  if (facts.parts.registry != nullptr && !facts.parts.registry->settings().read_only)
    page["revision"] = facts.parts.registry->revision();
  if (facts.parts.listeners != nullptr) add_questions(*facts.parts.listeners, page);
  add_forwarding(facts.parts, page);
  page["log"] = {{"warnings", facts.told.warnings},
                 {"errors", facts.told.errors},
                 {"dropped", log::dropped_lines()},
                 {"last", facts.told.last}};
  return page.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

} // namespace signpost::server
