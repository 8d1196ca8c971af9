// What a thread counts, and sums of it.
#include <doctest/doctest.h>

#include <array>

#include "server/listen/counters.hpp"

using namespace signpost::server;

TEST_CASE("sizes are counted by the bits they take") {
  SizeHistogram sizes;
  for (const std::size_t octets : {0, 1, 2, 3, 4, 511, 512, 65535}) count_size(sizes, octets);
  std::array<std::uint64_t, 17> expected{};
  expected[1] = 2;
  expected[2] = 2;
  expected[3] = expected[9] = expected[10] = expected[16] = 1;
  for (std::size_t bits = 0; bits < expected.size(); ++bits) {
    CAPTURE(bits);
    CHECK(sizes.counts[bits].get() == expected[bits]);
  }
}

TEST_CASE("times are counted by the bits they take, the longest with what is longer") {
  using std::chrono::nanoseconds;
  TimeHistogram times;
  for (const nanoseconds time : {nanoseconds(1000), nanoseconds(1 << 20), nanoseconds(std::chrono::hours(1))})
    count_time(times, time);
  CHECK(times.counts[10].get() == 1);
  CHECK(times.counts[21].get() == 1);
  CHECK(times.counts[32].get() == 1);
  CHECK(times.sum.get() == 1000 + (1u << 20) + 3'600'000'000'000u);
}

TEST_CASE("types that are told apart, and all others") {
  CHECK(counted_type_names[static_cast<std::size_t>(counted_type(1))] == "A");
  CHECK(counted_type_names[static_cast<std::size_t>(counted_type(28))] == "AAAA");
  CHECK(counted_type_names[static_cast<std::size_t>(counted_type(65))] == "HTTPS");
  CHECK(counted_type_names[static_cast<std::size_t>(counted_type(255))] == "ANY");
  for (const unsigned type : {0u, 3u, 254u, 256u, 65535u})
    CHECK(counted_type(static_cast<std::uint16_t>(type)) == CountedType::other);
}

TEST_CASE("sums of threads, and sums of sums") {
  Counters one, two;
  one.queries.add(3);
  two.queries.add(4);
  one.types[1].add();
  two.replies[3].add(2);
  one.query_octets.sum.add(100);
  count_size(one.query_octets, 100);
  Totals totals, all;
  totals.add(one);
  totals.add(two);
  all.add(totals);
  all.add(totals);
  CHECK(totals.queries == 7);
  CHECK(all.queries == 14);
  CHECK(all.types[1] == 2);
  CHECK(all.replies[3] == 4);
  CHECK(all.query_octets.sum == 200);
  CHECK(all.query_octets.counts[7] == 2);
}
