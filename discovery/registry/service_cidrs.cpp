// What happens to the ranges when a ServiceCIDR comes, changes and goes.
#include <algorithm>

#include "discovery/registry/ip_address_rules.hpp"
#include "discovery/registry/state.hpp"
#include "discovery/registry/views.hpp"

namespace signpost::registry {
namespace {

using State = Registry::State;

std::vector<model::Prefix> prefixes_of(const model::ServiceCidr& cidr) {
  std::vector<model::Prefix> prefixes;
  for (const std::string& text : cidr.spec.cidrs) {
    if (const auto prefix = model::Prefix::parse(text)) prefixes.push_back(*prefix);
  }
  return prefixes;
}

bool covered(const std::vector<model::Prefix>& prefixes, const model::Address& address) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const auto& prefix) { return prefix.contains(address); });
}

/// What the other ServiceCIDRs that stay hold.
Result<std::vector<model::Prefix>> prefixes_beside(State& state, const std::string& name) {
  const std::string prefix = object_prefix(model::Kind::service_cidr, {});
  const auto found = state.range({.begin = prefix, .end = store::prefix_end(prefix)});
  if (!found) return tl::unexpected(found.error());
  std::vector<model::Prefix> prefixes;
  for (const store::Entry& entry : found->entries) {
    const auto object = decode_stored(model::Kind::service_cidr, entry);
    if (!object) return tl::unexpected(object.error());
    const auto& other = std::get<model::ServiceCidr>(*object);
    if (other.metadata.name == name || !other.metadata.deletion_timestamp.empty()) continue;
    for (const model::Prefix& one : prefixes_of(other)) prefixes.push_back(one);
  }
  return prefixes;
}

/// Whether an address that was given from the ServiceCIDR is in no other one.
Result<bool> is_needed(State& state, const model::ServiceCidr& cidr) {
  const auto beside = prefixes_beside(state, cidr.metadata.name);
  if (!beside) return tl::unexpected(beside.error());
  const auto own = prefixes_of(cidr);
  store::RangeRequest page{
      .begin = std::string(address_claims_prefix), .end = store::prefix_end(address_claims_prefix), .limit = 1000};
  while (true) {
    const auto found = state.range(page);
    if (!found) return tl::unexpected(found.error());
    for (const store::Entry& entry : found->entries) {
      const auto address = model::Address::parse(std::string_view(entry.key).substr(address_claims_prefix.size()));
      if (!address || !covered(own, *address) || covered(*beside, *address)) continue;
      if (is_managed_address(entry)) return true; // those that clients reserved need no range
    }
    if (!found->more) return false;
    page.begin = found->entries.back().key + '\0';
    page.revision = found->revision;
  }
}

} // namespace

void Registry::State::learn_cidr(const std::string& key) {
  const std::string name = key.substr(object_prefix(model::Kind::service_cidr, {}).size());
  const auto found = read(key);
  if (!found) return; // nothing is given from what is not known; the next claim looks again
  if (!*found) {
    static_cast<void>(claims.learn(name, nullptr, store.revision()));
    return;
  }
  const auto object = decode_stored(model::Kind::service_cidr, **found);
  if (!object) return;
  const ServiceRanges fresh = claims.learn(name, &std::get<model::ServiceCidr>(*object), (*found)->modified);
  if (fresh.empty()) return;
  // The feed tells the new ranges all that comes; this is what was there before. A change that both tell is told in
  // the end by the feed.
  const auto taken =
      range({.begin = std::string(address_claims_prefix), .end = store::prefix_end(address_claims_prefix)});
  if (!taken) return;
  for (const store::Entry& entry : taken->entries) claims.told(entry.key, true);
  Claims::open(fresh);
}

void Registry::State::finish_cidr(const std::string& name) {
  const std::string key = object_key(model::Kind::service_cidr, {}, name);
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    const auto found = read(key);
    if (!found || !*found) return;
    auto object = decode_stored(model::Kind::service_cidr, **found);
    if (!object) return;
    auto& cidr = std::get<model::ServiceCidr>(*object);
    if (cidr.metadata.deletion_timestamp.empty()) return;
    // Since the mark no address is given from it: claims are made on the condition that it has not changed.
    const auto needed = is_needed(*this, cidr);
    if (!needed) return;
    if (*needed) {
      set_condition(cidr, false, "Terminating",
                    "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new "
                    "ServiceCIDR");
    } else {
      std::erase(cidr.metadata.finalizers, service_cidr_finalizer);
    }
    const bool goes = cidr.metadata.finalizers.empty();
    store::Value text = encode_stored(*object);
    if (*text == *(*found)->value) return;
    const auto result =
        store.transact_and_wait({{{key, (*found)->modified}}, {{key, goes ? nullptr : std::move(text)}}});
    if (!result) return;
    if (result->succeeded) return learn_cidr(key);
  }
}

void Registry::State::finish_cidrs() {
  for (const std::string& name : claims.terminating()) finish_cidr(name);
}

} // namespace signpost::registry
