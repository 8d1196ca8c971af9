#include "server/forward/upstream.hpp"

#include <doctest/doctest.h>

#include <set>
#include <vector>

using namespace signpost;
using namespace std::chrono_literals;
using server::order_upstreams;
using server::RandomSource;
using server::SteadyTime;
using server::Upstream;
using Policy = server::ForwardSettings::Policy;

namespace {

std::vector<Upstream> three() {
  std::vector<Upstream> upstreams(3);
  for (std::uint16_t i = 0; i < 3; ++i) upstreams[i].endpoint.port = i;
  return upstreams;
}

std::vector<int> ports(const std::vector<Upstream*>& order) {
  std::vector<int> found;
  for (const Upstream* upstream : order) found.push_back(upstream->endpoint.port);
  return found;
}

const SteadyTime start = SteadyTime{} + 1h;

} // namespace

TEST_CASE("the policy says who is asked first") {
  auto upstreams = three();
  RandomSource random;
  CHECK(ports(order_upstreams(upstreams, Policy::sequential, 7, start, random)) == std::vector{0, 1, 2});
  CHECK(ports(order_upstreams(upstreams, Policy::round_robin, 0, start, random)) == std::vector{0, 1, 2});
  CHECK(ports(order_upstreams(upstreams, Policy::round_robin, 4, start, random)) == std::vector{1, 2, 0});
  std::set<std::vector<int>> seen;
  for (int i = 0; i < 500; ++i) seen.insert(ports(order_upstreams(upstreams, Policy::random, 0, start, random)));
  CHECK(seen.size() == 6);
}

TEST_CASE("who failed is asked last, for a while that doubles, until an answer") {
  auto upstreams = three();
  RandomSource random;
  const auto order = [&](SteadyTime now) {
    return ports(order_upstreams(upstreams, Policy::sequential, 0, now, random));
  };
  upstreams[0].failed(start);
  CHECK(order(start) == std::vector{1, 2, 0});
  CHECK(order(start + 999ms) == std::vector{1, 2, 0});
  CHECK(order(start + 1s) == std::vector{0, 1, 2});
  upstreams[0].failed(start);
  CHECK(order(start + 1s) == std::vector{1, 2, 0});
  CHECK(order(start + 2s) == std::vector{0, 1, 2});
  for (int i = 0; i < 100; ++i) upstreams[0].failed(start);
  CHECK(order(start + 29s) == std::vector{1, 2, 0});
  CHECK(order(start + 30s) == std::vector{0, 1, 2});
  for (auto& upstream : upstreams) upstream.failed(start);
  CHECK(order(start) == std::vector{0, 1, 2}); // all down: all are still tried
  upstreams[0].succeeded();
  CHECK(order(start) == std::vector{0, 1, 2});
  CHECK(upstreams[0].failures == 0);
}

TEST_CASE("random words are spread over all their values") {
  RandomSource random;
  std::size_t high = 0;
  std::set<std::uint16_t> words;
  for (int i = 0; i < 20000; ++i) {
    const std::uint16_t word = random.word();
    words.insert(word);
    high += word >= 0x8000 ? 1 : 0;
  }
  CHECK(words.size() > 16000); // 17,200 expected of 20,000 draws of 65,536
  CHECK(high > 9000);
  CHECK(high < 11000);
}
