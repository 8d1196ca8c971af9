#include "server/cache/cache.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/zone/wire/response_builder.hpp"
#include "zone/wire/octets.hpp"

using namespace signpost;
using namespace signpost::testing;
using server::Answer;
using server::Cache;
using server::CacheKey;

namespace {

/// A key that owns its name.
struct Key {
  Octets octets; // padded: eight octets can be read
  CacheKey key;

  explicit Key(const std::string& text, std::uint16_t type = 1, bool dnssec = false, bool checking_disabled = false)
      : octets(name(text)) {
    const std::size_t length = octets.size();
    octets.resize(length + 8);
    key = {{octets.data(), length}, type, dnssec, checking_disabled};
  }
  operator const CacheKey&() const { return key; }
};

/// An answer of one record whose rdata is `filler` octets of `mark`.
const Answer& answer(std::uint32_t lifetime, std::uint8_t mark, std::size_t filler = 4) {
  static thread_local const auto made = std::make_unique<Answer>();
  server::compile_error(0, lifetime, *made);
  const Octets record = Message::record(pointer(12), 16, lifetime, Octets(filler, mark));
  std::copy(record.begin(), record.end(), made->wire.begin());
  made->length = record.size();
  made->answers = 1;
  made->ttl_count = 1;
  made->ttl_at[0] = 6;
  return *made;
}

constexpr std::size_t budget = 256 << 10;

} // namespace

TEST_CASE("what was put in is found until it expires, and is as old as it is") {
  Cache cache(budget);
  const Key key("www.example.com");
  CHECK_FALSE(cache.find(key, 0));
  REQUIRE(cache.insert(key, answer(30, 7), 5000));
  struct Row {
    server::CacheTime now;
    bool found;
    std::uint32_t age;
  };
  for (const Row& row :
       {Row{5000, true, 0}, Row{5999, true, 0}, Row{6000, true, 1}, Row{34999, true, 29}, Row{35000, false, 0}}) {
    CAPTURE(row.now);
    const auto hit = cache.find(key, row.now);
    REQUIRE(hit.has_value() == row.found);
    if (!hit) continue;
    CHECK(hit->age == row.age);
    CHECK(hit->answer.tail.back() == 7);
    CHECK(hit->answer.ttl_at.size() == 1);
    CHECK(hit->answer.answers == 1);
    CHECK_FALSE(hit->answer.authoritative);
  }
}

TEST_CASE("name, type, DO and CD each make another key") {
  Cache cache(budget);
  REQUIRE(cache.insert(Key("www.example.com"), answer(30, 1), 0));
  for (const Key& key : {Key("wwx.example.com"), Key("www.example.com", 28), Key("www.example.com", 1, true),
                         Key("www.example.com", 1, false, true), Key("example.com"), Key(".")}) {
    CHECK_FALSE(cache.find(key, 0));
    CHECK(cache.insert(key, answer(30, 2), 0));
  }
  CHECK(cache.find(Key("www.example.com"), 0)->answer.tail.back() == 1);
  CHECK(cache.counts().entries == 7);
}

TEST_CASE("a later answer takes the place of an earlier one") {
  Cache cache(budget);
  const Key key("www.example.com");
  for (std::uint8_t mark = 1; mark < 100; ++mark) REQUIRE(cache.insert(key, answer(30, mark), 0));
  CHECK(cache.find(key, 0)->answer.tail.back() == 99);
  CHECK(cache.counts().entries == 1);
}

TEST_CASE("TTL 0 and what is larger than half a segment is not kept") {
  Cache cache(64 << 10);
  CHECK_FALSE(cache.insert(Key("a.example"), answer(0, 1), 0));
  CHECK_FALSE(cache.insert(Key("a.example"), answer(30, 1, 60000), 0));
  CHECK_FALSE(cache.find(Key("a.example"), 0));
  CHECK(cache.insert(Key("a.example"), answer(30, 1, 2000), 0));
}

