// The cache of forwarded answers: found by packet workers without a lock, written by one thread at a time.
//
// The idea: a log. Entries are written one behind the other into segments of one arena, which is as large as the budget
// and touched as it fills. When the log comes round, the oldest segment is emptied: what is expired or was not used
// since it was written is forgotten, the rest is written again at the head (second chance). So there is no free list
// and no fragmentation, memory never exceeds the budget, and readers pay one store on a first hit. Entries hang in hash
// chains; an emptied segment is overwritten only after every reader has passed (zone/index/epoch.hpp).
//
// Threads: find() from any registered reader, its result is valid until the reader's next quiescent state; insert()
// from any, one after the other (two where a reload hands the cache on), and never waits for readers; counts() from
// any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "server/cache/answer.hpp"
#include "zone/index/epoch.hpp"
#include "zone/wire/query.hpp"

namespace signpost::server {

/// Milliseconds of a clock that never goes back; any start.
using CacheTime = std::uint64_t;

/// CLOCK_MONOTONIC_COARSE: a few nanoseconds, right to a few milliseconds.
[[nodiscard]] CacheTime coarse_now() noexcept;

/// What an answer is found by. DO and CD are part of it: with them an upstream says other things.
struct CacheKey {
  std::span<const std::uint8_t> qname; // wire form, lower case; eight octets can be read there
  std::uint16_t type = 0;
  bool dnssec_ok = false, checking_disabled = false;
};

[[nodiscard]] inline CacheKey cache_key(const wire::Query& query) {
  return {query.qname(), query.type, query.dnssec_ok, query.checking_disabled()};
}

class Cache {
public:
  /// `bytes`: all the memory it may ever use, from 64 KiB to 4 GiB (other values are brought there).
  explicit Cache(std::size_t bytes);
  ~Cache();
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  struct Hit {
    AnswerView answer;     // points into the cache
    std::uint32_t age = 0; // seconds since it was stored
  };

  /// The answer for this key that is not expired at `now`.
  [[nodiscard]] std::optional<Hit> find(const CacheKey& key, CacheTime now) const noexcept;

  /// Keeps `answer` for answer.lifetime seconds in place of what is there. False: not kept (lifetime 0, too large, or
  /// the log has come round and a reader is still where it would go on).
  bool insert(const CacheKey& key, const Answer& answer, CacheTime now);

  struct Counts {
    std::uint64_t entries = 0;  // now, expired ones that still take room included
    std::uint64_t bytes = 0;    // now, in segments
    std::uint64_t inserted = 0; // since the start, as below
    std::uint64_t evicted = 0;  // forgotten before they expired
    std::uint64_t kept = 0;     // written again, because they were in use
  };
  [[nodiscard]] Counts counts() const;

  /// Bytes of memory reserved: never more than the budget.
  [[nodiscard]] std::size_t capacity() const { return mapped_; }

private:
  struct Entry;
  struct Segment {
    std::size_t used = 0; // octets written
  };

  [[nodiscard]] Entry* at(std::uint32_t unit) const noexcept;
  [[nodiscard]] std::atomic<std::uint32_t>& head(std::uint32_t hash) const noexcept;
  [[nodiscard]] std::uint32_t hash_of(const CacheKey& key) const noexcept;
  [[nodiscard]] std::uint32_t find_unit(const CacheKey& key, std::uint32_t hash) const noexcept;
  void link(Entry& entry, std::uint32_t unit) noexcept;
  void unlink(std::uint32_t unit) noexcept;
  [[nodiscard]] bool advance(CacheTime now);
  void empty(std::size_t segment, CacheTime now);
  [[nodiscard]] std::uint32_t allocate(std::size_t size) noexcept;

  std::mutex writing_;
  std::uint8_t* memory_ = nullptr; // chain heads, then the segments
  std::size_t mapped_ = 0;
  std::uint8_t* arena_ = nullptr;
  std::size_t heads_ = 0; // a power of two
  std::size_t segment_size_ = 0;
  std::vector<Segment> segments_;
  std::size_t current_ = 0; // segment being written; the one behind it is empty and free of readers
  zone::Epoch grace_ = 0;   // over: no reader is left in the segment behind the current one

  std::atomic<std::uint64_t> entries_{0}, bytes_{0}, inserted_{0}, evicted_{0}, kept_{0};
};

} // namespace signpost::server
