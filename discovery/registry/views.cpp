#include "discovery/registry/views.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "discovery/registry/claims.hpp"
#include "discovery/registry/field_errors.hpp"
#include "discovery/registry/state.hpp"

namespace signpost::registry {
namespace {

using model::Endpoint;
using model::EndpointsAddress;
using model::EndpointSlice;
using model::EndpointSubset;

EndpointSubset& subset_for(model::Endpoints& endpoints, const std::vector<model::EndpointPort>& ports) {
  std::vector<model::EndpointsPort> wanted;
  for (const model::EndpointPort& port : ports) {
    wanted.push_back({port.name.value_or(""), port.port.value_or(0), port.protocol.value_or("TCP"), port.app_protocol});
  }
  for (EndpointSubset& subset : endpoints.subsets) {
    if (subset.ports == wanted) return subset;
  }
  endpoints.subsets.push_back({{}, {}, std::move(wanted)});
  return endpoints.subsets.back();
}

void add(EndpointSubset& subset, const Endpoint& endpoint) {
  auto& list = endpoint.conditions.ready.value_or(true) ? subset.addresses : subset.not_ready_addresses;
  for (const std::string& ip : endpoint.addresses) {
    EndpointsAddress address{ip, endpoint.hostname.value_or(""), endpoint.node_name, endpoint.target_ref};
    if (std::find(list.begin(), list.end(), address) == list.end()) list.push_back(std::move(address));
  }
}

Result<void> collect(std::map<std::string, SlicesOfService>& services, const std::vector<store::Entry>& entries,
                     std::string_view only) {
  for (const store::Entry& entry : entries) {
    const std::string service = service_of_slice(*entry.value);
    if (service.empty() || (!only.empty() && service != only)) continue;
    auto object = decode_stored(model::Kind::endpoint_slice, entry);
    if (!object) return tl::unexpected(std::move(object.error()));
    EndpointSlice slice = std::get<EndpointSlice>(std::move(*object));
    std::string key = slice.metadata.name_space + "/" + service;
    std::string name = slice.metadata.name;
    services[std::move(key)].emplace(std::move(name), SliceOfService{std::move(slice), entry.modified});
  }
  return {};
}

model::ServiceKey split(const std::string& key) {
  const std::size_t slash = key.find('/');
  return {key.substr(0, slash), key.substr(slash + 1)};
}

/// One page of a computed list, whose items are ordered by `names`.
Listing page(std::vector<std::pair<std::string, Stored>> items, const ListRequest& request, store::Revision revision) {
  Listing listing;
  listing.revision = revision;
  for (auto& [name, stored] : items) {
    if (name < request.from || (request.chosen && !request.chosen(stored))) continue;
    if (request.limit != 0 && listing.items.size() == request.limit) {
      if (listing.next.empty()) listing.next = name;
      if (!request.chosen) ++listing.remaining;
      continue;
    }
    listing.items.push_back(std::move(stored));
  }
  return listing;
}

/// The slices of the endpoints controller carry the labels of their service, and some that say what the slice is.
std::map<std::string, std::string> labels_of_service(std::map<std::string, std::string> labels) {
  const auto writer = labels.find("endpointslice.kubernetes.io/managed-by");
  if (writer == labels.end() || writer->second != "endpointslice-controller.k8s.io") return {};
  labels.erase(writer);
  labels.erase(model::service_name_label);
  return labels;
}

} // namespace

std::string service_of_slice(const std::string& text) {
  static const std::string label = std::string("\"") + model::service_name_label + "\":\"";
  const std::size_t at = text.find(label);
  if (at == std::string::npos) return {};
  const std::size_t from = at + label.size();
  return text.substr(from, text.find('"', from) - from);
}

model::Endpoints mirror_endpoints(const model::ServiceKey& service, const SlicesOfService& slices) {
  model::Endpoints endpoints;
  endpoints.metadata.name = service.name;
  endpoints.metadata.name_space = service.name_space;
  for (const auto& [name, entry] : slices) {
    const EndpointSlice& slice = entry.slice;
    std::string& birth = endpoints.metadata.creation_timestamp;
    if (birth.empty() || slice.metadata.creation_timestamp < birth) {
      birth = slice.metadata.creation_timestamp;
      endpoints.metadata.uid = slice.metadata.uid;
    }
    if (endpoints.metadata.labels.empty()) endpoints.metadata.labels = labels_of_service(slice.metadata.labels);
    if (slice.address_type == "FQDN" || slice.endpoints.empty()) continue;
    EndpointSubset& subset = subset_for(endpoints, slice.ports);
    for (const Endpoint& endpoint : slice.endpoints) add(subset, endpoint);
  }
  return endpoints;
}

Stored endpoints_view(const model::ServiceKey& service, const SlicesOfService& slices) {
  store::Revision newest = 0;
  for (const auto& [name, entry] : slices) newest = std::max(newest, entry.modified);
  model::Object object = mirror_endpoints(service, slices);
  return {encode_stored(object), newest};
}

std::optional<store::Value> address_view(std::string_view key, const std::string& value) {
  if (key.substr(0, address_claims_prefix.size()) != address_claims_prefix) return std::nullopt;
  const auto claim = read_address_claim(value);
  if (!claim) return std::nullopt;
  model::IpAddress address;
  address.metadata.name = key.substr(address_claims_prefix.size());
  address.metadata.uid = claim->uid;
  address.metadata.creation_timestamp = claim->created;
  address.metadata.labels = {
      {"ipaddress.kubernetes.io/ip-family", address.metadata.name.find(':') == std::string::npos ? "IPv4" : "IPv6"},
      {"ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io"}};
  address.spec.parent_ref = {"", "services", claim->owner.name_space, claim->owner.name};
  model::Object object = std::move(address);
  return encode_stored(object);
}

Result<Stored> Registry::State::get_view(model::Kind kind, std::string_view name_space, std::string_view name) {
  if (kind == model::Kind::ip_address) {
    const auto found = read(std::string(address_claims_prefix).append(name));
    if (!found) return tl::unexpected(found.error());
    const auto view = *found ? address_view((*found)->key, *(*found)->value) : std::nullopt;
    if (!view) return tl::unexpected(not_found(model::info(kind), name));
    return Stored{*view, (*found)->modified};
  }
  const auto stored = read(object_key(kind, name_space, name));
  if (!stored) return tl::unexpected(stored.error());
  if (*stored) return Stored{(*stored)->value, (*stored)->modified};
  const std::string prefix = object_prefix(model::Kind::endpoint_slice, name_space);
  const auto found = range({.begin = prefix, .end = store::prefix_end(prefix)});
  if (!found) return tl::unexpected(found.error());
  std::map<std::string, SlicesOfService> services;
  if (auto done = collect(services, found->entries, name); !done) return tl::unexpected(std::move(done.error()));
  if (services.empty()) return tl::unexpected(not_found(model::info(kind), name));
  return endpoints_view(split(services.begin()->first), services.begin()->second);
}

Result<Listing> Registry::State::list_view(const ListRequest& request) {
  const std::string prefix = request.kind == model::Kind::ip_address
                                 ? std::string(address_claims_prefix)
                                 : object_prefix(model::Kind::endpoint_slice, request.name_space);
  const auto found = range({.begin = prefix, .end = store::prefix_end(prefix), .revision = request.revision});
  if (!found) return tl::unexpected(found.error());
  std::vector<std::pair<std::string, Stored>> items;
  if (request.kind == model::Kind::ip_address) {
    for (const store::Entry& entry : found->entries) {
      if (auto view = address_view(entry.key, *entry.value)) {
        items.emplace_back(entry.key, Stored{std::move(*view), entry.modified});
      }
    }
    return page(std::move(items), request, found->revision);
  }
  std::map<std::string, SlicesOfService> services;
  if (auto done = collect(services, found->entries, {}); !done) return tl::unexpected(std::move(done.error()));
  // What somebody wrote stands before what is computed.
  const std::string written = object_prefix(request.kind, {});
  const std::string from = object_prefix(request.kind, request.name_space);
  const auto stored = range({.begin = from, .end = store::prefix_end(from), .revision = found->revision});
  if (!stored) return tl::unexpected(stored.error());
  for (const store::Entry& entry : stored->entries) {
    const std::string key = entry.key.substr(written.size());
    services.erase(key);
    items.emplace_back(key, Stored{entry.value, entry.modified});
  }
  for (const auto& [key, slices] : services) items.emplace_back(key, endpoints_view(split(key), slices));
  std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return page(std::move(items), request, found->revision);
}

Result<std::optional<store::Entry>> Registry::State::read_shown(model::Kind kind, const std::string& key) {
  auto found = read(key);
  if (!found || *found || kind != model::Kind::endpoints) return found;
  const auto names = parse_object_key(std::span(&kind, 1), key);
  if (!names) return found;
  const auto view = get_view(kind, names->name_space, names->name);
  if (!view) return view.error().code == 404 ? std::move(found) : tl::unexpected(view.error());
  return store::Entry{key, view->text, 0, view->revision};
}

std::optional<Status> check_service_cidr_update(Registry::State& state, const std::string& name,
                                                const Mutation& mutation) {
  const model::KindInfo& kind = model::info(model::Kind::service_cidr);
  const auto found = state.read(object_key(kind.kind, {}, name));
  if (!found) return found.error();
  if (!*found) return not_found(kind, name);
  auto current = decode_stored(kind.kind, **found);
  if (!current) return current.error();
  const auto wanted = mutation(*current, Stored{(*found)->value, (*found)->modified});
  if (!wanted) return wanted.error();
  const auto& now = std::get<model::ServiceCidr>(*wanted).spec.cidrs;
  const auto& before = std::get<model::ServiceCidr>(*current).spec.cidrs;
  FieldErrors errors;
  for (std::size_t i = 0; i < std::max(now.size(), before.size()); ++i) {
    if (i < now.size() && i < before.size() && now[i] == before[i]) continue;
    errors.invalid_text(item("spec.cidrs", i), i < now.size() ? now[i] : "", "field is immutable");
  }
  if (errors.empty()) return std::nullopt;
  return invalid(kind, name, errors.take());
}

} // namespace signpost::registry
