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
using server::Upstreams;
using Policy = server::ForwardSettings::Policy;

namespace {

Upstreams three() {
  Upstreams upstreams;
  for (std::uint16_t i = 0; i < 3; ++i) upstreams.push_back(std::make_shared<Upstream>(server::Endpoint{{}, i}));
  return upstreams;
}

std::vector<int> ports(const Upstreams& order) {
  std::vector<int> found;
  for (const auto& upstream : order) found.push_back(upstream->endpoint.port);
  return found;
}

constexpr server::NameHash one_name = 1, another = 3, third = 5;

const SteadyTime start = SteadyTime{} + 1h;

} // namespace

TEST_CASE("the policy says who is asked first") {
  auto upstreams = three();
  RandomSource random;
  CHECK(ports(order_upstreams(upstreams, Policy::sequential, 7, start, one_name, random)) == std::vector{0, 1, 2});
  CHECK(ports(order_upstreams(upstreams, Policy::round_robin, 0, start, one_name, random)) == std::vector{0, 1, 2});
  CHECK(ports(order_upstreams(upstreams, Policy::round_robin, 4, start, one_name, random)) == std::vector{1, 2, 0});
  std::set<std::vector<int>> seen;
  for (int i = 0; i < 500; ++i)
    seen.insert(ports(order_upstreams(upstreams, Policy::random, 0, start, one_name, random)));
  CHECK(seen.size() == 6);
}

TEST_CASE("whom the network refuses is asked last, for a while that doubles, until it says anything") {
  auto upstreams = three();
  RandomSource random;
  const auto order = [&](SteadyTime now) {
    return ports(order_upstreams(upstreams, Policy::sequential, 0, now, one_name, random));
  };
  upstreams[0]->unreachable(start);
  CHECK(order(start) == std::vector{1, 2, 0});
  CHECK(order(start + 999ms) == std::vector{1, 2, 0});
  CHECK(order(start + 1s) == std::vector{0, 1, 2});
  upstreams[0]->unreachable(start);
  CHECK(order(start + 1s) == std::vector{1, 2, 0});
  CHECK(order(start + 2s) == std::vector{0, 1, 2});
  for (int i = 0; i < 100; ++i) upstreams[0]->unreachable(start);
  CHECK(order(start + 29s) == std::vector{1, 2, 0});
  CHECK(order(start + 30s) == std::vector{0, 1, 2});
  for (auto& upstream : upstreams) upstream->unreachable(start);
  CHECK(order(start) == std::vector{0, 1, 2}); // all down: all are still tried
  upstreams[0]->heard(start);
  CHECK(order(start) == std::vector{0, 1, 2});
  CHECK(order(start + 1ms) == std::vector{0, 1, 2});
}

TEST_CASE("a name without an answer is asked elsewhere, and no other name is; two names are the server's fault") {
  auto upstreams = three();
  RandomSource random;
  const auto order = [&](server::NameHash name) {
    return ports(order_upstreams(upstreams, Policy::sequential, 0, start + 3s, name, random));
  };
  const std::vector<int> well{0, 1, 2}, ill{1, 2, 0};
  for (int i = 0; i < 5; ++i) upstreams[0]->silent(start + 2s, start, one_name);
  CHECK(order(one_name) == ill);
  CHECK(order(another) == well);
  SUBCASE("it has answered another name meanwhile") {
    upstreams[0]->heard(start + 1s);
    for (const auto name : {another, third}) upstreams[0]->silent(start + 3s, start, name);
    CHECK(order(one_name) == well);
    CHECK(order(third) == ill);
  }
  SUBCASE("it says nothing to another name either") {
    upstreams[0]->silent(start + 3s, start + 1s, another);
    CHECK(order(third) == ill);
    upstreams[0]->heard(start + 3s);
    CHECK(order(third) == well);
  }
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
