#include "zone/authority/srv.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "zone/schema/endpoint_label.hpp"

namespace signpost::zone {
namespace {

constexpr std::array<std::uint8_t, 4> svc_label{3, 's', 'v', 'c'};
constexpr std::size_t most_rows = 512; // SRV records of one answer that bring their targets' addresses along

/// The first label of an endpoint's name, length octet included; empty for the service itself.
struct FirstLabel {
  std::array<std::uint8_t, 64> octets;
  std::size_t length = 0;
};

void set_label(FirstLabel& first, std::span<const std::uint8_t> label) noexcept {
  first.octets[0] = static_cast<std::uint8_t>(label.size());
  std::memcpy(first.octets.data() + 1, label.data(), label.size());
  first.length = label.size() + 1;
}

FirstLabel label_of(const Endpoints& endpoints, std::uint32_t target) noexcept {
  FirstLabel first;
  if ((target & Endpoints::hostname_target) != 0) {
    set_label(first, endpoints.label(endpoints.names[target & ~Endpoints::hostname_target]));
  } else {
    const std::size_t length = write_endpoint_label(endpoints.address(target), first.octets.data() + 1);
    first.octets[0] = static_cast<std::uint8_t>(length);
    first.length = length + 1;
  }
  return first;
}

/// Calls see(target) for all targets of a service, from a different one each time, until it returns false.
template <class See>
void each_target(const Endpoints& endpoints, See&& see) noexcept {
  const std::size_t addresses = endpoints.count(), all = addresses + endpoints.names.size();
  if (all == 0) return;
  std::size_t at = next_turn(all);
  for (std::size_t i = 0; i < all; ++i, at = at + 1 == all ? 0 : at + 1) {
    if (at < addresses) {
      if (endpoints.is_derived(at) && !see(static_cast<std::uint32_t>(at))) return;
      continue;
    }
    const std::size_t pair = at - addresses;
    if (pair > 0 && endpoints.names[pair].label == endpoints.names[pair - 1].label) continue;
    if (!see(static_cast<std::uint32_t>(pair) | Endpoints::hostname_target)) return;
  }
}

std::size_t target_count(const Endpoints& endpoints) noexcept {
  std::size_t count = endpoints.derived.empty() ? endpoints.count() : 0;
  for (const std::uint32_t bits : endpoints.derived) count += static_cast<std::size_t>(std::popcount(bits));
  for (std::size_t i = 0; i < endpoints.names.size(); ++i) {
    if (i == 0 || endpoints.names[i].label != endpoints.names[i - 1].label) ++count;
  }
  return count;
}

class SrvWriter {
public:
  SrvWriter(Entry entry, const Apex& apex, Reply& reply)
      : entry_(entry), apex_(apex), reply_(reply), headless_(entry.kind() == Kind::headless) {
    if (headless_) endpoints_ = entry.endpoints();
  }

  bool write(const PortChoice& choice) noexcept {
    const std::size_t total = count(choice);
    if (total == 0) return false;
    weight_ = static_cast<std::uint16_t>(std::max<std::size_t>(1, 100 / total));
    entry_.each_port([&](const Port& port) { return !choice.takes(port) || add_port(port); });
    if (!reply_.truncated) add_glue();
    return true;
  }

private:
  struct Row {
    std::uint32_t target;
    std::uint16_t at; // of the target's name in the message
  };

  std::size_t count(const PortChoice& choice) const noexcept {
    const std::size_t each = headless_ ? target_count(endpoints_) : 1;
    std::size_t total = 0;
    entry_.each_port([&](const Port& port) {
      if (choice.takes(port)) total += (port.flags & Port::listed) != 0 ? port.targets.size() : each;
      return true;
    });
    return total;
  }

  bool add_port(const Port& port) noexcept {
    if (!headless_) return add_row(port.number, 0, FirstLabel{});
    const auto add = [&](std::uint32_t target) { return add_row(port.number, target, label_of(endpoints_, target)); };
    if ((port.flags & Port::listed) == 0) {
      each_target(endpoints_, add);
    } else {
      for (const std::uint32_t target : port.targets) {
        if (!add(target)) break;
      }
    }
    return !reply_.truncated;
  }

