#include <doctest/doctest.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <thread>

#include "discovery/vip/allocator.hpp"
#include "discovery/vip/port_allocator.hpp"

namespace signpost::vip {
namespace {

using nlohmann::json;

model::Address address(const std::string& text) { return *model::Address::parse(text); }
Range range(const std::string& text) { return *Range::make(*model::Prefix::parse(text)); }

// Always the same offset, cut to the band.
Random at_offset(std::uint64_t offset) {
  return [offset](std::uint64_t bound) { return offset < bound ? offset : 0; };
}

std::string take(Allocator& allocator) {
  auto held = allocator.pick();
  if (!held) return "full";
  held->commit();
  return held->value().to_string();
}

} // namespace

TEST_CASE("the order of dynamic allocation is upward from the start, with wrap-around") {
  std::ifstream file(SIGNPOST_SOURCE_DIR "/tests/discovery/vip/vip-cases.json");
  const json cases = json::parse(file).at("vip");
  int checked = 0;
  for (const json& row : cases) {
    if (row.at("kind") != "iteration-order") continue;
    CAPTURE(row.at("id").get<std::string>());
    const json& input = row.at("input");
    const auto order = row.at("expectation").at("order").get<std::vector<std::string>>();
    // The cases iterate over the first seven addresses of a prefix: a pool of seven.
    Pool pool(order.size(), 0, at_offset(input.at("offset")));
    for (const std::string& expected : order) {
      const auto index = pool.pick();
      REQUIRE(index.has_value());
      CHECK(range(input.at("prefix")).at(*index).to_string() == expected);
    }
    CHECK_FALSE(pool.pick().has_value());
    ++checked;
  }
  CHECK(checked == 2);
}

TEST_CASE("the dynamic band comes first, then the static band") {
  Allocator allocator(range("192.168.1.0/25"), at_offset(100));
  for (int i = 117; i <= 126; ++i) CHECK(take(allocator) == "192.168.1." + std::to_string(i));
  for (int i = 17; i <= 116; ++i) CHECK(take(allocator) == "192.168.1." + std::to_string(i));
  for (int i = 1; i <= 16; ++i) CHECK(take(allocator) == "192.168.1." + std::to_string(i));
  CHECK(take(allocator) == "full");
  CHECK(allocator.taken_count() == 126);
}

TEST_CASE("every address is given once, and after exhaustion only what was released") {
  Allocator allocator(range("192.168.1.0/24"));
  std::set<std::string> seen;
  for (int i = 0; i < 254; ++i) CHECK(seen.insert(take(allocator)).second);
  CHECK(take(allocator) == "full");
  allocator.release(address("192.168.1.5"));
  CHECK(take(allocator) == "192.168.1.5");
  allocator.release(address("192.168.1.5"));
  {
    auto held = allocator.hold(address("192.168.1.5"));
    REQUIRE(held.has_value());
    held->commit();
  }
  CHECK_FALSE(allocator.hold(address("192.168.1.5")).has_value());
  CHECK(allocator.taken(address("192.168.1.5")));
}

TEST_CASE("what is held is given to nobody else, and back when the transaction fails") {
  Allocator allocator(range("10.0.0.0/28"), at_offset(0));
  auto first = allocator.pick();
  CHECK(first->value().to_string() == "10.0.0.1");
  auto second = allocator.pick();
  CHECK(second->value().to_string() == "10.0.0.2");
  CHECK_FALSE(allocator.hold(address("10.0.0.1")).has_value());
  CHECK_FALSE(allocator.taken(address("10.0.0.1")));
  first->rollback();
  CHECK(allocator.pick()->value().to_string() == "10.0.0.1"); // and given back at once
  {
    const auto asked = allocator.hold(address("10.0.0.3"));
    CHECK(asked->value().to_string() == "10.0.0.3");
  }
  CHECK(allocator.hold(address("10.0.0.3")).has_value());
  CHECK_FALSE(allocator.hold(address("10.0.0.0")).has_value());
  CHECK_FALSE(allocator.hold(address("10.0.0.15")).has_value());
  CHECK_FALSE(allocator.hold(address("fd00::1")).has_value());
  auto moved = std::move(second);
  moved->commit();
  CHECK(allocator.taken(address("10.0.0.2")));
  CHECK(allocator.taken_count() == 1);
}

TEST_CASE("what the store tells counts, also while an address is held") {
  Allocator allocator(range("10.0.0.0/28"), at_offset(0));
  auto held = allocator.pick();
  allocator.reserve(held->value()); // another writer was faster
  held->rollback();
  CHECK(allocator.taken(address("10.0.0.1")));
  CHECK(take(allocator) == "10.0.0.2");
  allocator.reserve(address("10.0.0.2")); // our own claim, seen again
  CHECK(allocator.taken_count() == 2);
  auto conflict = allocator.pick();
  conflict->commit(); // its claim exists already
  CHECK(take(allocator) == "10.0.0.4");
  allocator.reserve(address("192.168.0.1")); // not ours
  allocator.release(address("192.168.0.1"));
  allocator.release(address("10.0.0.9")); // was not taken
  CHECK(allocator.taken_count() == 4);
}

TEST_CASE("a released address is given again only after the rest of its band") {
  Allocator allocator(range("10.0.0.0/28"), at_offset(0)); // no static band
  CHECK(take(allocator) == "10.0.0.1");
  CHECK(take(allocator) == "10.0.0.2");
  allocator.release(address("10.0.0.1"));
  for (int i = 3; i <= 14; ++i) CHECK(take(allocator) == "10.0.0." + std::to_string(i));
  CHECK(take(allocator) == "10.0.0.1");
  CHECK(take(allocator) == "full");

  SUBCASE("but can be asked for at once") {
    allocator.release(address("10.0.0.7"));
    CHECK(allocator.hold(address("10.0.0.7")).has_value());
  }
  SUBCASE("and rather than an address of the static band") {
    Allocator banded(range("10.0.0.0/27"), at_offset(0));
    for (int i = 17; i <= 30; ++i) CHECK(take(banded) == "10.0.0." + std::to_string(i));
    banded.release(address("10.0.0.20"));
    CHECK(take(banded) == "10.0.0.20");
    CHECK(take(banded) == "10.0.0.1");
  }
}

TEST_CASE("withheld addresses are given last, but at once to those who ask for them") {
  Allocator allocator(range("10.0.0.0/28"), at_offset(0));
  allocator.withhold(address("10.0.0.1"));
  allocator.withhold(address("10.0.0.1"));
  CHECK(take(allocator) == "10.0.0.2");
  auto asked = allocator.hold(address("10.0.0.1"));
  CHECK(asked.has_value());
  asked.reset();
  for (int i = 3; i <= 14; ++i) CHECK(take(allocator) == "10.0.0." + std::to_string(i));
  asked = allocator.hold(address("10.0.0.1"));
  CHECK(take(allocator) == "full");
  asked->commit();
  CHECK(take(allocator) == "full");
  allocator.release(address("10.0.0.1"));
  allocator.release(address("10.0.0.3"));
  CHECK(take(allocator) == "10.0.0.3"); // what rests comes before what is withheld
  CHECK(take(allocator) == "10.0.0.1");
  CHECK(take(allocator) == "full");
}

TEST_CASE("large ranges behave as small ones") {
  for (const char* prefix : {"10.0.0.0/8", "64.0.0.0/2", "fd00::/64", "fd00::/100"}) {
    CAPTURE(prefix);
    Allocator allocator(range(prefix), at_offset(10));
    const auto first = range(prefix).static_size() + 10;
    for (std::uint64_t i = 0; i < 200; ++i) CHECK(take(allocator) == range(prefix).at(first + i).to_string());
    for (std::uint64_t i = 0; i < 200; i += 2) allocator.release(range(prefix).at(first + i));
    CHECK(allocator.taken_count() == 100);
    CHECK(take(allocator) == range(prefix).at(first + 200).to_string());
    CHECK(allocator.hold(range(prefix).at(first)).has_value());
    CHECK_FALSE(allocator.hold(range(prefix).at(first + 1)).has_value());
  }
}

TEST_CASE("a set of bits agrees with a set of numbers, dense and sparse") {
  for (const std::uint64_t size : {std::uint64_t{1000}, std::uint64_t{1} << 40}) {
    BitSet bits(size), other(size);
    std::set<std::uint64_t> numbers, others;
    std::mt19937 random(7);
    const std::uint64_t base = size - 1000;
    for (int step = 0; step < 3000; ++step) {
      const std::uint64_t n = base + random() % 1000;
      if (random() % 3 != 0) {
        bits.set(n);
        numbers.insert(n);
      } else {
        bits.reset(n);
        numbers.erase(n);
      }
      if (random() % 2 != 0) {
        other.set(n);
        others.insert(n);
      }
      std::uint64_t from = base + random() % 1000, to = base + random() % 1001;
      std::optional<std::uint64_t> clear;
      for (std::uint64_t i = from; i < to && !clear; ++i) {
        if (!numbers.contains(i)) clear = i;
      }
      REQUIRE(bits.next_clear(from, to) == clear);
      REQUIRE(bits.test(n) == numbers.contains(n));
      if (from > to) std::swap(from, to);
      REQUIRE(bits.count(from, to) ==
              static_cast<std::uint64_t>(std::distance(numbers.lower_bound(from), numbers.lower_bound(to))));
      if (step % 100 == 0) {
        bits.intersect(other, from, to);
        std::erase_if(numbers, [&](std::uint64_t i) { return i >= from && i < to && !others.contains(i); });
      }
    }
  }
}

TEST_CASE("many threads allocate and release, and no address is with two at once") {
  for (const char* prefix : {"10.0.0.0/24", "10.0.0.0/12", "fd00::/64"}) {
    CAPTURE(prefix);
    Allocator allocator(range(prefix));
    std::mutex mutex;
    std::set<model::Address> claims; // what the store would hold
    std::atomic<int> doubles = 0, given = 0;
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937 random(t);
        std::vector<model::Address> mine;
        for (int i = 0; i < 2000; ++i) {
          if (mine.size() > 30 && random() % 2 == 0) {
            const std::size_t at = random() % mine.size();
            {
              const std::lock_guard lock(mutex);
              claims.erase(mine[at]);
            }
            allocator.release(mine[at]);
            mine[at] = mine.back();
            mine.pop_back();
            continue;
          }
          auto held = random() % 4 == 0 ? allocator.hold(allocator.range().at(random() % 200)) : allocator.pick();
          if (!held || random() % 5 == 0) continue; // rolled back
          {
            const std::lock_guard lock(mutex);
            if (!claims.insert(held->value()).second) ++doubles;
          }
          mine.push_back(held->value());
          held->commit();
          ++given;
        }
        for (const model::Address& a : mine) {
          const std::lock_guard lock(mutex);
          claims.erase(a);
          allocator.release(a);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(doubles == 0);
    CHECK(given > 1000);
    CHECK(claims.empty());
    CHECK(allocator.taken_count() == 0);
  }
}

TEST_CASE("node ports: static band, order, bounds") {
  struct Row {
    std::uint16_t first, last;
    std::uint64_t band;
  };
  for (const Row& row :
       {Row{30000, 32767, 86}, Row{30000, 30015, 0}, Row{30000, 30016, 16}, Row{1, 65535, 128}, Row{30000, 30000, 0}}) {
    CHECK(PortAllocator(row.first, row.last).static_size() == row.band);
  }
  PortAllocator ports(30000, 32767, at_offset(0));
  CHECK(ports.pick()->value() == 30086);
  CHECK_FALSE(ports.hold(29999).has_value());
  CHECK_FALSE(ports.hold(32768).has_value());
  CHECK_FALSE(ports.contains(-1));
  CHECK_FALSE(ports.contains(30000 + 65536));
  ports.hold(30000)->commit();
  CHECK(ports.taken(30000));
  ports.release(30000);
  CHECK_FALSE(ports.taken(30000));
  ports.reserve(30086);
  ports.reserve(1);
  ports.release(1);
  CHECK(ports.taken_count() == 1);

  PortAllocator few(30000, 30003);
  std::set<std::uint16_t> seen;
  while (auto held = few.pick()) {
    CHECK(seen.insert(held->value()).second);
    held->commit();
  }
  CHECK(seen == std::set<std::uint16_t>{30000, 30001, 30002, 30003});
}

} // namespace signpost::vip
