// One upstream: its address, what is known of its health and habits, and in which order several are asked.
//
// Health is about the server, never about one name: a name that gets no answer is asked elsewhere first for a while;
// only a second name without an answer, and no word from the server between, or a network that refuses, moves the
// server behind the others, for a time that doubles. Whatever it says makes it well again, an error too.
//
// Threads: the forwarding thread only.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "server/config/settings.hpp"

namespace signpost::server {

using SteadyTime = std::chrono::steady_clock::time_point;

/// Random octets from getrandom(2), drawn in bulk.
class RandomSource {
public:
  [[nodiscard]] std::uint8_t octet();
  [[nodiscard]] std::uint16_t word() { return static_cast<std::uint16_t>(octet() << 8 | octet()); }
  /// 0 … bound-1 without bias worth the name; bound ≥ 1.
  [[nodiscard]] std::size_t below(std::size_t bound) { return (std::size_t{word()} << 16 | word()) % bound; }

private:
  std::array<std::uint8_t, 512> pool_{};
  std::size_t at_ = 512;
};

/// How long an upstream is believed to have a habit, as not to know EDNS.
inline constexpr auto habit = std::chrono::minutes(15);

/// A name as health knows it; never 0.
using NameHash = std::uint64_t;

class Upstream {
public:
  explicit Upstream(Endpoint at) : endpoint(std::move(at)) {}

  Endpoint endpoint;
  SteadyTime no_edns_until{}; // asked without EDNS until then: it refused it (RFC 6891 6.2.2)
  SteadyTime no_case_until{}; // asked in lower case until then: it does not give the letters back

  /// It said something, whatever.
  void heard(SteadyTime now);
  /// Nothing was heard of it about `name` since `asked`.
  void silent(SteadyTime now, SteadyTime asked, NameHash name);
  /// The network refuses.
  void unreachable(SteadyTime now);

  /// Whether it is asked before those that are not, about `name`.
  [[nodiscard]] bool well(SteadyTime now, NameHash name) const {
    return now >= last_until_ && (name != slow_name_ || now >= slow_until_);
  }

private:
  unsigned failures_ = 0; // in a row
  SteadyTime last_until_{}, heard_at_{}, slow_until_{};
  NameHash silent_name_ = 0; // got no answer, and nothing was heard since; 0: none
  NameHash slow_name_ = 0;   // got no answer, whatever was heard since
};

using Upstreams = std::vector<std::shared_ptr<Upstream>>;

/// In which order they are asked about `name` now: by policy, those that are not well behind the others.
[[nodiscard]] Upstreams order_upstreams(const Upstreams& upstreams, ForwardSettings::Policy policy, std::size_t turn,
                                        SteadyTime now, NameHash name, RandomSource& random);

} // namespace signpost::server
