#include "server/daemon/descriptors.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

using namespace signpost::server;

namespace {

TEST_CASE("descriptors are shared out: parts of what is there, and never more than is wanted") {
  const DescriptorShares wanted{.api = 8192, .tcp = 32768, .forwarding = 8192};
  const auto check = [&](std::size_t limit, std::size_t api, std::size_t tcp, std::size_t forwarding) {
    CAPTURE(limit);
    const DescriptorShares shares = share_descriptors(limit, 40, wanted);
    CHECK(shares.api == api);
    CHECK(shares.tcp == tcp);
    CHECK(shares.forwarding == forwarding);
  };
  check(std::numeric_limits<std::size_t>::max(), 8192, 32768, 8192);
  check(65536, 8192, 32768, 8192);
  check(1040, 400, 400, 200);
  check(20040, 8000, 8000, 4000);
  check(30040, 8192, 14539, 7269);
  check(64, 9, 10, 5);
  check(10, 2, 2, 2);
}

TEST_CASE("who wants no descriptors leaves them to the others") {
  const DescriptorShares shares = share_descriptors(1040, 40, {.api = 0, .tcp = 32768, .forwarding = 0});
  CHECK(shares.api == 0);
  CHECK(shares.tcp == 1000);
  CHECK(shares.forwarding == 0);
}

TEST_CASE("no more is shared out than there is") {
  for (std::size_t limit = 50; limit < 3000; ++limit) {
    const DescriptorShares shares = share_descriptors(limit, 40, {.api = 500, .tcp = 700, .forwarding = 100});
    const std::size_t sum = shares.api + shares.tcp + shares.forwarding;
    CHECK(sum <= limit - 40);
    CHECK(sum >= std::min<std::size_t>(1300, limit - 40) - 2);
  }
}

} // namespace