TEST_CASE("memory stays within the budget whatever comes in; the used survive, the unused go") {
  Cache cache(budget);
  CHECK(cache.capacity() <= budget);
  const Key used("used.example.com");
  REQUIRE(cache.insert(used, answer(3600, 42), 0));
  std::size_t missing = 0;
  for (int i = 0; i < 50000; ++i) {
    REQUIRE(cache.insert(Key("n" + std::to_string(i) + ".example.com"), answer(3600, 1, 60), 1000));
    if (!cache.find(used, 1000)) ++missing;
  }
  CHECK(missing == 0);
  const auto counts = cache.counts();
  CHECK(counts.bytes <= budget);
  CHECK(counts.bytes > budget / 2);
  CHECK(counts.entries > 500);
  CHECK(counts.entries < 3000);
  CHECK(counts.evicted > 40000);
  CHECK(counts.kept > 0);
  CHECK(counts.inserted == 50001);
  CHECK_FALSE(cache.find(Key("n0.example.com"), 1000));
  CHECK(cache.find(Key("n49999.example.com"), 1000));
  CHECK(cache.find(used, 1000)->answer.tail.back() == 42);
}

TEST_CASE("expired entries are forgotten, not counted as evicted") {
  Cache cache(64 << 10);
  for (int i = 0; i < 20000; ++i)
    REQUIRE(cache.insert(Key("n" + std::to_string(i)), answer(1, 1), static_cast<server::CacheTime>(i) * 100));
  CHECK(cache.counts().evicted == 0);
}

TEST_CASE("budgets outside the bounds are brought there") {
  CHECK(Cache(0).capacity() <= 64 << 10);
  CHECK(Cache(0).capacity() > 32 << 10);
  CHECK(Cache(16 << 20).capacity() <= 16 << 20);
}

TEST_CASE("a reader that holds an entry keeps the log from coming round over it") {
  zone::ReaderThread reader;
  Cache cache(64 << 10);
  REQUIRE(cache.insert(Key("held.example"), answer(3600, 9, 100), 0));
  reader.quiescent();
  const auto held = cache.find(Key("held.example"), 0);
  REQUIRE(held);
  std::size_t refused = 0;
  for (int i = 0; i < 5000; ++i) refused += cache.insert(Key("n" + std::to_string(i)), answer(3600, 1, 100), 0) ? 0 : 1;
  CHECK(refused > 0);
  CHECK(std::all_of(held->answer.tail.end() - 100, held->answer.tail.end(), [](std::uint8_t o) { return o == 9; }));
  reader.quiescent();
  CHECK(cache.insert(Key("after.example"), answer(3600, 1, 100), 0));
}

TEST_CASE("readers see whole entries while the writer replaces and evicts") {
  Cache cache(64 << 10);
  std::vector<Key> keys;
  for (int i = 0; i < 64; ++i) keys.emplace_back("k" + std::to_string(i) + ".example.com");
  std::atomic<bool> done{false};
  std::atomic<std::size_t> hits{0}, torn{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 2; ++t) {
    readers.emplace_back([&, t] {
      zone::ReaderThread reader;
      std::size_t seen = 0;
      while (!done.load(std::memory_order_relaxed)) {
        for (std::size_t i = 0; i < 32; ++i) {
          const auto hit = cache.find(keys[(seen++ * 7 + static_cast<std::size_t>(t)) % keys.size()], 0);
          if (!hit) continue;
          hits.fetch_add(1, std::memory_order_relaxed);
          const auto rdata = hit->answer.tail.last(hit->answer.tail.size() - 12);
          if (!std::all_of(rdata.begin(), rdata.end(), [&](std::uint8_t o) { return o == rdata[0]; })) ++torn;
        }
        reader.quiescent();
      }
    });
  }
  std::size_t kept = 0;
  for (int round = 0; round < 60000 || hits.load() < 10000; ++round) {
    const auto i = static_cast<std::size_t>(round);
    kept +=
        cache.insert(keys[i * 13 % keys.size()], answer(60, static_cast<std::uint8_t>(round), 40 + i % 50), 0) ? 1 : 0;
    if (i % 256 == 0) std::this_thread::yield();
  }
  done = true;
  for (auto& reader : readers) reader.join();
  CHECK(torn == 0);
  CHECK(kept > 0);
}
