// What a listener counts: written by one thread, read by any, without an atomic read-modify-write.
//
// A query costs a handful of plain increments in cache lines that no other thread writes. Sizes and times are counted
// by the number of bits they take, which is one instruction.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

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

/// The types of questions that are told apart.
enum class CountedType : std::uint8_t { other, a, ns, cname, soa, ptr, mx, txt, aaaa, srv, naptr, svcb, https, any };
inline constexpr std::array<std::string_view, 14> counted_type_names = {
    "other", "A", "NS", "CNAME", "SOA", "PTR", "MX", "TXT", "AAAA", "SRV", "NAPTR", "SVCB", "HTTPS", "ANY"};

inline constexpr auto counted_types = [] {
  using enum CountedType;
  std::array<CountedType, 256> all{};
  for (const auto& [number, counted] : {std::pair{1, a},
                                        {2, ns},
                                        {5, cname},
                                        {6, soa},
                                        {12, ptr},
                                        {15, mx},
                                        {16, txt},
                                        {28, aaaa},
                                        {33, srv},
                                        {35, naptr},
                                        {64, svcb},
                                        {65, https},
                                        {255, any}})
    all[static_cast<std::size_t>(number)] = counted;
  return all;
}();

[[nodiscard]] inline CountedType counted_type(std::uint16_t type) noexcept {
  return type < counted_types.size() ? counted_types[type] : CountedType::other;
}

/// How often a size of so many bits came: at [b], sizes of 2^(b-1) … 2^b - 1; at [1], 0 as well. And the sum of all.
template <std::size_t bits, class Number>
struct BitHistogram {
  std::array<Number, bits + 1> counts{};
  Number sum{};
};
using SizeHistogram = BitHistogram<16, Counter>; // octets, less than 2^16
using TimeHistogram = BitHistogram<32, Counter>; // nanoseconds; longer counts as the longest

/// Without the sum, which is added up over a batch first.
inline void count_size(SizeHistogram& histogram, std::size_t octets) noexcept {
  histogram.counts[static_cast<std::size_t>(std::bit_width(static_cast<std::uint32_t>(octets) | 1))].add();
}

inline void count_time(TimeHistogram& histogram, std::chrono::nanoseconds time) noexcept {
  const auto count = static_cast<std::uint64_t>(time.count());
  histogram.counts[std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(count | 1)), 32)].add();
  histogram.sum.add(count);
}

/// What one thread counts (Number: Counter), or sums of it (std::uint64_t).
template <class Number>
struct Tally {
  Number queries{};                 // messages received, sound or not
  Number dropped{};                 // deserved no reply: runts, responses, from port 0
  Number unsent{};                  // replies that the kernel did not take
  Number outside{};                 // went to cache and forwarding
  std::array<Number, 3> edns{};     // queries without an OPT record, with one, with one that has DO set
  std::array<Number, 16> replies{}; // by rcode, without those that came late
  std::array<Number, counted_type_names.size()> types{}; // of sound questions
  BitHistogram<16, Number> query_octets, reply_octets;
  BitHistogram<32, Number> batch_time; // of one batch in many, from its receipt until its answers are sent
};

/// One thread's numbers, in cache lines of their own.
struct alignas(64) Counters : Tally<Counter> {};

/// Sums, as an exporter wants them.
struct Totals : Tally<std::uint64_t> {
  void add(const Counters& one) noexcept;
  void add(const Totals& other) noexcept;
};

} // namespace signpost::server
