// A pool of numbers 0 … size-1 that are given out one by one: what the allocators of addresses and of ports share.
//
// Two bands: the first numbers are the static band, given out only when the dynamic band behind it is used up. Within
// a band the search starts at random and walks up, with wrap-around. A number that came back rests: it is given out
// again only when nothing else is left in its band, so that clients that still use it do not meet a stranger.
// A number is free, held (picked, its transaction not decided), or taken.
//
// Memory: two bits per number up to 4 million numbers, beyond that in proportion to what is taken.
// Threads: all functions may be called from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace signpost::vip {

/// A number from [0, bound), bound > 0. Called under the pool's lock, so it needs none of its own.
using Random = std::function<std::uint64_t(std::uint64_t bound)>;

/// Seeded by the system.
[[nodiscard]] Random system_random();

/// A set of numbers below a size, by bits; sparse where the size is large.
class BitSet {
public:
  explicit BitSet(std::uint64_t size);

  [[nodiscard]] bool test(std::uint64_t index) const { return (word(index / 64) >> (index % 64) & 1) != 0; }
  void set(std::uint64_t index);
  void reset(std::uint64_t index);

  /// The first number of [from, to) that is not in the set.
  [[nodiscard]] std::optional<std::uint64_t> next_clear(std::uint64_t from, std::uint64_t to) const;

  /// Keeps of [from, to) only what is in `other` too.
  void intersect(const BitSet& other, std::uint64_t from, std::uint64_t to);

  /// Numbers of [from, to) in the set.
  [[nodiscard]] std::uint64_t count(std::uint64_t from, std::uint64_t to) const;

private:
  [[nodiscard]] std::uint64_t word(std::uint64_t at) const;

  bool dense_;
  std::vector<std::uint64_t> words_;
  std::unordered_map<std::uint64_t, std::uint64_t> sparse_; // no word is zero
};

class Pool {
public:
  /// static_size <= size.
  Pool(std::uint64_t size, std::uint64_t static_size, Random random);

  /// Holds a free number. nullopt: none is left.
  [[nodiscard]] std::optional<std::uint64_t> pick();

  /// Holds this one. false: it is taken or held.
  [[nodiscard]] bool hold(std::uint64_t index);

  /// A held number is taken from now on.
  void commit(std::uint64_t index);

  /// A held number is what it was before; it does not rest, for nobody got to know it.
  void rollback(std::uint64_t index);

  /// Taken, whatever it was (told by the store). Again: no change.
  void reserve(std::uint64_t index);

  /// No longer taken. Not taken: no change.
  void release(std::uint64_t index);

  /// pick() gives this one out when nothing else is left, in the order in which they were withheld.
  void withhold(std::uint64_t index);

  [[nodiscard]] bool taken(std::uint64_t index) const;
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::uint64_t taken_count() const;

private:
  struct Band {
    std::uint64_t begin, end;
    std::uint64_t blocked = 0; // how many of its numbers are in blocked_
  };
  struct InFlight {
    std::uint64_t index;
    bool was_blocked; // it rested, or is withheld
  };

  [[nodiscard]] Band& band_of(std::uint64_t index) { return bands_[index < bands_[1].end ? 1 : 0]; }
  [[nodiscard]] bool in_flight(std::uint64_t index) const;
  bool end_flight(std::uint64_t index, bool& was_blocked);
  void block(std::uint64_t index);
  void unblock(std::uint64_t index);
  void end_rest(Band& band);

  const std::uint64_t size_;
  Random random_;
  mutable std::mutex mutex_;
  Band bands_[2]; // dynamic, static: the order of preference
  BitSet taken_;
  BitSet blocked_; // not to be picked: taken, held, withheld or resting
  std::uint64_t taken_count_ = 0;
  std::vector<InFlight> held_; // as many as transactions run
  std::vector<std::uint64_t> withheld_;
};

/// Something held of a pool; given back when destroyed, unless commit() was called. The pool must outlive it.
template <class T>
class Held {
public:
  Held(Pool& pool, std::uint64_t index, T value) : pool_(&pool), index_(index), value_(value) {}
  Held(Held&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), index_(other.index_), value_(other.value_) {}
  Held& operator=(Held&& other) noexcept {
    if (this != &other) {
      rollback();
      pool_ = std::exchange(other.pool_, nullptr);
      index_ = other.index_;
      value_ = other.value_;
    }
    return *this;
  }
  ~Held() { rollback(); }

  [[nodiscard]] const T& value() const { return value_; }

  /// The claim is in the store: ours after the transaction succeeded, or someone else's, if it failed because of
  /// this claim. Either way it is taken until released.
  void commit() {
    if (Pool* const pool = std::exchange(pool_, nullptr)) pool->commit(index_);
  }
  void rollback() {
    if (Pool* const pool = std::exchange(pool_, nullptr)) pool->rollback(index_);
  }

private:
  Pool* pool_;
  std::uint64_t index_;
  T value_;
};

} // namespace signpost::vip
