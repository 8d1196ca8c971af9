#include <doctest/doctest.h>

#include "tests/client/c_api/exercise.h"
#include "tests/client/dns_responder.hpp"

namespace {

// web has both families, silent is never answered, all else does not exist.
std::vector<testing::Octets> answer(const testing::Asked& asked) {
  const std::string web = "web.default.svc.cluster.local";
  if (asked.name.starts_with("silent")) return {};
  if (asked.name != web) return {testing::Reply(asked, 3).bytes()};
  return {testing::Reply(asked).address(web, asked.type == 1 ? "10.96.0.5" : "fd00::5").bytes()};
}

} // namespace

TEST_CASE("the C interface, from C") {
  testing::DnsResponder server(answer);
  for (auto* const exercise :
       {exercise_blocking, exercise_sizes, exercise_mistakes, exercise_async, exercise_poll, exercise_resolv_conf}) {
    const char* const wrong = exercise(server.address().c_str());
    CHECK_MESSAGE(wrong == nullptr, (wrong == nullptr ? "" : wrong));
  }
}
