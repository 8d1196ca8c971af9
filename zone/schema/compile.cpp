#include "zone/schema/compile.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "zone/index/entry.hpp"
#include "zone/wire/name.hpp"

namespace signpost::zone {
namespace {

using Words = std::vector<std::uint32_t>;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return result;
}

bool is_label(std::string_view text, std::size_t longest = wire::max_label) {
  return !text.empty() && text.size() <= longest &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f && c != '.'; });
}

bool is_address_literal(const std::string& text) {
  in6_addr any;
  return inet_pton(AF_INET, text.c_str(), &any) == 1 || inet_pton(AF_INET6, text.c_str(), &any) == 1;
}

void append_octets(Words& words, const void* octets, std::size_t length) {
  const std::size_t at = words.size();
  words.resize(at + words_of(length), 0);
  if (length > 0) std::memcpy(&words[at], octets, length);
}

void start(Words& words, const std::vector<std::uint8_t>& key, Kind kind) {
  words.assign(Entry::header_words, 0);
  words[1] = static_cast<std::uint32_t>(key.size()) << 24;
  words[2] = static_cast<std::uint32_t>(kind) << 24;
  append_octets(words, key.data(), key.size());
}

/// Addresses of one kind of owner, sorted as the entry has them.
struct AddressSet {
  std::vector<model::Address> sorted; // v4 before v6

  void add(const model::Address& address) { sorted.push_back(address); }
  void finish() {
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  }
  [[nodiscard]] std::size_t v4_count() const {
    return static_cast<std::size_t>(
        std::partition_point(sorted.begin(), sorted.end(), [](const auto& address) { return address.is_v4(); }) -
        sorted.begin());
  }
  [[nodiscard]] std::uint32_t index(const model::Address& address) const {
    return static_cast<std::uint32_t>(std::lower_bound(sorted.begin(), sorted.end(), address) - sorted.begin());
  }
  void append_to(Words& words) const {
    for (const auto& address : sorted) append_octets(words, address.bytes().data(), address.bytes().size());
  }
};

/// A ready endpoint's address with its name; empty: named by the address.
struct Named {
  std::string hostname;
  model::Address address;
  std::size_t group;
};

struct ReadyEndpoints {
  std::vector<Named> all;
  AddressSet addresses;
  std::vector<std::size_t> groups; // those that have any
};

ReadyEndpoints ready_endpoints(const model::ServiceView& service) {
  ReadyEndpoints ready;
  for (std::size_t group = 0; group < service.groups.size(); ++group) {
    const std::size_t before = ready.all.size();
    for (const auto& endpoint : service.groups[group].endpoints) {
      if (!endpoint.ready && !service.publish_not_ready) continue;
      const std::string hostname = is_label(endpoint.hostname) ? lower(endpoint.hostname) : std::string();
      for (const auto& address : endpoint.addresses) {
        ready.all.push_back({hostname, address, group});
        ready.addresses.add(address);
      }
    }
    if (ready.all.size() > before) ready.groups.push_back(group);
  }
  ready.addresses.finish();
  return ready;
}

/// The pairs of hostname and address, and where targets of both sorts are.
class EndpointNames {
public:
  /// `ready` outlives this.
  explicit EndpointNames(const ReadyEndpoints& ready) : ready_(ready) {
    for (const auto& endpoint : ready.all)
      if (!endpoint.hostname.empty()) pairs_.push_back({endpoint.hostname, ready.addresses.index(endpoint.address)});
    if (pairs_.empty()) return;
    derived_.resize((ready.addresses.sorted.size() + 31) / 32);
    for (const auto& endpoint : ready.all) {
      if (!endpoint.hostname.empty()) continue;
      const std::uint32_t address = ready.addresses.index(endpoint.address);
      derived_[address / 32] |= 1u << (address % 32);
    }
    std::sort(pairs_.begin(), pairs_.end());
    pairs_.erase(std::unique(pairs_.begin(), pairs_.end()), pairs_.end());
  }

  [[nodiscard]] std::uint32_t target(const Named& endpoint) const {
    if (endpoint.hostname.empty()) return ready_.addresses.index(endpoint.address);
    const auto first = std::lower_bound(pairs_.begin(), pairs_.end(), Pair{endpoint.hostname, 0});
    return Endpoints::hostname_target | static_cast<std::uint32_t>(first - pairs_.begin());
  }

