#include "server/config/directives.hpp"

#include <algorithm>

#include "server/config/options.hpp"

namespace signpost::server::corefile {
namespace {

struct Directive {
  std::string_view name;
  Done (*read)(const Line&, Reading&);
  bool repeats = false;
  std::string_view usage, meaning; // for the manual; empty: it is not there yet
  std::vector<Entry> (*options)() = nullptr;
};

constexpr Directive directives[] = {
    {"bind", read_bind, true, "bind ADDRESS|INTERFACE...",
     "the addresses of the block; without it, all of this machine's. Addresses that come and go are followed, but for "
     "those written out",
     bind_options},
    {"log", read_log, true, "log", "queries are logged", log_options},
    {"errors", read_errors, false, "errors", "failures of forwarding are logged"},
    {"debug", read_debug, false, "debug", "the log's lines at level debug are written, too"},
    {"prometheus", read_prometheus, false, "prometheus [ADDRESS:PORT]",
     "counters for Prometheus at /metrics, read-only, for whoever reaches the address; :PORT is every address "
     "(localhost:9153)",
     prometheus_options},
    {"health", read_health, false, "health [ADDRESS:PORT]", "/health says 200 as long as the process serves (:8080)",
     health_options},
    {"ready", read_ready, false, "ready [ADDRESS:PORT]",
     "/ready says 200 once DNS serves what the sources hold, and 503 with their names before that and while stopping "
     "(:8181)",
     ready_options},
    {"reload", read_reload, false, "reload [INTERVAL] [JITTER]",
     "the Corefile and what it imports are looked at that often, and read again when they have changed, as by SIGHUP "
     "(30s 15s)"},
    {"loop", read_loop, false, "loop", no_effect},
    {"loadbalance", read_loadbalance, false, "loadbalance [round_robin]", no_effect},
    {"bufsize", read_bufsize, false, "bufsize [SIZE]", no_effect},
    {"minimal", read_minimal, false, "minimal", no_effect},
    {"forward", read_forward, false, "forward FROM TO...",
     "names below FROM that are not the sources' are asked of others; TO is an address, with a port or without, or the "
     "path of a resolv.conf",
     forward_options},
    {"cache", read_cache, false, "cache [TTL]", "forwarded answers are kept, for at most TTL seconds", cache_options},
    {"registry", read_registry, false, "registry [ZONES...]",
     "services come from Signpost's own registry, which is kept in a folder and changed through its API; one block of "
     "the file may have it",
     registry_options},
    {"objects", read_objects, false, "objects FILE...",
     "services come from files: Service, EndpointSlice and Namespace objects in JSON or YAML, read again when they "
     "change",
     objects_options},
    {"kubernetes", read_kubernetes},
    {"local", read_local, false, "local [private]",
     "names that never leave the machine are answered here; they are without this word, too (localhost, invalid, onion, "
     "test, home.arpa, reverse names of loopback and link-local addresses). With `private` also the reverse names of "
     "private addresses, which are forwarded otherwise, since a network's own servers often know them"},
    {"nsid", read_nsid, false, "nsid [NAME]",
     "the name told to who asks for it, at most 64 octets; this host's without NAME"},
};

/// One word of `bind`, an address or an interface that this host has.
Done read_place(const Token& word, const Host& host, std::vector<ScopedAddress>& addresses,
                std::vector<std::string>& interfaces) {
  if (const auto address = ScopedAddress::parse(word.text)) {
    addresses.push_back(*address);
    return {};
  }
  const auto has_name = [&](const Interface& interface) { return interface.name == word.text; };
  if (std::none_of(host.interfaces.begin(), host.interfaces.end(), has_name))
    return tl::unexpected(word.place() + quote(word.text) +
                          " is neither an address nor an interface with one; instead: see `ip address`");
  interfaces.push_back(word.text);
  return {};
}

Done read_bind_except(const Line& line, Binding& binding, Reading& reading) {
  for (const Token& word : line.arguments)
    if (auto done = read_place(word, reading.host, binding.except_addresses, binding.except_interfaces); !done)
      return done;
  return {};
}

constexpr Option<Binding> bind_table[] = {
    {"except", 1, any_number, "except ADDRESS|INTERFACE...", read_bind_except, false, "not these of them"},
};

} // namespace

std::vector<Entry> directive_reference() {
  std::vector<Entry> all;
  for (const Directive& directive : directives)
    if (!directive.usage.empty())
      all.push_back({directive.usage, directive.meaning,
                     directive.options == nullptr ? std::vector<Entry>{} : directive.options()});
  return all;
}

std::vector<Entry> bind_options() { return entries<Binding>(bind_table); }

bool is_at_or_below(std::string_view name, std::string_view zone) {
  if (zone == "." || name == zone) return true;
  return name.size() > zone.size() && name.ends_with(zone) && name[name.size() - zone.size() - 1] == '.';
}

bool is_reverse(std::string_view zone) {
  return is_at_or_below(zone, "in-addr.arpa") || is_at_or_below(zone, "ip6.arpa");
}

Done read_directive(const Line& line, Reading& reading) {
  const auto directive = std::find_if(std::begin(directives), std::end(directives),
                                      [&](const Directive& d) { return d.name == line.name.text; });
  if (directive == std::end(directives)) return wrong(line, unknown_directive(line.name.text));
  const auto [first, inserted] = reading.seen.emplace(line.name.text, line.place());
  if (!inserted && !directive->repeats)
    return wrong(line, line.name.text + " stands twice in this block, first at " +
                           first->second.substr(0, first->second.size() - 2) + "; instead: keep one");
  return directive->read(line, reading);
}

Done read_bind(const Line& line, Reading& reading) {
  if (line.arguments.empty())
    return wrong(line, "bind names no address; instead: bind ADDRESS... or bind INTERFACE...");
  Binding binding;
  read_options<Binding>(line, bind_table, binding, reading);
  for (const Token& word : line.arguments)
    if (auto done = read_place(word, reading.host, binding.addresses, binding.interfaces); !done) return done;
  if (addresses_on(binding, reading.host).empty() && reading.bindings.empty())
    return wrong(line, "bind leaves no address to listen on; instead: name one more");
  reading.bindings.push_back(std::move(binding));
  return {};
}

Done read_local(const Line& line, Reading& reading) {
  if (line.arguments.empty()) return {};
  if (line.arguments.size() > 1 || line.arguments.front().text != "private")
    return wrong(line, "local takes one word; instead: local, or local private");
  reading.block.keeps_private = true;
  return {};
}

} // namespace signpost::server::corefile
