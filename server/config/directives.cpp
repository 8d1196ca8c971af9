#include "server/config/directives.hpp"

#include <algorithm>

#include "server/config/options.hpp"

namespace signpost::server::corefile {
namespace {

struct Directive {
  std::string_view name;
  Done (*read)(const Line&, Reading&);
  bool repeats = false;
};

constexpr Directive directives[] = {
    {"bind", read_bind, true}, {"log", read_log, true},     {"errors", read_errors},   {"forward", read_forward},
    {"cache", read_cache},     {"registry", read_registry}, {"objects", read_objects}, {"kubernetes", read_kubernetes},
};

/// The addresses of one word of `bind`.
tl::expected<std::vector<model::Address>, std::string> addresses_of(const Token& word, const Host& host) {
  if (const auto address = model::Address::parse(word.text)) return concrete(*address, host);
  for (const Interface& interface : host.interfaces)
    if (interface.name == word.text) return interface.addresses;
  return tl::unexpected(word.place() + quote(word.text) +
                        " is neither an address nor an interface with one; see `ip address`");
}

} // namespace

bool is_at_or_below(std::string_view name, std::string_view zone) {
  if (zone == "." || name == zone) return true;
  return name.size() > zone.size() && name.ends_with(zone) && name[name.size() - zone.size() - 1] == '.';
}

bool is_reverse(std::string_view zone) {
  return is_at_or_below(zone, "in-addr.arpa") || is_at_or_below(zone, "ip6.arpa");
}

std::vector<model::Address> concrete(const model::Address& address, const Host& host) {
  if (!address.is_unspecified()) return {address};
  std::vector<model::Address> all = host.addresses();
  if (address.is_v4()) std::erase_if(all, [](const model::Address& a) { return !a.is_v4(); });
  return all;
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
  std::vector<model::Address> except;
  static constexpr Option<std::vector<model::Address>> options[] = {
      {"except", 1, any_number, "except ADDRESS|INTERFACE...",
       [](const Line& option, std::vector<model::Address>& out, Reading& r) -> Done {
         for (const Token& word : option.arguments) {
           const auto some = addresses_of(word, r.host);
           if (!some) return tl::unexpected(some.error());
           out.insert(out.end(), some->begin(), some->end());
         }
         return {};
       }},
  };
  if (auto done = read_options<std::vector<model::Address>>(line, options, except, reading); !done) return done;
  for (const Token& word : line.arguments) {
    const auto some = addresses_of(word, reading.host);
    if (!some) return tl::unexpected(some.error());
    for (const model::Address& address : *some)
      if (std::find(except.begin(), except.end(), address) == except.end() &&
          std::find(reading.bound.begin(), reading.bound.end(), address) == reading.bound.end())
        reading.bound.push_back(address);
  }
  if (reading.bound.empty()) return wrong(line, "bind leaves no address to listen on; name one more");
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
