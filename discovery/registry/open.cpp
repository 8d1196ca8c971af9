#include <algorithm>

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
  cidr.metadata.finalizers = {"networking.k8s.io/service-cidr-finalizer"};
  model::Condition ready;
  ready.type = "Ready";
  ready.status = "True";
  ready.last_transition_time = cidr.metadata.creation_timestamp;
  ready.message = "Kubernetes Service CIDR is ready";
  cidr.status.conditions.push_back(std::move(ready));
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

/// default/kubernetes stands on the first address of the primary prefix; after a change of prefixes it moves.
Done ensure_kubernetes(State& state) {
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

/// Addresses in use that no prefix covers, as one sentence; empty: none.
std::string strays(State& state, const std::vector<store::Entry>& entries) {
  std::string named;
  std::size_t count = 0;
  for (const store::Entry& entry : entries) {
    const auto address = model::Address::parse(std::string_view(entry.key).substr(address_claims_prefix.size()));
    const auto claim = read_address_claim(*entry.value);
    if (!address || !claim) continue;
    vip::Allocator* allocator = state.claims.addresses(address->family());
    if (allocator != nullptr && allocator->range().index_of(*address)) continue;
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
  if (std::string problem = strays(state, addresses->entries); !problem.empty()) {
    return tl::unexpected(std::move(problem));
  }
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
                                   for (const store::Change& change : batch->changes) {
                                     state.claims.told(change.entry.key, change.entry.value != nullptr);
                                   }
                                   state.claims.told_up_to(batch->revision);
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
      .and_then([&] { return ensure_kubernetes(*this); })
      .and_then([&] { return follow_namespaces(*this); })
      .and_then([&] { return follow_claims(*this); })
      .and_then([&] { return keep_events_few(*this); });
}

} // namespace signpost::registry
