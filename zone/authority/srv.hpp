// SRV and PTR records: those whose rdata is a name of ours.
#pragma once

#include <cstdint>
#include <span>

#include "zone/authority/reply.hpp"
#include "zone/index/entry.hpp"

namespace signpost::zone {

/// Which ports of a service an SRV question is about.
struct PortChoice {
  bool all = false;                   // the service's own name: every port, each number once
  std::span<const std::uint8_t> name; // else this name (no underscore) and
  std::uint8_t protocol = 0;          // this model::Protocol

  [[nodiscard]] bool takes(const Port& port) const noexcept;
};

/// Appends the SRV records of the chosen ports (priority 0, weight 100 shared out evenly, at least 1), then the
/// addresses of their targets to the additional section. Targets are not compressed (RFC 2782). False: there are none.
bool write_srv(Entry entry, const Apex& apex, const PortChoice& choice, Reply& reply) noexcept;

/// Appends a PTR record to a service (empty label) or one of its endpoints; false and truncated: it does not fit.
/// `suffix_at`: where an earlier record spelled "svc.<zone>", 0 before the first.
bool write_ptr(Entry entry, const Apex& apex, std::span<const std::uint8_t> label, std::size_t& suffix_at,
               Reply& reply) noexcept;

} // namespace signpost::zone
