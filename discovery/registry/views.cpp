#include "discovery/registry/views.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>

#include "discovery/model/address_text.hpp"
#include "discovery/registry/claims.hpp"
#include "discovery/registry/state.hpp"

namespace signpost::registry {
namespace {

using model::Endpoint;
using model::EndpointsAddress;
using model::EndpointSlice;
using model::EndpointSubset;

/// A text that two of these have in common only if they are equal.
std::string identity(const std::vector<model::EndpointsPort>& ports) {
  std::string text;
  for (const model::EndpointsPort& port : ports)
    text += port.name + ' ' + std::to_string(port.port) + port.protocol + ' ' + port.app_protocol.value_or("\n") + '\0';
  return text;
}

std::string identity(const EndpointsAddress& address, bool ready) {
  std::string text =
      (ready ? "+" : "-") + address.ip + '\0' + address.hostname + '\0' + address.node_name.value_or("\n");
  if (!address.target_ref) return text;
  const auto& target = *address.target_ref;
  for (const std::string* part : {&target.kind, &target.name_space, &target.name, &target.uid, &target.api_version,
                                  &target.resource_version, &target.field_path})
    text.append(1, '\0').append(*part);
  return text;
}

/// Puts endpoints of many slices together: those that share ports in one subset, each address once.
class Subsets {
public:
  explicit Subsets(std::vector<EndpointSubset>& subsets) : subsets_(subsets) {}

  void add(const EndpointSlice& slice) {
    std::vector<model::EndpointsPort> ports;
    for (const model::EndpointPort& port : slice.ports) {
      ports.push_back(
          {port.name.value_or(""), port.port.value_or(0), port.protocol.value_or("TCP"), port.app_protocol});
    }
    const auto [place, fresh] = places_.try_emplace(identity(ports), subsets_.size());
    if (fresh) {
      subsets_.push_back({{}, {}, std::move(ports)});
      seen_.emplace_back();
    }
    for (const Endpoint& endpoint : slice.endpoints) add(place->second, endpoint);
  }

private:
  /// Endpoints have no word for one that is going: it is no longer there.
  void add(std::size_t subset, const Endpoint& endpoint) {
    const bool ready = endpoint.conditions.ready.value_or(true);
    if (!ready && endpoint.conditions.terminating.value_or(false)) return;
    auto& list = ready ? subsets_[subset].addresses : subsets_[subset].not_ready_addresses;
    for (const std::string& ip : endpoint.addresses) {
      const auto meant = model::read_address(ip);
      EndpointsAddress address{meant ? meant->to_string() : ip, endpoint.hostname.value_or(""), endpoint.node_name,
                               endpoint.target_ref};
      if (seen_[subset].insert(identity(address, ready)).second) list.push_back(std::move(address));
    }
  }

  std::vector<EndpointSubset>& subsets_;
  std::unordered_map<std::string, std::size_t> places_; // of each list of ports
  std::vector<std::unordered_set<std::string>> seen_;   // of each subset
};

Result<void> collect(std::map<std::string, SlicesOfService>& services, const std::vector<store::Entry>& entries,
                     std::string_view only) {
  for (const store::Entry& entry : entries) {
    if (!may_belong_to_service(*entry.value, only)) continue;
    auto object = decode_stored(model::Kind::endpoint_slice, entry);
    if (!object) return tl::unexpected(std::move(object.error()));
    EndpointSlice slice = std::get<EndpointSlice>(std::move(*object));
    const std::string service = service_of_slice(slice);
    if (service.empty() || (!only.empty() && service != only)) continue;
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

std::string service_of_slice(const EndpointSlice& slice) {
  const auto label = slice.metadata.labels.find(model::service_name_label);
  return label == slice.metadata.labels.end() ? std::string() : label->second;
}

bool may_belong_to_service(const std::string& text, std::string_view only) {
  std::string member = std::string("\"") + model::service_name_label + "\":\"";
  if (!only.empty()) member.append(only).append("\""); // values of labels are written as they are
  return text.find(member) != std::string::npos;
}

model::Endpoints mirror_endpoints(const model::ServiceKey& service, const SlicesOfService& slices) {
  model::Endpoints endpoints;
  endpoints.metadata.name = service.name;
  endpoints.metadata.name_space = service.name_space;
  Subsets subsets(endpoints.subsets);
  for (const auto& [name, entry] : slices) {
    const EndpointSlice& slice = entry.slice;
    std::string& birth = endpoints.metadata.creation_timestamp;
    if (birth.empty() || slice.metadata.creation_timestamp < birth) {
      birth = slice.metadata.creation_timestamp;
      endpoints.metadata.uid = slice.metadata.uid;
    }
    if (endpoints.metadata.labels.empty()) endpoints.metadata.labels = labels_of_service(slice.metadata.labels);
    if (slice.address_type == "FQDN" || slice.endpoints.empty()) continue;
    subsets.add(slice);
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

bool is_managed_address(const store::Entry& claim) {
  if (read_address_claim(*claim.value)) return true;
  const auto object = decode_stored(model::Kind::ip_address, claim);
  if (!object) return false;
  const auto& labels = model::metadata(*object).labels;
  const auto writer = labels.find(managed_address_label);
  return writer != labels.end() && writer->second == managed_address_writer;
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
