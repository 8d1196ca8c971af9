#include "server/forward/route_table.hpp"

#include <algorithm>

#include "zone/wire/octets.hpp"

namespace signpost::server {

namespace {

tl::expected<wire::WireName, std::string> parse(const std::string& text) {
  if (const auto name = wire::name_from_text(text)) return *name;
  return tl::unexpected("forward: \"" + text + "\" is not a domain name");
}

} // namespace

bool LabelledName::within(const wire::WireName& zone) const noexcept {
  if (zone.labels == 0) return true;
  if (labels < zone.labels) return false;
  const std::size_t offset = labels == zone.labels ? 0 : label_offset[labels - zone.labels];
  return octets.size() - offset == zone.length &&
         wire::same_octets(octets.data() + offset, zone.octets.data(), zone.length);
}

tl::expected<void, std::string> RouteTable::add(std::uint16_t index, const std::vector<std::string>& zones,
                                                const ForwardSettings& settings) {
  const auto from = parse(settings.from);
  if (!from) return tl::unexpected(from.error());
  bool any = false;
  for (const std::string& text : zones) {
    const auto zone = parse(text);
    if (!zone) return tl::unexpected(zone.error());
    const bool narrower = LabelledName(*from).within(*zone);
    if (!narrower && !LabelledName(*zone).within(*from)) continue;
    entries_.push_back({narrower ? *from : *zone, index});
    any = true;
  }
  if (!any) return tl::unexpected("forward: no zone of the block is above or below \"" + settings.from + "\"");
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& a, const Entry& b) { return a.zone.labels > b.zone.labels; });
  if (excepts_.size() <= index) excepts_.resize(index + 1u);
  for (const std::string& text : settings.except) {
    const auto name = parse(text);
    if (!name) return tl::unexpected(name.error());
    excepts_[index].push_back(*name);
  }
  return {};
}

tl::expected<void, std::string> RouteTable::keep(const std::string& zone) {
  const auto name = parse(zone);
  if (!name) return tl::unexpected(name.error());
  kept_.push_back(*name);
  return {};
}

std::optional<std::uint16_t> RouteTable::find(const LabelledName& name) const noexcept {
  for (const Entry& entry : entries_) {
    if (!name.within(entry.zone)) continue;
    const auto& excepts = excepts_[entry.route];
    if (std::none_of(excepts.begin(), excepts.end(), [&](const wire::WireName& e) { return name.within(e); }))
      return entry.route;
  }
  return std::nullopt;
}

bool RouteTable::kept(const LabelledName& name) const noexcept {
  return std::any_of(kept_.begin(), kept_.end(), [&](const wire::WireName& zone) { return name.within(zone); });
}

} // namespace signpost::server