  void append_to(Words& words) const {
    words.push_back(static_cast<std::uint32_t>(pairs_.size()));
    if (pairs_.empty()) return;
    std::vector<std::uint8_t> labels;
    Words offsets;
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      const std::string_view name = pairs_[i].name;
      if (i > 0 && name == pairs_[i - 1].name) {
        offsets.push_back(offsets.back());
        continue;
      }
      offsets.push_back(static_cast<std::uint32_t>(labels.size()));
      labels.push_back(static_cast<std::uint8_t>(name.size()));
      labels.insert(labels.end(), name.begin(), name.end());
    }
    words.push_back(static_cast<std::uint32_t>(words_of(labels.size())));
    words.insert(words.end(), derived_.begin(), derived_.end());
    Words by_address(pairs_.size());
    for (std::uint32_t i = 0; i < pairs_.size(); ++i) {
      words.push_back(pairs_[i].address);
      words.push_back(offsets[i]);
      by_address[i] = i;
    }
    std::stable_sort(by_address.begin(), by_address.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return pairs_[a].address < pairs_[b].address; });
    words.insert(words.end(), by_address.begin(), by_address.end());
    append_octets(words, labels.data(), labels.size());
  }

private:
  struct Pair {
    std::string_view name;
    std::uint32_t address;
    bool operator==(const Pair&) const = default;
    /// Shorter names first, as Endpoints::find_name() expects them.
    bool operator<(const Pair& other) const {
      return std::tuple(name.size(), name, address) < std::tuple(other.name.size(), other.name, other.address);
    }
  };

  const ReadyEndpoints& ready_;
  Words derived_;           // empty: all are
  std::vector<Pair> pairs_; // names in ready_
};

/// A port with the targets that have it; nullopt: all.
struct PortTargets {
  std::string name;
  model::Protocol protocol;
  std::uint16_t number;
  std::optional<std::set<std::uint32_t>> targets;
  bool bare = false;
};

/// Marks what is answered at the service's own name: every number once, with every target that has it.
void choose_bare(std::vector<PortTargets>& ports) {
  std::map<std::uint16_t, std::vector<std::size_t>> by_number;
  for (std::size_t i = 0; i < ports.size(); ++i) by_number[ports[i].number].push_back(i);
  for (const auto& [number, same] : by_number) {
    const auto whole = std::find_if(same.begin(), same.end(), [&](std::size_t i) { return !ports[i].targets; });
    if (whole != same.end()) {
      ports[*whole].bare = true;
    } else if (same.size() == 1) {
      ports[same.front()].bare = true;
    } else {
      PortTargets merged{"", ports[same.front()].protocol, number, std::set<std::uint32_t>(), true};
      for (const std::size_t i : same) merged.targets->insert(ports[i].targets->begin(), ports[i].targets->end());
      ports.push_back(std::move(merged));
    }
  }
}

void append_ports(Words& words, const std::vector<PortTargets>& ports) {
  const std::size_t count = std::min<std::size_t>(ports.size(), 0xffff);
  words[3] |= static_cast<std::uint32_t>(count);
  for (std::size_t i = 0; i < count; ++i) {
    const PortTargets& port = ports[i];
    unsigned flags = static_cast<unsigned>(port.protocol);
    if (port.bare) flags |= Port::bare;
    if (port.targets) flags |= Port::listed;
    if (port.name.empty()) flags |= Port::unnamed;
    words.push_back(std::uint32_t{port.number} << 16 | flags << 8 | static_cast<std::uint32_t>(port.name.size()));
    append_octets(words, port.name.data(), port.name.size());
    if (!port.targets) continue;
    words.push_back(static_cast<std::uint32_t>(port.targets->size()));
    words.insert(words.end(), port.targets->begin(), port.targets->end());
  }
}

using PortKey = std::tuple<std::string, model::Protocol, std::uint16_t>;

PortKey key_of(const model::PortView& port) {
  // An underscore goes before the name on the wire.
  return {is_label(port.name, wire::max_label - 1) ? lower(port.name) : std::string(), port.protocol, port.number};
}

std::vector<PortTargets> service_ports(const std::vector<model::PortView>& views) {
  std::vector<PortTargets> ports;
  std::set<PortKey> seen;
  for (const auto& view : views) {
    const PortKey key = key_of(view);
    if (!seen.insert(key).second) continue;
    ports.push_back({std::get<0>(key), view.protocol, view.number, std::nullopt, false});
  }
  choose_bare(ports);
  return ports;
}

