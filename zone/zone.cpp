#include "zone/zone.hpp"

#include <algorithm>
#include <utility>

#include "zone/index/index.hpp"
#include "zone/schema/compile.hpp"
#include "zone/schema/long_name.hpp"
#include "zone/wire/name.hpp"

namespace signpost::zone {
namespace {

IndexSettings index_settings(const ZoneSettings& settings) {
  IndexSettings result;
  result.ttl = settings.ttl;
  result.cluster = wire::name_from_text(settings.cluster_domain).value_or(wire::WireName{});
  for (const auto& origin : settings.origins) {
    const auto name = wire::name_from_text(origin);
    if (!name) continue;
    result.origins.push_back(*name);
    if (std::find(settings.partial.begin(), settings.partial.end(), origin) != settings.partial.end())
      result.partial.push_back(*name);
  }
  for (const auto& address : settings.server_addresses) {
    const auto bytes = address.bytes();
    if (address.is_v4())
      std::copy_n(bytes.begin(), 4, result.server_v4.emplace_back().begin());
    else
      std::copy_n(bytes.begin(), 16, result.server_v6.emplace_back().begin());
  }
  return result;
}

} // namespace

struct Zone::State {
  explicit State(ZoneSettings given) : settings(std::move(given)), index(index_settings(settings)) {}

  const ZoneSettings settings;
  Index index;
  std::vector<std::uint32_t> words; // scratch of the compiler
  std::string long_name;
};

Zone::Zone(ZoneSettings settings) : state_(std::make_unique<State>(std::move(settings))), index_(&state_->index) {
  for (const Apex& apex : state_->index.apexes())
    if (!apex.has_soa) state_->long_name = "hostmaster." + wire::name_to_text(apex.home.span());
}
Zone::~Zone() = default;

void Zone::put(const model::ServiceView& service) {
  if (!compile(service, state_->words)) return;
  for (const Apex& apex : state_->index.apexes())
    if (state_->long_name.empty()) state_->long_name = find_long_name(Entry(state_->words.data()), apex.home);
  state_->index.put(state_->words);
}

void Zone::erase(const model::ServiceKey& service) {
  const auto key = service_key(service);
  if (!key.empty()) state_->index.erase(key);
}

void Zone::put_namespace(std::string_view name) {
  const auto key = label_key(name);
  if (!key.empty()) state_->index.hold_namespace(key);
}

void Zone::erase_namespace(std::string_view name) {
  const auto key = label_key(name);
  if (!key.empty()) state_->index.release_namespace(key);
}

void Zone::publish() { state_->index.publish(); }
void Zone::set_ready() { state_->index.set_ready(); }
void Zone::set_stale(bool stale) { state_->index.set_stale(stale); }

Zone::Counts Zone::counts() const {
  const Index::Counts counts = state_->index.counts();
  return {counts.services, counts.namespaces, counts.addresses, counts.octets,
          counts.blocks,   counts.taken,      counts.waiting};
}

const std::string& Zone::long_name() const { return state_->long_name; }
const ZoneSettings& Zone::settings() const { return state_->settings; }

} // namespace signpost::zone
