#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "zone/index/table.hpp"

using namespace signpost::zone;

namespace {

// std::mt19937 gives longs.
struct Random {
  explicit Random(std::uint32_t seed) : engine(seed) {}
  std::uint32_t operator()() { return static_cast<std::uint32_t>(engine()); }
  std::mt19937 engine;
};

} // namespace

TEST_CASE("the table agrees with a map under random changes, growth and tombstones") {
  for (const std::uint32_t hashes : {8u, 500u, 0xffffffffu}) { // crowded, busy, spread
    CAPTURE(hashes);
    Random random(hashes);
    Table table;
    std::map<std::uint32_t, std::uint32_t> model; // reference -> hash
    std::vector<Table::Owned> replaced;
    for (std::uint32_t step = 1; step <= 60'000; ++step) {
      const bool growing = (step / 4000) % 2 == 0;
      if (model.empty() || random() % 10 < (growing ? 7u : 3u)) {
        if (hashes <= 500 && model.size() > 300 + hashes) continue; // long runs cost the square
        const std::uint32_t hash = 1 + random() % hashes;           // 0 is no hash
        if (auto old = table.reserve()) replaced.push_back(std::move(old));
        table.insert(hash, step);
        model[step] = hash;
      } else {
        auto chosen = model.lower_bound(random() % step);
        if (chosen == model.end()) chosen = model.begin();
        if (random() % 3 == 0) {
          table.replace(chosen->second, chosen->first, step);
          model[step] = chosen->second;
        } else {
          table.erase(chosen->second, chosen->first);
        }
        model.erase(chosen->first);
      }
      if (step % 997 != 0) continue;
      REQUIRE(table.size() == model.size());
      std::size_t missing = 0;
      for (const auto& [reference, hash] : model) {
        const auto is_wanted = [wanted = reference](std::uint32_t found) { return found == wanted; };
        if (table.find(hash, is_wanted) != reference) ++missing;
      }
      REQUIRE(missing == 0);
      std::map<std::uint32_t, std::multiset<std::uint32_t>> by_hash;
      for (const auto& [reference, of] : model) by_hash[of].insert(reference);
      for (int i = 0; i < 100; ++i) {
        const std::uint32_t hash = 1 + random() % hashes; // 0 is no hash
        std::multiset<std::uint32_t> seen;
        (void)table.find(hash, [&](std::uint32_t found) {
          seen.insert(found);
          return false;
        });
        REQUIRE(seen == by_hash[hash]);
      }
    }
    CHECK(!replaced.empty());
  }
}
