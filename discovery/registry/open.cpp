#include <algorithm>

#include "discovery/registry/ip_address_rules.hpp"
#include "discovery/registry/life_cycle.hpp"
#include "discovery/registry/namespace_rules.hpp"
#include "discovery/registry/service_rules.hpp"
#include "discovery/registry/state.hpp"
#include "discovery/registry/transaction.hpp"

namespace signpost::registry {
namespace {

using State = Registry::State;
using Done = tl::expected<void, std::string>;

constexpr std::string_view kubernetes = "kubernetes";
constexpr std::size_t most_named = 5; // owners of stray addresses in the error

Done commit(State& state, store::Transaction transaction) {
  const auto result = state.store.transact_and_wait(std::move(transaction));
  if (!result) return tl::unexpected(result.error().message);
  if (!result->succeeded) {
    return tl::unexpected(std::string("the store was changed while it was being opened; start again"));
  }
  return {};
}

void give_birth(model::ObjectMeta& metadata) {
  metadata.uid = new_uid();
  metadata.creation_timestamp = now_text();
}

Done ensure_namespace(State& state, std::string_view name) {
  const std::string key = object_key(model::Kind::name_space, {}, name);
  const auto found = state.read(key);
  if (!found) return tl::unexpected(found.error().message);
  if (*found) return {};
  model::Namespace name_space;
  name_space.metadata.name = name;
  give_birth(name_space.metadata);
  set_defaults(name_space);
  prepare_create(name_space);
  model::Object object = std::move(name_space);
  return commit(state, {{{key, 0}}, {{key, encode_stored(object)}}});
}

Done ensure_service_cidr(State& state) {
  const std::string key = object_key(model::Kind::service_cidr, {}, kubernetes);
  model::ServiceCidr cidr;
  for (const model::Prefix& prefix : state.settings.vips) cidr.spec.cidrs.push_back(prefix.to_string());
  const auto found = state.read(key);
  if (!found) return tl::unexpected(found.error().message);
  if (*found) {
    const auto stored = decode_stored(model::Kind::service_cidr, **found);
    if (stored && std::get<model::ServiceCidr>(*stored).spec == cidr.spec) return {};
  }
  cidr.metadata.name = kubernetes;
  give_birth(cidr.metadata);
  prepare_create(cidr);
  model::Object object = std::move(cidr);
  return commit(state, {{{key, *found ? (*found)->modified : 0}}, {{key, encode_stored(object)}}});
}

model::Service kubernetes_service(const State& state) {
  model::Service service;
  service.metadata.name = kubernetes;
  service.metadata.name_space = "default";
  give_birth(service.metadata);
  service.metadata.labels = {{"component", "apiserver"}, {"provider", "kubernetes"}};
  model::ServicePort port;
  port.name = "https";
  port.port = 443;
  port.target_port = model::IntOrString{6443};
  service.spec.ports.push_back(std::move(port));
  const model::Address address = state.claims.first();
  service.spec.cluster_ip = address.to_string();
  service.spec.cluster_ips = {service.spec.cluster_ip};
  service.spec.ip_families = {std::string(to_string(address.family()))};
  service.spec.ip_family_policy = "SingleStack";
  set_defaults(service);
  return service;
}

} // namespace

Done Registry::State::ensure_kubernetes() {
  State& state = *this;
  const std::string key = object_key(model::Kind::service, "default", kubernetes);
  const std::string claim = address_claim_key(state.claims.first());
  store::Transaction transaction;
  const auto found = state.read(key);
  if (!found) return tl::unexpected(found.error().message);
  if (*found) {
    const auto object = decode_stored(model::Kind::service, **found);
    if (!object) return tl::unexpected(object.error().message);
    std::vector<std::string> keys;
    append_claims(std::get<model::Service>(*object), keys);
    if (std::find(keys.begin(), keys.end(), claim) != keys.end()) return {};
    for (const std::string& old : keys) transaction.writes.push_back({old, nullptr});
  }
  const auto owner = state.read(claim);
  if (!owner) return tl::unexpected(owner.error().message);
  if (*owner) {
    return tl::unexpected("the first address of the prefix, " + state.claims.first().to_string() + ", is in use (" +
                          *(*owner)->value + "), but service default/kubernetes needs it");
  }
  model::Object object = kubernetes_service(state);
  transaction.compares = {{key, *found ? (*found)->modified : 0}, {claim, 0}};
  transaction.writes.push_back({key, encode_stored(object)});
  transaction.writes.push_back({claim, address_claim("default", kubernetes)});
  return commit(state, std::move(transaction));
}

namespace {

/// What addresses may be in: the configured prefixes, and those of the ServiceCIDRs that clients made.
tl::expected<std::vector<model::Prefix>, std::string> known_prefixes(State& state) {
  std::vector<model::Prefix> prefixes = state.settings.vips;
  const std::string prefix = object_prefix(model::Kind::service_cidr, {});
  const auto found = state.range({.begin = prefix, .end = store::prefix_end(prefix)});
  if (!found) return tl::unexpected(found.error().message);
  for (const store::Entry& entry : found->entries) {
    const auto object = decode_stored(model::Kind::service_cidr, entry);
    if (!object) return tl::unexpected(object.error().message);
    const auto& cidr = std::get<model::ServiceCidr>(*object);
    if (cidr.metadata.name == kubernetes) continue; // the configured ones, as they were
    for (const std::string& text : cidr.spec.cidrs) {
      if (const auto one = model::Prefix::parse(text)) prefixes.push_back(*one);
    }
  }
  return prefixes;
}

/// Addresses in use that no prefix covers, as one sentence; empty: none.
std::string strays(State& state, const std::vector<store::Entry>& entries, const std::vector<model::Prefix>& known) {
  std::string named;
  std::size_t count = 0;
  for (const store::Entry& entry : entries) {
    const auto address = model::Address::parse(std::string_view(entry.key).substr(address_claims_prefix.size()));
    const auto claim = read_address_claim(*entry.value);
    if (!address || !claim) continue;
    const auto covers = [&](const model::Prefix& prefix) {
      const auto range = vip::Range::make(prefix, 1);
      return range && range->index_of(*address);
    };
    if (std::any_of(known.begin(), known.end(), covers)) continue;
    if (claim->owner == model::ServiceKey{"default", std::string(kubernetes)}) continue; // it moves
    if (++count > most_named) continue;
    named +=
        (named.empty() ? "" : ", ") + address->to_string() + " of " + claim->owner.name_space + "/" + claim->owner.name;
  }
  if (count == 0) return {};
  if (count > most_named) named += " and " + std::to_string(count - most_named) + " more";
  std::string prefixes;
  for (const model::Prefix& prefix : state.settings.vips) {
    prefixes += (prefixes.empty() ? "" : " ") + prefix.to_string();
  }
  return "addresses outside of " + prefixes + " are in use: " + named +
         "; delete these services or give the prefixes they were made with";
}

Done check_prefixes(State& state) {
  const auto addresses =
      state.range({.begin = std::string(address_claims_prefix), .end = store::prefix_end(address_claims_prefix)});
  if (!addresses) return tl::unexpected(addresses.error().message);
  const auto known = known_prefixes(state);
  if (!known) return tl::unexpected(known.error());
  if (std::string problem = strays(state, addresses->entries, *known); !problem.empty()) {
    return tl::unexpected(std::move(problem));
  }
  return {};
}

/// Before the claims: these are then told to ranges that are there.
Done follow_cidrs(State& state) {
  const std::string prefix = object_prefix(model::Kind::service_cidr, {});
  const store::RangeRequest all{.begin = prefix, .end = store::prefix_end(prefix)};
  const auto found = state.range(all);
  if (!found) return tl::unexpected(found.error().message);
  for (const store::Entry& entry : found->entries) {
    const auto object = decode_stored(model::Kind::service_cidr, entry);
    if (!object) return tl::unexpected(object.error().message);
    const auto& cidr = std::get<model::ServiceCidr>(*object);
    Claims::open(state.claims.learn(cidr.metadata.name, &cidr, entry.modified));
  }
  auto watch = state.store.watch({all.begin, all.end, found->revision},
                                 [&state](const std::shared_ptr<const store::Batch>& batch) {
                                   if (!batch) return;
                                   for (const store::Change& change : batch->changes) {
                                     state.worker.post([shared = state.shared_from_this(), key = change.entry.key] {
                                       shared->learn_cidr(key);
                                       shared->finish_cidrs();
                                     });
                                   }
                                 });
  if (!watch) return tl::unexpected(watch.error().message);
  state.cidr_watch = std::move(*watch);
  // A deletion that a crash interrupted goes on.
  state.worker.post([shared = state.shared_from_this()] { shared->finish_cidrs(); });
  return {};
}

Done follow_claims(State& state) {
  const store::RangeRequest all{.begin = std::string(claims_prefix), .end = store::prefix_end(claims_prefix)};
  const auto found = state.range(all);
  if (!found) return tl::unexpected(found.error().message);
  for (const store::Entry& entry : found->entries) state.claims.told(entry.key, true);
  auto watch = state.store.watch({all.begin, all.end, found->revision},
                                 [&state](const std::shared_ptr<const store::Batch>& batch) {
                                   if (!batch) return;
                                   bool released = false;
                                   for (const store::Change& change : batch->changes) {
                                     released = released || change.entry.value == nullptr;
                                     state.claims.told(change.entry.key, change.entry.value != nullptr);
                                   }
                                   state.claims.told_up_to(batch->revision);
                                   if (!released || state.claims.terminating().empty()) return;
                                   state.worker.post([shared = state.shared_from_this()] { shared->finish_cidrs(); });
                                 });
  if (!watch) return tl::unexpected(watch.error().message);
  state.claim_watch = std::move(*watch);
  return {};
}

Done follow_namespaces(State& state) {
  const std::string prefix = object_prefix(model::Kind::name_space, {});
  const store::RangeRequest all{.begin = prefix, .end = store::prefix_end(prefix)};
  const auto found = state.range(all);
  if (!found) return tl::unexpected(found.error().message);
  for (const store::Entry& entry : found->entries) {
    const std::string name = entry.key.substr(prefix.size());
    state.learn_namespace(name, &entry);
    const auto known = state.namespaces.find(name);
    // A deletion that a crash interrupted goes on.
    if (known && known->terminating) {
      state.worker.post([shared = state.shared_from_this(), name] { shared->finish_namespace(name, {}); });
    }
  }
  auto watch = state.store.watch({all.begin, all.end, found->revision},
                                 [&state, prefix](const std::shared_ptr<const store::Batch>& batch) {
                                   if (!batch) return;
                                   for (const store::Change& change : batch->changes) {
                                     state.learn_namespace(change.entry.key.substr(prefix.size()), &change.entry);
                                   }
                                 });
  if (!watch) return tl::unexpected(watch.error().message);
  state.namespace_watch = std::move(*watch);
  return {};
}

Done keep_events_few(State& state) {
  state.events = std::make_unique<EventRetention>(state.store, EventRetention::Limits{});
  if (auto started = state.events->start(); !started) return tl::unexpected(started.error().message);
  state.worker.every(std::chrono::minutes(1),
                     [events = state.events.get()] { events->sweep(EventRetention::Clock::now()); });
  return {};
}

} // namespace

tl::expected<void, std::string> Registry::State::open() {
  if (settings.read_only) return {};
  return claims.check()
      .and_then([&] { return check_prefixes(*this); })
      .and_then([&] { return ensure_namespace(*this, permanent_namespaces[0]); })
      .and_then([&] { return ensure_namespace(*this, permanent_namespaces[1]); })
      .and_then([&] { return ensure_service_cidr(*this); })
      .and_then([&] { return ensure_kubernetes(); })
      .and_then([&] { return follow_namespaces(*this); })
      .and_then([&] { return follow_cidrs(*this); })
      .and_then([&] { return follow_claims(*this); })
      .and_then([&] { return keep_events_few(*this); });
}

} // namespace signpost::registry
