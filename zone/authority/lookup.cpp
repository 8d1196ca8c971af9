#include "zone/authority/lookup.hpp"

#include <cstring>
#include <string_view>

#include "zone/authority/srv.hpp"
#include "zone/schema/endpoint_label.hpp"

namespace signpost::zone {
namespace {

using wire::type::a;
using wire::type::aaaa;

constexpr std::uint32_t version_ttl = 28800; // seconds
constexpr std::array<std::uint8_t, 6> version_text{5, '1', '.', '1', '.', '0'};
constexpr std::string_view name_server_labels = "\2ns\3dns";

std::span<const std::uint8_t> without_underscore(std::span<const std::uint8_t> label) noexcept {
  return !label.empty() && label[0] == '_' ? label.subspan(1) : label;
}

/// The model::Protocol of a label without underscore, or -1.
int protocol_of(std::span<const std::uint8_t> label) noexcept {
  if (is(label, "tcp")) return 0;
  if (is(label, "udp")) return 1;
  return is(label, "sctp") ? 2 : -1;
}

/// A label of a reverse name as a number, or -1: decimal 0…255 without leading zeros, or one hexadecimal digit.
int reverse_octet(std::span<const std::uint8_t> label) noexcept {
  if (label.empty() || label.size() > 3 || (label.size() > 1 && label[0] == '0')) return -1;
  int value = 0;
  for (const std::uint8_t c : label) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value <= 255 ? value : -1;
}

int reverse_nibble(std::span<const std::uint8_t> label) noexcept {
  if (label.size() != 1) return -1;
  if (label[0] >= '0' && label[0] <= '9') return label[0] - '0';
  return label[0] >= 'a' && label[0] <= 'f' ? label[0] - 'a' + 10 : -1;
}

} // namespace

Answer Lookup::all_ports(Entry entry, Reply& reply) const noexcept {
  return write_srv(entry, apex, {.all = true, .name = {}}, reply) ? Answer::records : Answer::no_data;
}

Answer Lookup::below_service(Entry entry, const NameView& name, unsigned labels, Reply& reply) const noexcept {
  if (entry.kind() != Kind::cluster_ip && entry.kind() != Kind::headless) return Answer::no_name;
  if (labels == 1) return endpoint_records(entry, name.label(0), reply);
  return labels == 2 ? port_records(entry, name.label(0), name.label(1), reply) : Answer::no_name;
}

/// <ns>.svc.<zone>, <ns>.<zone>, and those that belong to the schema itself.
Answer Lookup::top_name(const NameView& name, unsigned below, Reply& reply) const noexcept {
  const auto label = name.label(0);
  if (below == 1) {
    if (is(label, "svc") || is(label, "dns")) return Answer::no_data;
    if (is(label, "dns-version")) {
      if (!asks(wire::type::txt)) return Answer::no_data;
      reply.answer(wire::type::txt, version_ttl, version_text);
      return Answer::records;
    }
  }
  return index.find(label.data() - 1, label.size() + 1) ? Answer::no_data : Answer::no_name;
}

Answer Lookup::apex_records(Reply& reply) const noexcept {
  if (asks(wire::type::soa) && apex.has_soa) {
    reply.soa(apex, index.serial(), reply.answers);
    return Answer::records;
  }
  if (type != wire::type::ns || name_server_labels.size() + apex.home.length > wire::max_name) return Answer::no_data;
  const bool spelled = apex.kind != Apex::Kind::cluster;
  const std::size_t rdata = name_server_labels.size() + (spelled ? apex.home.length : 2);
  if (reply.room() < record_head + rdata) {
    reply.truncated = true;
    return Answer::records;
  }
  std::uint8_t* to = reply.head(reply.owner, wire::type::ns, reply.ttl, rdata);
  const std::uint16_t server = pointer_to(static_cast<std::size_t>(to - reply.message));
  std::memcpy(to, name_server_labels.data(), name_server_labels.size());
  to += name_server_labels.size();
  if (spelled)
    std::memcpy(to, apex.home.octets.data(), apex.home.length);
  else
    wire::store16(to, pointer_to(reply.apex_at));
  ++reply.answers;
  for (const auto& address : index.settings().server_v4) reply.glue(server, address);
  for (const auto& address : index.settings().server_v6) reply.glue(server, address);
  return Answer::records;
}

Answer Lookup::name_server(Reply& reply) const noexcept {
  const auto& v4 = index.settings().server_v4;
  const auto& v6 = index.settings().server_v6;
  if (asks(a) && !v4.empty()) {
    reply.addresses(v4.front().data(), v4.size(), 4);
    return Answer::records;
  }
  if (!asks(aaaa) || v6.empty()) return Answer::no_data;
  reply.addresses(v6.front().data(), v6.size(), 16);
  return Answer::records;
}

Answer Lookup::endpoint_records(Entry entry, std::span<const std::uint8_t> label, Reply& reply) const noexcept {
  const Endpoints endpoints = entry.endpoints();
  const auto named = endpoints.find_name(label);
  std::size_t derived = Endpoints::none;
  if (const LabelAddress address = read_endpoint_label(label); address.length != 0) {
    derived = endpoints.find_address(address.span());
    if (derived != Endpoints::none && !endpoints.is_derived(derived)) derived = Endpoints::none;
  }
  if (named.empty() && derived == Endpoints::none) {
    // "_tcp" above "_http._tcp" exists without records.
    const int protocol = protocol_of(without_underscore(label));
    bool between = false;
    entry.each_port([&](const Port& port) {
      between = (port.flags & Port::unnamed) == 0 && (port.flags & Port::protocol) == protocol;
      return !between;
    });
    return between ? Answer::no_data : Answer::no_name;
  }

  // An address that is both named and derived under this label is told once.
  for (const auto& pair : named) {
    if (pair.address == derived) derived = Endpoints::none;
  }
  const std::size_t count = named.size() + (derived != Endpoints::none ? 1 : 0);
  const auto address = [&](std::size_t i) { return endpoints.address(i < named.size() ? named[i].address : derived); };
  for (const std::uint16_t wanted : {a, aaaa}) {
    if (!asks(wanted)) continue;
    const std::uint16_t before = reply.answers;
    for (std::size_t i = 0, at = reply.start(count, record_head + 16); i < count;
         ++i, at = at + 1 == count ? 0 : at + 1) {
      const auto octets = address(at);
      if (octets.size() != (wanted == a ? 4u : 16u)) continue;
      if (!reply.answer(wanted, reply.ttl, octets)) return Answer::records;
    }
    if (reply.answers != before) return Answer::records;
  }
  return Answer::no_data;
}

Answer Lookup::port_records(Entry entry, std::span<const std::uint8_t> port, std::span<const std::uint8_t> protocol,
                            Reply& reply) const noexcept {
  const int number = protocol_of(without_underscore(protocol));
  if (number < 0) return Answer::no_name;
  const PortChoice choice{false, without_underscore(port), static_cast<std::uint8_t>(number)};
  if (asks(wire::type::srv) && write_srv(entry, apex, choice, reply)) return Answer::records;
  bool exists = false;
  entry.each_port([&](const Port& candidate) {
    exists = choice.takes(candidate);
    return !exists;
  });
  return exists ? Answer::no_data : Answer::no_name;
}

Answer Lookup::reverse_name(const NameView& name, Reply& reply) const noexcept {
  const bool v6 = apex.kind == Apex::Kind::reverse6;
  const unsigned labels = name.labels - 2u, whole = v6 ? 32 : 4;
  if (labels > whole) return Answer::no_name;
  std::array<std::uint8_t, 16> address{};
  for (unsigned i = 0; i < labels; ++i) {
    const auto label = name.label(labels - 1 - i);
    const int value = v6 ? reverse_nibble(label) : reverse_octet(label);
    if (value < 0) return Answer::no_name;
    if (!v6)
      address[i] = static_cast<std::uint8_t>(value);
    else
      address[i / 2] = static_cast<std::uint8_t>(address[i / 2] | value << (i % 2 == 0 ? 4 : 0));
  }
  if (labels == whole) return pointers({address.data(), v6 ? 16u : 4u}, reply);
  return index.has_prefix(address, v6, labels) ? Answer::no_data : Answer::no_name;
}

Answer Lookup::pointers(std::span<const std::uint8_t> address, Reply& reply) const noexcept {
  bool exists = false;
  const bool wanted = asks(wire::type::ptr);
  const std::uint16_t before = reply.answers;
  const auto told = [&] { return reply.answers != before || reply.truncated ? Answer::records : Answer::no_data; };
  std::size_t suffix_at = 0;
  index.each_with_address(address, [&](Entry entry) {
    if (!entry.has_cluster_ip(address)) return true;
    exists = true;
    return wanted && write_ptr(entry, apex, {}, suffix_at, reply);
  });
  if (exists) return told();

  index.each_with_address(address, [&](Entry entry) {
    const Endpoints endpoints = entry.endpoints();
    const std::size_t found = endpoints.find_address(address);
    if (found == Endpoints::none) return true;
    exists = true;
    if (!wanted) return false;
    if (endpoints.is_derived(found)) {
      std::array<std::uint8_t, max_endpoint_label> label;
      const std::size_t length = write_endpoint_label(address, label.data());
      if (!write_ptr(entry, apex, {label.data(), length}, suffix_at, reply)) return false;
    }
    for (const std::uint32_t pair : endpoints.pairs_of(found)) {
      if (!write_ptr(entry, apex, endpoints.label(endpoints.names[pair]), suffix_at, reply)) return false;
    }
    return true;
  });
  return exists ? told() : Answer::no_name;
}

} // namespace signpost::zone
