#include "server/config/directives.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

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
    {"log", read_log, true, "log", "queries are logged"},
    {"errors", read_errors, false, "errors", "failures of forwarding are logged"},
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
                          " is neither an address nor an interface with one; see `ip address`");
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
                           first->second.substr(0, first->second.size() - 2) + "; keep one");
  return directive->read(line, reading);
}

Done read_bind(const Line& line, Reading& reading) {
  if (line.arguments.empty()) return wrong(line, "bind names no address; write bind ADDRESS... or bind INTERFACE...");
  Binding binding;
  if (auto done = read_options<Binding>(line, bind_table, binding, reading); !done) return done;
  for (const Token& word : line.arguments)
    if (auto done = read_place(word, reading.host, binding.addresses, binding.interfaces); !done) return done;
  if (addresses_on(binding, reading.host).empty() && reading.bindings.empty())
    return wrong(line, "bind leaves no address to listen on; name one more");
  reading.bindings.push_back(std::move(binding));
  return {};
}

Done read_nsid(const Line& line, Reading& reading) {
  constexpr std::size_t longest = 64;
  std::string& nsid = reading.block.nsid;
  for (const Token& word : line.arguments) nsid += (nsid.empty() ? "" : " ") + word.text;
  if (line.arguments.empty()) {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0')
      return wrong(line, "this host has no name to tell; write nsid NAME");
    nsid = std::string(name.data()).substr(0, longest);
  }
  if (nsid.size() > longest) return wrong(line, "nsid takes at most 64 octets; write a shorter name");
  return {};
}

Done read_local(const Line& line, Reading& reading) {
  if (line.arguments.empty()) return {};
  if (line.arguments.size() > 1 || line.arguments.front().text != "private")
    return wrong(line, "local takes one word; write local, or local private");
  reading.block.keeps_private = true;
  return {};
}

Done read_log(const Line& line, Reading& reading) {
  reading.block.log = true;
  if (!line.arguments.empty() || line.has_block)
    reading.warn(line, "log has one format and no classes in Signpost: its arguments have no effect");
  return {};
}

Done read_errors(const Line& line, Reading& reading) {
  reading.block.errors = true;
  if (!line.arguments.empty() && line.arguments.front().text != "stdout")
    return wrong(line, "errors writes to the log only; leave " + quote(line.arguments.front().text) + " out");
  if (line.has_block) reading.warn(line, "errors are summed up by themselves in Signpost: its block has no effect");
  return {};
}

} // namespace signpost::server::corefile