std::vector<PortTargets> endpoint_ports(const model::ServiceView& service, const ReadyEndpoints& ready,
                                        const EndpointNames& names) {
  std::map<PortKey, std::set<std::size_t>> groups_of;
  for (const std::size_t group : ready.groups) {
    for (const auto& port : service.groups[group].ports) groups_of[key_of(port)].insert(group);
  }
  std::vector<PortTargets> ports;
  for (const auto& [key, groups] : groups_of) {
    PortTargets port{std::get<0>(key), std::get<1>(key), std::get<2>(key), std::nullopt, false};
    if (groups.size() != ready.groups.size()) {
      port.targets.emplace();
      for (const auto& endpoint : ready.all) {
        if (groups.contains(endpoint.group)) port.targets->insert(names.target(endpoint));
      }
    }
    ports.push_back(std::move(port));
  }
  choose_bare(ports);
  return ports;
}

void compile_external(const model::ServiceView& service, const std::vector<std::uint8_t>& key, Words& words) {
  std::optional<wire::WireName> target;
  if (!is_address_literal(service.external_name)) target = wire::name_from_text(service.external_name);
  if (!target || target->labels == 0) {
    start(words, key, Kind::vacant);
    return;
  }
  start(words, key, Kind::external);
  words.push_back(target->length);
  append_octets(words, target->octets.data(), target->length);
}

void set_counts(Words& words, const AddressSet& own) {
  const std::size_t v4 = own.v4_count();
  words[1] |= static_cast<std::uint32_t>(v4);
  words[2] |= static_cast<std::uint32_t>(own.sorted.size() - v4);
  own.append_to(words);
}

void compile_cluster_ip(const model::ServiceView& service, const std::vector<std::uint8_t>& key, Words& words) {
  const ReadyEndpoints ready = ready_endpoints(service);
  AddressSet own;
  for (const auto& address : service.cluster_ips) own.add(address);
  own.finish();
  start(words, key, Kind::cluster_ip);
  set_counts(words, own);
  append_ports(words, service_ports(service.ports));
  if (ready.all.empty()) return;
  words[3] |= Entry::has_endpoints;
  const std::size_t v4 = ready.addresses.v4_count();
  words.push_back(static_cast<std::uint32_t>(v4));
  words.push_back(static_cast<std::uint32_t>(ready.addresses.sorted.size() - v4));
  ready.addresses.append_to(words);
  EndpointNames(ready).append_to(words);
}

void compile_headless(const model::ServiceView& service, const std::vector<std::uint8_t>& key, Words& words) {
  const ReadyEndpoints ready = ready_endpoints(service);
  if (ready.all.empty()) {
    start(words, key, Kind::vacant);
    return;
  }
  const EndpointNames names(ready);
  start(words, key, Kind::headless);
  set_counts(words, ready.addresses);
  append_ports(words, endpoint_ports(service, ready, names));
  words[3] |= Entry::has_endpoints;
  names.append_to(words);
}

} // namespace

std::vector<std::uint8_t> label_key(std::string_view label) {
  if (!is_label(label) || lower(label) != label) return {};
  std::vector<std::uint8_t> key{static_cast<std::uint8_t>(label.size())};
  key.insert(key.end(), label.begin(), label.end());
  return key;
}

std::vector<std::uint8_t> service_key(const model::ServiceKey& service) {
  std::vector<std::uint8_t> key = label_key(service.name);
  const std::vector<std::uint8_t> name_space = label_key(service.name_space);
  if (key.empty() || name_space.empty()) return {};
  key.insert(key.end(), name_space.begin(), name_space.end());
  return key;
}

bool compile(const model::ServiceView& service, std::vector<std::uint32_t>& words) {
  const std::vector<std::uint8_t> key = service_key(service.key);
  if (key.empty()) return false;
  switch (service.form) {
  case model::ServiceView::Form::cluster_ip: compile_cluster_ip(service, key, words); break;
  case model::ServiceView::Form::headless: compile_headless(service, key, words); break;
  case model::ServiceView::Form::external_name: compile_external(service, key, words); break;
  }
  return true;
}

} // namespace signpost::zone
