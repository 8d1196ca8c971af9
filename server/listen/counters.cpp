#include "server/listen/counters.hpp"

namespace signpost::server {
namespace {

std::uint64_t value(const Counter& counter) { return counter.get(); }
std::uint64_t value(std::uint64_t sum) { return sum; }

template <class Number, std::size_t size>
void add_all(std::array<std::uint64_t, size>& sums, const std::array<Number, size>& numbers) noexcept {
  for (std::size_t i = 0; i < size; ++i) sums[i] += value(numbers[i]);
}

template <class Number, std::size_t bits>
void add_all(BitHistogram<bits, std::uint64_t>& sums, const BitHistogram<bits, Number>& numbers) noexcept {
  add_all(sums.counts, numbers.counts);
  sums.sum += value(numbers.sum);
}

template <class Number>
void add_all(Tally<std::uint64_t>& sums, const Tally<Number>& one) noexcept {
  sums.queries += value(one.queries);
  sums.dropped += value(one.dropped);
  sums.unsent += value(one.unsent);
  sums.outside += value(one.outside);
  add_all(sums.edns, one.edns);
  add_all(sums.replies, one.replies);
  add_all(sums.types, one.types);
  add_all(sums.query_octets, one.query_octets);
  add_all(sums.reply_octets, one.reply_octets);
  add_all(sums.batch_time, one.batch_time);
}

} // namespace

void Totals::add(const Counters& one) noexcept { add_all(*this, one); }
void Totals::add(const Totals& other) noexcept { add_all(*this, other); }

} // namespace signpost::server
