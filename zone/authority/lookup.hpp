// A name in one of our zones -> its records: the Kubernetes schema read off the index.
//
//   <svc>.<ns>.svc.<zone>, <svc>.<ns>.<zone>     A, AAAA, SRV of all ports, CNAME
//   _<port>._<proto>.<either>                    SRV; the underscores may be left out
//   <endpoint>.<either>                          A, AAAA
//   <zone>, ns.dns.<zone>, dns-version.<zone>    SOA and NS; A and AAAA; TXT
//   reverse names                                PTR
//
// Names between these exist without records (RFC 8020); everything else does not. Reader threads; writes to one Reply.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "zone/authority/reply.hpp"
#include "zone/index/index.hpp"

namespace signpost::zone {

/// A sound name in lower case with its labels' offsets, the root's included. Eight octets behind it are readable.
struct NameView {
  const std::uint8_t* octets;
  const std::uint8_t* label_offset;
  std::uint16_t length;
  std::uint8_t labels;

  /// Without length octet.
  [[nodiscard]] std::span<const std::uint8_t> label(std::size_t i) const {
    return {octets + label_offset[i] + 1, octets[label_offset[i]]};
  }
};

enum class Answer : std::uint8_t {
  records, // of the type asked for
  no_data, // the name exists
  no_name, // it does not
  alias,   // `alias` is a CNAME entry; nothing was written
};

/// Whether a label without length octet is this text.
template <std::size_t size>
bool is(std::span<const std::uint8_t> label, const char (&text)[size]) noexcept {
  return label.size() == size - 1 && std::memcmp(label.data(), text, size - 1) == 0;
}

struct Lookup {
  const Index& index;
  const Apex& apex; // the zone that the name is in
  std::uint16_t type;
  Entry alias{};

  /// Writes the records of `type` (for ANY, of one type: the caller makes few of them) at `name` to the answer section, and what
  /// they point at to the additional section.
  [[nodiscard, gnu::always_inline]] inline Answer find(const NameView& name, Reply& reply) noexcept;

private:
  // The common question's way, all in find() and below, so that it becomes one function with its caller.
  [[nodiscard, gnu::always_inline]] inline Answer cluster_name(const NameView& name, unsigned below,
                                                               Reply& reply) noexcept;
  [[nodiscard, gnu::always_inline]] inline Answer service_name(const NameView& name, unsigned service,
                                                               Reply& reply) noexcept;
  [[nodiscard, gnu::always_inline]] inline Answer service_records(Entry entry, Reply& reply) const noexcept;
  // The rest.
  [[nodiscard, gnu::noinline]] Answer below_service(Entry entry, const NameView& name, unsigned labels,
                                                    Reply& reply) const noexcept;
  [[nodiscard, gnu::noinline]] Answer all_ports(Entry entry, Reply& reply) const noexcept;
  [[nodiscard]] Answer top_name(const NameView& name, unsigned below, Reply& reply) const noexcept;
  [[nodiscard]] Answer apex_records(Reply& reply) const noexcept;
  [[nodiscard]] Answer name_server(Reply& reply) const noexcept;
  [[nodiscard]] Answer endpoint_records(Entry entry, std::span<const std::uint8_t> label, Reply& reply) const noexcept;
  [[nodiscard]] Answer port_records(Entry entry, std::span<const std::uint8_t> port,
                                    std::span<const std::uint8_t> protocol, Reply& reply) const noexcept;
  [[nodiscard]] Answer reverse_name(const NameView& name, Reply& reply) const noexcept;
  [[nodiscard]] Answer pointers(std::span<const std::uint8_t> address, Reply& reply) const noexcept;

  [[nodiscard]] bool asks(std::uint16_t other) const { return type == other || type == wire::type::any; }
};

inline Answer Lookup::service_records(Entry entry, Reply& reply) const noexcept {
  if (asks(wire::type::a) && entry.v4_count() > 0) {
    reply.addresses(reinterpret_cast<const std::uint8_t*>(entry.v4()), entry.v4_count(), 4);
    return Answer::records;
  }
  if (asks(wire::type::aaaa) && entry.v6_count() > 0) {
    reply.addresses(reinterpret_cast<const std::uint8_t*>(entry.v6()), entry.v6_count(), 16);
    return Answer::records;
  }
  return asks(wire::type::srv) ? all_ports(entry, reply) : Answer::no_data;
}

inline Answer Lookup::service_name(const NameView& name, unsigned service, Reply& reply) noexcept {
  const std::uint8_t* key = name.octets + name.label_offset[service];
  const Entry entry =
      index.find(key, static_cast<std::size_t>(name.label_offset[service + 2] - name.label_offset[service]));
  if (!entry) return Answer::no_name;
  if (service != 0) return below_service(entry, name, service, reply);
  switch (entry.kind()) {
  case Kind::cluster_ip:
  case Kind::headless: return service_records(entry, reply);
  case Kind::external: alias = entry; return Answer::alias;
  default: return Answer::no_name;
  }
}

inline Answer Lookup::cluster_name(const NameView& name, unsigned below, Reply& reply) noexcept {
  const auto last = name.label(below - 1);
  unsigned behind = 2; // labels from the service's on
  if (last.size() == 3) {
    if (is(last, "svc"))
      behind = 3;
    else if (is(last, "pod"))
      return below == 1 ? Answer::no_data : Answer::no_name;
    else if (below == 2 && is(last, "dns") && is(name.label(0), "ns"))
      return name_server(reply);
  }
  return below >= behind ? service_name(name, below - behind, reply) : top_name(name, below, reply);
}

inline Answer Lookup::find(const NameView& name, Reply& reply) noexcept {
  const unsigned below = name.labels - apex.name.labels;
  if (below == 0) return apex_records(reply);
  return apex.kind == Apex::Kind::cluster ? cluster_name(name, below, reply) : reverse_name(name, reply);
}

} // namespace signpost::zone
