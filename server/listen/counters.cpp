#include "server/listen/counters.hpp"

namespace signpost::server {
namespace {

template <std::size_t size>
void add_all(std::array<std::uint64_t, size>& sums, const std::array<Counter, size>& counters) noexcept {
  for (std::size_t i = 0; i < size; ++i) sums[i] += counters[i].get();
}

template <std::size_t bits>
void add_all(BitHistogram<bits, std::uint64_t>& sums, const BitHistogram<bits, Counter>& counters) noexcept {
  add_all(sums.counts, counters.counts);
  sums.sum += counters.sum.get();
}

} // namespace

void Totals::add(const Counters& one) noexcept {
  queries += one.queries.get();
  dropped += one.dropped.get();
  unsent += one.unsent.get();
  outside += one.outside.get();
  add_all(edns, one.edns);
  add_all(replies, one.replies);
  add_all(types, one.types);
  add_all(query_octets, one.query_octets);
  add_all(reply_octets, one.reply_octets);
  add_all(batch_time, one.batch_time);
}

} // namespace signpost::server
