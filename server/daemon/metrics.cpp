#include "server/daemon/metrics.hpp"

#include <limits>

#include "discovery/api/server.hpp"
#include "discovery/endpoints/endpoints_controller.hpp"
#include "discovery/registry/registry.hpp"
#include "discovery/store/sqlite_store.hpp"
#include "server/forward/forwarder.hpp"
#include "server/listen/listeners.hpp"
#include "server/log/log.hpp"

namespace signpost::server {

namespace {

constexpr const char* rcode_names[16] = {"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",  "REFUSED",
                                         "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE", "DSOTYPENI",
                                         "12",       "13",      "14",       "15"};

void add(std::vector<Sample>& samples, std::string_view name, std::string_view help, Sample::Type type,
         std::uint64_t value, std::vector<std::pair<std::string, std::string>> labels = {}) {
  samples.push_back({name, help, type, static_cast<double>(value), std::move(labels), {}});
}

/// A histogram by bits as Prometheus has them: cumulative, from `lowest` bits to `highest`, bounds times `unit`.
template <std::size_t bits>
Sample bit_histogram(std::string_view name, std::string_view help, const BitHistogram<bits, std::uint64_t>& counts,
                     std::size_t lowest, std::size_t highest, double unit,
                     std::vector<std::pair<std::string, std::string>> labels) {
  Sample sample{name, help, Sample::Type::histogram, static_cast<double>(counts.sum) * unit, std::move(labels), {}};
  std::uint64_t below = 0;
  for (std::size_t bit = 0; bit < counts.counts.size(); ++bit) {
    below += counts.counts[bit];
    if (bit >= lowest && bit <= highest)
      sample.buckets.emplace_back(static_cast<double>((std::uint64_t{1} << bit) - 1) * unit, below);
  }
  sample.buckets.emplace_back(std::numeric_limits<double>::infinity(), below);
  return sample;
}

void add_dns(std::vector<Sample>& samples, const Listeners& listeners, wire::Transport transport,
             model::Family family) {
  using enum Sample::Type;
  using Labels = std::vector<std::pair<std::string, std::string>>;
  const Totals totals = listeners.totals(transport, family);
  const Labels own = {{"proto", transport == wire::Transport::udp ? "udp" : "tcp"},
                      {"family", family == model::Family::ipv4 ? "4" : "6"}};
  const auto with = [&](const char* label, std::string_view value) {
    Labels labels = own;
    labels.emplace_back(label, value);
    return labels;
  };
  add(samples, "signpost_dns_messages_total", "Messages received, sound or not", counter, totals.queries, own);
  add(samples, "signpost_dns_dropped_total", "Messages that deserve no reply", counter, totals.dropped, own);
  add(samples, "signpost_dns_unsent_total", "Replies the kernel did not take", counter, totals.unsent, own);
  add(samples, "signpost_dns_outside_total", "Questions outside our zones", counter, totals.outside, own);
  add(samples, "signpost_dns_edns_queries_total", "Queries with EDNS", counter, totals.edns[1] + totals.edns[2], own);
  add(samples, "signpost_dns_dnssec_ok_queries_total", "Queries with the DO bit", counter, totals.edns[2], own);
  for (std::size_t type = 0; type < totals.types.size(); ++type)
    add(samples, "signpost_dns_queries_total", "Questions by type", counter, totals.types[type],
        with("type", counted_type_names[type]));
  for (std::size_t rcode = 0; rcode < totals.replies.size(); ++rcode)
    if (rcode <= 5 || totals.replies[rcode] != 0)
      add(samples, "signpost_dns_replies_total", "Replies sent at once", counter, totals.replies[rcode],
          with("rcode", rcode_names[rcode]));
  samples.push_back(
      bit_histogram("signpost_dns_query_bytes", "Sizes of the messages received", totals.query_octets, 5, 15, 1, own));
  samples.push_back(bit_histogram("signpost_dns_reply_bytes", "Sizes of the replies sent at once", totals.reply_octets,
                                  5, 15, 1, own));
  if (transport == wire::Transport::udp)
    samples.push_back(bit_histogram("signpost_dns_batch_seconds",
                                    "From the receipt of a batch until its replies are sent; one batch in 64 is timed",
                                    totals.batch_time, 10, 27, 1e-9, own));
}

void add_to(ForwardCounters& sum, const ForwardCounters& one) {
  sum.cache_hits += one.cache_hits;
  sum.cache_misses += one.cache_misses;
  sum.refused += one.refused;
  sum.overflows += one.overflows;
  sum.joined += one.joined;
  sum.failures += one.failures;
  sum.tries += one.tries;
  sum.timeouts += one.timeouts;
  sum.mismatches += one.mismatches;
  sum.tcp += one.tcp;
  sum.in_flight += one.in_flight;
  sum.cache_entries += one.cache_entries;
  sum.cache_bytes += one.cache_bytes;
  sum.cache_evictions += one.cache_evictions;
}

void add_forward(std::vector<Sample>& samples, const ForwardCounters& c) {
  using enum Sample::Type;
  add(samples, "signpost_cache_hits_total", "Questions answered from the cache", counter, c.cache_hits);
  add(samples, "signpost_cache_misses_total", "Questions not in the cache", counter, c.cache_misses);
  add(samples, "signpost_cache_evictions_total", "Entries that made room", counter, c.cache_evictions);
  add(samples, "signpost_cache_entries", "Entries in the cache", gauge, c.cache_entries);
  add(samples, "signpost_cache_bytes", "Bytes in use by the cache", gauge, c.cache_bytes);
  add(samples, "signpost_forward_tries_total", "Queries sent to upstreams", counter, c.tries);
  add(samples, "signpost_forward_tcp_total", "Queries sent to upstreams over TCP", counter, c.tcp);
  add(samples, "signpost_forward_joined_total", "Questions that waited for an equal one", counter, c.joined);
  add(samples, "signpost_forward_timeouts_total", "Queries without an answer in time", counter, c.timeouts);
  add(samples, "signpost_forward_mismatches_total", "Datagrams ignored as no answer", counter, c.mismatches);
  add(samples, "signpost_forward_failures_total", "Questions no upstream answered", counter, c.failures);
  add(samples, "signpost_forward_overflows_total", "Questions over a bound", counter, c.overflows);
  add(samples, "signpost_forward_refused_total", "Questions refused", counter, c.refused);
  add(samples, "signpost_forward_in_flight", "Questions being asked", gauge, c.in_flight);
}

void add_api(std::vector<Sample>& samples, const api::Statistics& s) {
  using enum Sample::Type;
  add(samples, "signpost_api_connections", "Open connections", gauge, s.connections);
  add(samples, "signpost_api_connections_total", "Connections accepted", counter, s.connections_total);
  add(samples, "signpost_api_connections_refused_total", "Connections over the bound", counter, s.connections_refused);
  add(samples, "signpost_api_connections_dropped_total", "Connections closed to make room for others", counter,
      s.connections_dropped);
  add(samples, "signpost_api_requests_total", "Requests", counter, s.requests);
  add(samples, "signpost_api_errors_total", "Requests answered 4xx or 5xx", counter, s.client_errors,
      {{"class", "4xx"}});
  add(samples, "signpost_api_errors_total", "", counter, s.server_errors, {{"class", "5xx"}});
  add(samples, "signpost_api_watches", "Open watches", gauge, s.watches);
  add(samples, "signpost_api_watches_cut_total", "Watches cut as too slow", counter, s.watches_cut);
  add(samples, "signpost_api_watch_events_total", "Events sent to watches", counter, s.watch_events);
}

} // namespace

std::vector<Sample> collect(const Parts& parts) {
  using enum Sample::Type;
  std::vector<Sample> samples;
  add(samples, "signpost_build_info", "The program", gauge, 1, {{"version", SIGNPOST_VERSION}});
  add(samples, "signpost_services", "Services known", gauge, parts.services);
  add(samples, "signpost_config_reloads_total", "Configurations read anew", counter, parts.reloads,
      {{"result", "done"}});
  add(samples, "signpost_config_reloads_total", "", counter, parts.reloads_refused, {{"result", "refused"}});
  add(samples, "signpost_log_dropped_lines_total", "Log lines that were not read in time", counter,
      log::dropped_lines());
  if (parts.store != nullptr) {
    const store::SqliteStore::Counters counts = parts.store->counters();
    add(samples, "signpost_store_writable", "1: writing works; 0: the last write failed, or none is taken", gauge,
        parts.store->trouble() ? 0 : 1);
    add(samples, "signpost_store_transactions_total", "Transactions asked for", counter, counts.transactions);
    add(samples, "signpost_store_failed_transactions_total", "Transactions that could not be written", counter,
        counts.failed);
    add(samples, "signpost_store_commits_total", "Groups of transactions written, each with one fsync", counter,
        counts.groups);
  }
  if (parts.registry != nullptr)
    add(samples, "signpost_registry_revision", "Newest revision", gauge,
        static_cast<std::uint64_t>(parts.registry->revision()));
  if (parts.endpoints != nullptr) {
    const auto c = parts.endpoints->counters();
    add(samples, "signpost_endpoints_passes_total", "Looks at the endpoints of one service", counter, c.passes);
    add(samples, "signpost_endpoints_writes_total", "EndpointSlices written for services", counter, c.writes);
    add(samples, "signpost_endpoints_failures_total", "Looks that must be repeated", counter, c.failures);
  }
  if (parts.listeners != nullptr) {
    for (const auto transport : {wire::Transport::udp, wire::Transport::tcp})
      for (const auto family : {model::Family::ipv4, model::Family::ipv6})
        add_dns(samples, *parts.listeners, transport, family);
    const TcpListener& tcp = parts.listeners->tcp();
    add(samples, "signpost_dns_tcp_connections", "Connections over TCP now", gauge, tcp.connections_open());
    add(samples, "signpost_dns_tcp_connections_total", "Connections accepted", counter, tcp.connections_accepted());
    add(samples, "signpost_dns_tcp_connections_evicted_total", "Connections closed to make room", counter,
        tcp.connections_evicted());
  }
  if (!parts.forwarders.empty()) {
    ForwardCounters sum;
    for (const Forwarder* forwarder : parts.forwarders) add_to(sum, forwarder->counters());
    add_forward(samples, sum);
  }
  api::Statistics sum;
  for (const api::Server* server : parts.api) {
    const api::Statistics s = server->statistics();
    sum.connections += s.connections;
    sum.connections_total += s.connections_total;
    sum.connections_refused += s.connections_refused;
    sum.connections_dropped += s.connections_dropped;
    sum.requests += s.requests;
    sum.client_errors += s.client_errors;
    sum.server_errors += s.server_errors;
    sum.watches += s.watches;
    sum.watches_cut += s.watches_cut;
    sum.watch_events += s.watch_events;
  }
  if (!parts.api.empty()) add_api(samples, sum);
  return samples;
}

} // namespace signpost::server
