#include "server/listen/router.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "server/listen/alias_chain.hpp"
#include "zone/wire/response.hpp"

namespace signpost::server {
namespace {

constexpr std::size_t max_labels = 127; // of a name of 255 octets

std::vector<std::uint8_t> to_wire(std::string_view name) {
  std::vector<std::uint8_t> wire;
  while (!name.empty() && name != ".") {
    const auto label = name.substr(0, name.find('.'));
    name.remove_prefix(std::min(name.size(), label.size() + 1));
    wire.push_back(static_cast<std::uint8_t>(label.size()));
    for (const char c : label) wire.push_back(static_cast<std::uint8_t>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c));
  }
  wire.push_back(0);
  return wire;
}

bool is_at_or_below(std::string_view name, std::string_view zone) {
  if (zone == "." || name == zone) return true;
  return name.size() > zone.size() && name.ends_with(zone) && name[name.size() - zone.size() - 1] == '.';
}

bool any_covers(const std::vector<std::string>& zones, std::string_view name) {
  return std::any_of(zones.begin(), zones.end(), [&](const auto& zone) { return is_at_or_below(name, zone); });
}

/// All names below the route's origins are the route's own, and it has every one of its origins here.
bool owns_its_origins(const BlockRoute& route, const std::vector<BlockRoute>& routes) {
  const auto& origins = route.zone->settings().origins;
  for (const std::string& origin : origins)
    if (!any_covers(route.zones, origin)) return false;
  for (const BlockRoute& other : routes)
    for (const std::string& zone : other.zones)
      if (&other != &route && any_covers(origins, zone)) return false;
  // A block between the root and an origin would win over the route that holds only a shorter zone.
  for (const std::string& origin : origins) {
    std::size_t longest = 0;
    for (const std::string& zone : route.zones)
      if (is_at_or_below(origin, zone)) longest = std::max(longest, zone == "." ? 0 : zone.size());
    for (const BlockRoute& other : routes)
      for (const std::string& zone : other.zones)
        if (&other != &route && is_at_or_below(origin, zone) && zone != "." && zone.size() > longest) return false;
  }
  return true;
}

} // namespace

Router::Router(std::vector<BlockRoute> routes) : routes_(std::move(routes)) {
  for (const BlockRoute& route : routes_) {
    logs_ = logs_ || route.log != nullptr;
    keeps_private_ = keeps_private_ || route.keeps_private;
    forwards_ = forwards_ || route.outside != nullptr;
    for (const std::string& zone : route.zones) {
      const auto labels = zone == "." ? 0 : std::count(zone.begin(), zone.end(), '.') + 1;
      suffixes_.push_back({to_wire(zone), static_cast<std::size_t>(labels), &route, {}});
      for (const std::string& fall : route.falls) suffixes_.back().falls.push_back(to_wire(fall));
    }
    if (route.zone != nullptr && first_ == nullptr && owns_its_origins(route, routes_)) first_ = &route;
  }
  std::stable_sort(suffixes_.begin(), suffixes_.end(),
                   [](const Suffix& a, const Suffix& b) { return a.labels > b.labels; });
}

template <class See>
void Router::each_suffix(std::span<const std::uint8_t> name, See&& see) const noexcept {
  std::array<std::size_t, max_labels + 1> offset{}; // of each label, then of the root
  std::size_t labels = 0, at = 0;
  while (at < name.size() && name[at] != 0) {
    if (labels == max_labels) return;
    offset[labels++] = at;
    at += name[at] + 1u;
  }
  if (at >= name.size()) return;
  offset[labels] = at;
  for (const Suffix& suffix : suffixes_) {
    if (suffix.labels > labels) continue;
    const auto tail = name.subspan(offset[labels - suffix.labels], at + 1 - offset[labels - suffix.labels]);
    if (tail.size() == suffix.name.size() && std::memcmp(tail.data(), suffix.name.data(), tail.size()) == 0)
      if (!see(suffix)) return;
  }
}

const BlockRoute* Router::find(std::span<const std::uint8_t> name) const noexcept {
  const BlockRoute* found = nullptr;
  each_suffix(name, [&](const Suffix& suffix) {
    found = suffix.route;
    return false;
  });
  return found;
}

Outside* Router::beyond(std::span<const std::uint8_t> name) const noexcept {
  Outside* outside = nullptr;
  bool first = true;
  each_suffix(name, [&](const Suffix& suffix) {
    const auto holds = [&](const auto& zone) { return wire::upstream::below_or_same(name, zone); };
    if (std::exchange(first, false) && std::none_of(suffix.falls.begin(), suffix.falls.end(), holds)) return false;
    if (suffix.route->outside != nullptr && suffix.route->outside->covers(name)) outside = suffix.route->outside;
    return outside == nullptr;
  });
  return outside;
}

const zone::SpecialZone* Router::special(std::span<const std::uint8_t> name) const noexcept {
  const zone::SpecialZone* const special = zone::find_special(name);
  if (special == nullptr || (special->is_private && !keeps_private_)) return nullptr;
  const auto labels = static_cast<std::size_t>(std::count(special->name.begin(), special->name.end(), '.')) + 1;
  std::size_t longest = 0; // of the blocks
  const BlockRoute* route = nullptr;
  each_suffix(name, [&](const Suffix& suffix) {
    longest = suffix.labels;
    route = suffix.route;
    return false;
  });
  if (special->is_testing && route != nullptr && route->outside != nullptr && route->stays_here) return nullptr;
  return longest < labels ? special : nullptr;
}

void Router::follow(Question question) const noexcept { follow_aliases(*this, std::move(question)); }

void Router::go_on(Question question, const AnswerView& answer, std::uint32_t age) const noexcept {
  go_on_with_aliases(*this, std::move(question), answer, age);
}

} // namespace signpost::server
