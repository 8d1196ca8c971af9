#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "discovery/memory/arena.hpp"

using namespace signpost::memory;

namespace {

// std::mt19937 gives longs.
struct Random {
  explicit Random(std::uint32_t seed) : engine(seed) {}
  std::uint32_t operator()() { return static_cast<std::uint32_t>(engine()); }
  std::mt19937 engine;
};

} // namespace

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
