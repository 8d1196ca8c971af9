#include "zone/authority/srv.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "zone/schema/endpoint_label.hpp"
#include "zone/wire/name.hpp"

namespace signpost::zone {
namespace {

constexpr std::array<std::uint8_t, 4> svc_label{3, 's', 'v', 'c'};
constexpr std::size_t most_rows = 512;        // SRV records of one answer that bring their targets' addresses along …
constexpr std::size_t most_listed_rows = 128; // … where they have to be told apart from each other first
constexpr std::size_t all_weight = 100;       // kubernetes.io DNS specification: shared out among the targets

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

/// Calls see(target) for all targets of a service, from position `at` on, until it returns false.
template <class See>
void each_target(const Endpoints& endpoints, std::size_t at, See&& see) noexcept {
  const std::size_t addresses = endpoints.count(), all = addresses + endpoints.names.size();
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

/// Number of targets, but no more than `enough`.
std::size_t count_targets(const Endpoints& endpoints, std::size_t enough) noexcept {
  std::size_t count = endpoints.derived.empty() ? endpoints.count() : 0;
  for (std::size_t i = 0; i < endpoints.derived.size() && count < enough; ++i)
    count += static_cast<std::size_t>(std::popcount(endpoints.derived[i]));
  for (std::size_t i = 0; i < endpoints.names.size() && count < enough; ++i) {
    if (i == 0 || endpoints.names[i].label != endpoints.names[i - 1].label) ++count;
  }
  return std::min(count, enough);
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
    const std::uint16_t before = reply_.answers;
    weight_ = static_cast<std::uint16_t>(std::max<std::size_t>(1, all_weight / total));
    entry_.each_port([&](const Port& port) { return !choice.takes(port) || add_port(port); });
    if (!reply_.truncated) add_glue();
    return reply_.answers != before || reply_.truncated;
  }

private:
  struct Row {
    std::uint32_t target;
    std::uint16_t at; // of the target's name in the message
  };

  /// Records to come, counted no further than weights differ; notes whether some port has all targets.
  std::size_t count(const PortChoice& choice) noexcept {
    const std::size_t each = headless_ ? count_targets(endpoints_, all_weight) : 1;
    std::size_t total = 0;
    entry_.each_port([&](const Port& port) {
      if (!choice.takes(port)) return true;
      const bool listed = (port.flags & Port::listed) != 0;
      all_in_one_ = all_in_one_ || !listed;
      total += listed ? port.targets.size() : each;
      return true;
    });
    return total;
  }

  /// Octets of a row with a label of this many octets.
  [[nodiscard]] std::size_t row_octets(std::size_t label) const noexcept {
    return record_head + 6 + label + entry_.key().size() + svc_label.size() + apex_.home.length;
  }

  bool add_port(const Port& port) noexcept {
    if (!headless_) {
      keeps_rows_ = row_count_ == 0; // one target, however many ports
      return add_row(port.number, 0, FirstLabel{});
    }
    const bool listed = (port.flags & Port::listed) != 0;
    keeps_rows_ = listed ? !all_in_one_ : !whole_kept_;
    whole_kept_ = whole_kept_ || !listed;
    const auto add = [&](std::uint32_t target) { return add_row(port.number, target, label_of(endpoints_, target)); };
    const std::size_t count = listed ? port.targets.size() : endpoints_.count() + endpoints_.names.size();
    std::size_t at = reply_.start(count, row_octets(wire::max_label + 1));
    if (!listed) {
      each_target(endpoints_, at, add);
    } else {
      for (std::size_t i = 0; i < count && add(port.targets[at]); ++i) at = at + 1 == count ? 0 : at + 1;
    }
    return !reply_.truncated;
  }

  /// Notes where a target's name stands, once each. All rows of the first port with all targets are distinct, and hold
  /// those of any other port; only where no port has them all do rows have to be compared.
  void keep_row(std::uint32_t target, std::size_t at) noexcept {
    if (!keeps_rows_ || row_count_ == (all_in_one_ ? most_rows : most_listed_rows) || at > pointer_reach) return;
    const auto end = rows_.begin() + static_cast<std::ptrdiff_t>(row_count_);
    if (!all_in_one_ && std::any_of(rows_.begin(), end, [&](const Row& row) { return row.target == target; })) return;
    rows_[row_count_++] = {target, static_cast<std::uint16_t>(at)};
  }

  bool add_row(std::uint16_t port, std::uint32_t target, const FirstLabel& first) noexcept {
    const auto key = entry_.key();
    const std::size_t rdata = row_octets(first.length) - record_head;
    if (rdata - 6 > wire::max_name) return true; // no name, no record
    if (reply_.room() < record_head + rdata) {
      reply_.truncated = true;
      return false;
    }
    std::uint8_t* to = reply_.head(reply_.owner, wire::type::srv, reply_.ttl, rdata);
    wire::store16(to, 0);
    wire::store16(to + 2, weight_);
    wire::store16(to + 4, port);
    to += 6;
    keep_row(target, static_cast<std::size_t>(to - reply_.message));
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
  bool all_in_one_ = false; // some chosen port has all targets
  bool whole_kept_ = false; // … and its rows are kept
  bool keeps_rows_ = false;
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
  const std::size_t spelled = svc_label.size() + apex.home.length;
  if (own + spelled > wire::max_name) return true;
  const std::size_t suffix = suffix_at != 0 ? 2 : spelled;
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
