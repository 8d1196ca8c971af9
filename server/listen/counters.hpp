// What a listener counts: written by one thread, read by any, without an atomic read-modify-write.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace signpost::server {

/// A number with one writer.
class Counter {
public:
  void add(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
  std::atomic<std::uint64_t> value_{0};
};

/// Sums, as an exporter wants them.
struct Totals {
  std::uint64_t queries = 0;               // messages received, sound or not
  std::uint64_t dropped = 0;               // deserved no reply: runts, responses, from port 0
  std::uint64_t unsent = 0;                // replies that the kernel did not take
  std::uint64_t outside = 0;               // went to cache and forwarding
  std::array<std::uint64_t, 16> replies{}; // by rcode, without those that came late
};

/// One thread's numbers, in cache lines of their own.
struct alignas(64) Counters {
  Counter queries, dropped, unsent, outside;
  std::array<Counter, 16> replies;

  void add_to(Totals& totals) const noexcept {
    totals.queries += queries.get();
    totals.dropped += dropped.get();
    totals.unsent += unsent.get();
    totals.outside += outside.get();
    for (std::size_t i = 0; i < replies.size(); ++i) totals.replies[i] += replies[i].get();
  }
};

} // namespace signpost::server
