#include "discovery/registry/views.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "discovery/registry/claims.hpp"
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

/// Endpoints have no word for one that is going: it is no longer there.
void add(EndpointSubset& subset, const Endpoint& endpoint) {
  const bool ready = endpoint.conditions.ready.value_or(true);
  if (!ready && endpoint.conditions.terminating.value_or(false)) return;
  auto& list = ready ? subset.addresses : subset.not_ready_addresses;
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
  std::erase_if(endpoints.subsets, [](const EndpointSubset& subset) {
    return subset.addresses.empty() && subset.not_ready_addresses.empty();
  });
  return endpoints;
}

Stored endpoints_view(const model::ServiceKey& service, const SlicesOfService& slices) {
  store::Revision newest = 0;
  for (const auto& [name, entry] : slices) newest = std::max(newest, entry.modified);
  model::Object object = mirror_endpoints(service, slices);
  return {encode_stored(object), newest};
}

store::Value address_text(std::string_view key, const store::Value& value) {
  if (value == nullptr) return nullptr;
  const auto claim = read_address_claim(*value);
  if (!claim) return value;
  model::IpAddress address;
  address.metadata.name = key.substr(address_claims_prefix.size());
  address.metadata.uid = claim->uid;
  address.metadata.creation_timestamp = claim->created;
  address.metadata.labels = {
      {"ipaddress.kubernetes.io/ip-family", address.metadata.name.find(':') == std::string::npos ? "IPv4" : "IPv6"},
      {managed_address_label, managed_address_writer}};
  address.spec.parent_ref = model::ParentReference{"", "services", claim->owner.name_space, claim->owner.name};
  model::Object object = std::move(address);
  return encode_stored(object);
}

std::string holder_text(std::string_view key, const std::string& value) {
  if (!key.starts_with(address_claims_prefix)) return {};
  const auto text = address_text(key, std::make_shared<const std::string>(value));
  const auto object = decode_stored(model::Kind::ip_address, {std::string(key), text, 0, 0});
  if (!object) return {};
  const auto parent = std::get<model::IpAddress>(*object).spec.parent_ref.value_or(model::ParentReference());
  const std::string what = parent.resource == "services" ? "service" : parent.resource;
  return " (held by " + what + " " + (parent.name_space.empty() ? "" : parent.name_space + "/") + parent.name + ")";
}

Result<std::optional<store::Entry>> Registry::State::read_shown(model::Kind kind, const std::string& key) {
  auto found = read(key);
  if (!found) return found;
  if (*found && kind == model::Kind::ip_address) (*found)->value = address_text(key, (*found)->value);
  if (*found || kind != model::Kind::endpoints) return found;
  const auto names = parse_object_key(std::span(&kind, 1), key);
  if (!names) return found;
  const std::string prefix = object_prefix(model::Kind::endpoint_slice, names->name_space);
  const auto slices = range({.begin = prefix, .end = store::prefix_end(prefix)});
  if (!slices) return tl::unexpected(slices.error());
  std::map<std::string, SlicesOfService> services;
  if (auto done = collect(services, slices->entries, names->name); !done) {
    return tl::unexpected(std::move(done.error()));
  }
  if (services.empty()) return found;
  Stored view = endpoints_view(split(services.begin()->first), services.begin()->second);
  return store::Entry{key, std::move(view.text), 0, view.revision};
}

Result<Listing> Registry::State::list_endpoints(const ListRequest& request) {
  const std::string prefix = object_prefix(model::Kind::endpoint_slice, request.name_space);
  const auto found = range({.begin = prefix, .end = store::prefix_end(prefix), .revision = request.revision});
  if (!found) return tl::unexpected(found.error());
  std::vector<std::pair<std::string, Stored>> items;
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

} // namespace signpost::registry
