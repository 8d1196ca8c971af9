#include "server/config/settings.hpp"

#include <algorithm>
#include <charconv>

namespace signpost::server {

std::string Endpoint::to_string() const {
  const std::string text = ScopedAddress(address, zone).to_string();
  return (address.is_v4() ? text : "[" + text + "]") + ":" + std::to_string(port);
}

bool ForwardSettings::stays_here() const {
  return !upstreams.empty() && files.empty() &&
         std::all_of(upstreams.begin(), upstreams.end(), [](const Endpoint& e) { return e.address.is_loopback(); });
}

std::optional<Endpoint> Endpoint::parse(std::string_view text, std::optional<std::uint16_t> default_port) {
  std::string_view host = text;
  std::optional<std::string_view> port;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    host = text.substr(1, close - 1);
    if (host.find(':') == std::string_view::npos) return std::nullopt;
    const auto rest = text.substr(close + 1);
    if (!rest.empty()) {
      if (rest[0] != ':') return std::nullopt;
      port = rest.substr(1);
    }
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos && colon == text.rfind(':')) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }

  auto scoped = ScopedAddress::parse(host);
  if (!scoped) return std::nullopt;
  if (!port) {
    if (!default_port) return std::nullopt;
    return Endpoint{scoped->address, *default_port, std::move(scoped->zone)};
  }
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port->data(), port->data() + port->size(), number);
  if (error != std::errc{} || end != port->data() + port->size() || number == 0) return std::nullopt;
  return Endpoint{scoped->address, number, std::move(scoped->zone)};
}

std::vector<std::string> ServerBlock::zones_on(const Endpoint& endpoint) const {
  if (keys.empty()) return zones;
  std::vector<std::string> here;
  for (const ZonePort& key : keys)
    if (key.port == endpoint.port) here.push_back(key.zone);
  return here;
}

namespace {

bool is_at_or_below(std::string_view name, std::string_view zone) {
  if (zone == "." || name == zone) return true;
  return name.size() > zone.size() && name.ends_with(zone) && name[name.size() - zone.size() - 1] == '.';
}

} // namespace

std::vector<std::string> ServerBlock::falls_through() const {
  return fallthrough.value_or(std::vector<std::string>{"in-addr.arpa", "ip6.arpa"});
}

bool ServerBlock::is_partial(std::string_view zone) const {
  const auto falls = falls_through();
  return std::any_of(falls.begin(), falls.end(),
                     [&](const auto& fall) { return is_at_or_below(zone, fall) || is_at_or_below(fall, zone); });
}

std::vector<Endpoint> ServerBlock::listen_on(const Host& host) const {
  if (bindings.empty()) return listen;
  std::vector<Endpoint> all;
  for (const Binding& binding : bindings) {
    const auto addresses = addresses_on(binding, host);
    for (const std::uint16_t port : binding.ports)
      for (const ScopedAddress& one : addresses)
        if (const Endpoint endpoint{one.address, port, one.zone};
            std::find(all.begin(), all.end(), endpoint) == all.end())
          all.push_back(endpoint);
  }
  return all;
}

bool ServerBlock::follows() const {
  return std::any_of(bindings.begin(), bindings.end(), [](const Binding& binding) { return binding.follows(); });
}

} // namespace signpost::server
