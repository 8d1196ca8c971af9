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

struct Lookup {
  const Index& index;
  const Apex& apex; // the zone that the name is in
  std::uint16_t type;
  Entry alias{};

  /// Writes the records of `type` (for ANY, of one type: RFC 8482 4.1) at `name` to the answer section, and what
  /// they point at to the additional section.
  [[nodiscard]] Answer find(const NameView& name, Reply& reply) noexcept;

private:
  // The common question's way, all in find().
  [[nodiscard, gnu::always_inline]] inline Answer cluster_name(const NameView& name, unsigned below,
                                                               Reply& reply) noexcept;
  [[nodiscard, gnu::always_inline]] inline Answer service_name(const NameView& name, unsigned service,
                                                               Reply& reply) noexcept;
  [[nodiscard, gnu::always_inline]] inline Answer service_records(Entry entry, Reply& reply) const noexcept;
  // The rest.
  [[nodiscard, gnu::noinline]] Answer below_service(Entry entry, const NameView& name, unsigned labels,
                                                    Reply& reply) const noexcept;
  [[nodiscard, gnu::noinline]] Answer all_ports(Entry entry, Reply& reply) const noexcept;
  [[nodiscard]] Answer top_name(std::span<const std::uint8_t> label, Reply& reply) const noexcept;
  [[nodiscard]] Answer apex_records(Reply& reply) const noexcept;
  [[nodiscard]] Answer name_server(Reply& reply) const noexcept;
  [[nodiscard]] Answer endpoint_records(Entry entry, std::span<const std::uint8_t> label, Reply& reply) const noexcept;
  [[nodiscard]] Answer port_records(Entry entry, std::span<const std::uint8_t> port,
                                    std::span<const std::uint8_t> protocol, Reply& reply) const noexcept;
  [[nodiscard]] Answer reverse_name(const NameView& name, Reply& reply) const noexcept;
  [[nodiscard]] Answer pointers(std::span<const std::uint8_t> address, Reply& reply) const noexcept;

  [[nodiscard]] bool asks(std::uint16_t other) const { return type == other || type == wire::type::any; }
};

} // namespace signpost::zone