  bool add_row(std::uint16_t port, std::uint32_t target, const FirstLabel& first) noexcept {
    const auto key = entry_.key();
    const std::size_t rdata = 6 + first.length + key.size() + svc_label.size() + apex_.home.length;
    if (reply_.room() < record_head + rdata) {
      reply_.truncated = true;
      return false;
    }
    std::uint8_t* to = reply_.head(reply_.owner, wire::type::srv, reply_.ttl, rdata);
    wire::store16(to, 0);
    wire::store16(to + 2, weight_);
    wire::store16(to + 4, port);
    to += 6;
    const auto name_at = static_cast<std::size_t>(to - reply_.message);
    if (row_count_ < most_rows && name_at <= pointer_reach) {
      rows_[row_count_++] = {target, static_cast<std::uint16_t>(name_at)};
    }
    std::memcpy(to, first.octets.data(), first.length);
    to += first.length;
    std::memcpy(to, key.data(), key.size());
    to += key.size();
    std::memcpy(to, svc_label.data(), svc_label.size());
    to += svc_label.size();
    std::memcpy(to, apex_.home.octets.data(), apex_.home.length);
    ++reply_.answers;
    return true;
  }

  void add_glue() noexcept {
    for (std::size_t i = 0; i < row_count_; ++i) {
      const auto same = [&](const Row& row) { return row.target == rows_[i].target; };
      if (std::any_of(rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(i), same)) continue;
      if (!add_glue_of(rows_[i])) return;
    }
  }

  bool add_glue_of(const Row& row) noexcept {
    const std::uint16_t owner = pointer_to(row.at);
    if (!headless_) {
      for (std::size_t i = 0; i < entry_.v4_count(); ++i) {
        if (!reply_.glue(owner, {reinterpret_cast<const std::uint8_t*>(entry_.v4() + i), 4})) return false;
      }
      for (std::size_t i = 0; i < entry_.v6_count(); ++i) {
        if (!reply_.glue(owner, {reinterpret_cast<const std::uint8_t*>(entry_.v6() + 4 * i), 16})) return false;
      }
      return true;
    }
    if ((row.target & Endpoints::hostname_target) == 0) return reply_.glue(owner, endpoints_.address(row.target));
    const std::size_t first = row.target & ~Endpoints::hostname_target;
    for (std::size_t i = first; i < endpoints_.names.size(); ++i) {
      if (endpoints_.names[i].label != endpoints_.names[first].label) break;
      if (!reply_.glue(owner, endpoints_.address(endpoints_.names[i].address))) return false;
    }
    return true;
  }

  const Entry entry_;
  const Apex& apex_;
  Reply& reply_;
  const bool headless_;
  Endpoints endpoints_;
  std::uint16_t weight_ = 1;
  std::array<Row, most_rows> rows_;
  std::size_t row_count_ = 0;
};

} // namespace

bool PortChoice::takes(const Port& port) const noexcept {
  if (all) return (port.flags & Port::bare) != 0;
  return (port.flags & Port::unnamed) == 0 && (port.flags & Port::protocol) == protocol &&
         port.name.size() == name.size() && std::memcmp(port.name.data(), name.data(), name.size()) == 0;
}

bool write_srv(Entry entry, const Apex& apex, const PortChoice& choice, Reply& reply) noexcept {
  return SrvWriter(entry, apex, reply).write(choice);
}

bool write_ptr(Entry entry, const Apex& apex, std::span<const std::uint8_t> label, std::size_t& suffix_at,
               Reply& reply) noexcept {
  FirstLabel first;
  if (!label.empty()) set_label(first, label);
  const auto key = entry.key();
  const std::size_t own = first.length + key.size();
  const std::size_t suffix = suffix_at != 0 ? 2 : svc_label.size() + apex.home.length;
  if (reply.room() < record_head + own + suffix) {
    reply.truncated = true;
    return false;
  }
  std::uint8_t* to = reply.head(reply.owner, wire::type::ptr, reply.ttl, own + suffix);
  std::memcpy(to, first.octets.data(), first.length);
  std::memcpy(to + first.length, key.data(), key.size());
  to += own;
  if (suffix_at != 0) {
    wire::store16(to, pointer_to(suffix_at));
  } else {
    suffix_at = static_cast<std::size_t>(to - reply.message);
    std::memcpy(to, svc_label.data(), svc_label.size());
    std::memcpy(to + svc_label.size(), apex.home.octets.data(), apex.home.length);
  }
  ++reply.answers;
  return true;
}

} // namespace signpost::zone
