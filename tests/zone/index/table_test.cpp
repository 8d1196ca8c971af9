#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "zone/index/arena.hpp"
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

TEST_CASE("arena blocks do not overlap, and freed ones serve again") {
  Random random(3);
  Arena arena;
  struct Block {
    Arena::Reference at;
    std::size_t words;
    std::uint32_t mark;
  };
  std::vector<Block> blocks;
  for (std::uint32_t step = 0; step < 30'000; ++step) {
    if (blocks.size() < 300 || random() % 2 == 0) {
      const std::size_t words = random() % 100 == 0 ? 1 + random() % 40'000 : 1 + random() % 90;
      const Arena::Reference at = arena.allocate(words);
      REQUIRE(at != 0);
      for (std::size_t i = 0; i < words; ++i) arena.at(at)[i] = step;
      blocks.push_back({at, words, step});
    }
    if (blocks.size() > 300 || random() % 2 == 0) {
      const std::size_t chosen = random() % blocks.size();
      const Block block = blocks[chosen];
      const std::uint32_t* words = arena.at(block.at);
      REQUIRE(std::count(words, words + block.words, block.mark) == static_cast<std::ptrdiff_t>(block.words));
      arena.free(block.at, block.words);
      blocks[chosen] = blocks.back();
      blocks.pop_back();
    }
  }
  for (const Block& block : blocks) arena.free(block.at, block.words);
  CHECK(arena.used() == 0);
  const std::size_t taken = arena.taken();
  for (int round = 0; round < 1000; ++round) arena.free(arena.allocate(50), 50);
  CHECK(arena.taken() == taken);
}

TEST_CASE("size classes hold what they promise, exactly up to 32 words and within an eighth above") {
  Arena arena;
  for (std::size_t words = 1; words < 5000; ++words) {
    const std::size_t before = arena.used();
    const Arena::Reference block = arena.allocate(words);
    const std::size_t held = (arena.used() - before) / 4;
    REQUIRE(held >= words);
    REQUIRE(held <= (words <= 32 ? words : words + words / 8 + 1));
    arena.free(block, words);
  }
}
