#include "discovery/vip/pool.hpp"

#include <algorithm>
#include <bit>
#include <iterator>
#include <memory>
#include <random>

namespace signpost::vip {
namespace {

constexpr std::uint64_t dense_limit = std::uint64_t{1} << 22; // 512 KiB of bits

// The bits of word `at` that lie in [from, to).
std::uint64_t mask_of(std::uint64_t at, std::uint64_t from, std::uint64_t to) {
  std::uint64_t mask = ~std::uint64_t{0};
  if (at == from / 64) mask &= ~std::uint64_t{0} << (from % 64);
  if (at == (to - 1) / 64 && to % 64 != 0) mask &= ~std::uint64_t{0} >> (64 - to % 64);
  return mask;
}

} // namespace

Random system_random() {
  auto engine = std::make_shared<std::minstd_rand>(std::random_device{}());
  return [engine](std::uint64_t bound) { return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(*engine); };
}

BitSet::BitSet(std::uint64_t size) : dense_(size <= dense_limit) {
  if (dense_) words_.resize((size + 63) / 64);
}

std::uint64_t BitSet::word(std::uint64_t at) const {
  if (dense_) return words_[at];
  const auto found = sparse_.find(at);
  return found == sparse_.end() ? 0 : found->second;
}

void BitSet::set(std::uint64_t index) {
  (dense_ ? words_[index / 64] : sparse_[index / 64]) |= std::uint64_t{1} << (index % 64);
}

void BitSet::reset(std::uint64_t index) {
  const std::uint64_t keep = ~(std::uint64_t{1} << (index % 64));
  if (dense_) {
    words_[index / 64] &= keep;
  } else if (const auto found = sparse_.find(index / 64); found != sparse_.end()) {
    found->second &= keep;
    if (found->second == 0) sparse_.erase(found);
  }
}

std::optional<std::uint64_t> BitSet::next_clear(std::uint64_t from, std::uint64_t to) const {
  if (from >= to) return std::nullopt;
  for (std::uint64_t at = from / 64; at <= (to - 1) / 64; ++at) {
    const std::uint64_t clear = ~word(at) & mask_of(at, from, to);
    if (clear != 0) return at * 64 + static_cast<std::uint64_t>(std::countr_zero(clear));
  }
  return std::nullopt;
}

void BitSet::intersect(const BitSet& other, std::uint64_t from, std::uint64_t to) {
  if (from >= to) return;
  const std::uint64_t first = from / 64;
  const std::uint64_t last = (to - 1) / 64;
  if (dense_) {
    for (std::uint64_t at = first; at <= last; ++at) words_[at] &= other.word(at) | ~mask_of(at, from, to);
    return;
  }
  for (auto entry = sparse_.begin(); entry != sparse_.end();) {
    if (entry->first >= first && entry->first <= last) {
      entry->second &= other.word(entry->first) | ~mask_of(entry->first, from, to);
    }
    entry = entry->second == 0 ? sparse_.erase(entry) : std::next(entry);
  }
}

std::uint64_t BitSet::count(std::uint64_t from, std::uint64_t to) const {
  if (from >= to) return 0;
  std::uint64_t sum = 0;
  const auto add = [&](std::uint64_t at, std::uint64_t bits) {
    sum += static_cast<std::uint64_t>(std::popcount(bits & mask_of(at, from, to)));
  };
  const std::uint64_t first = from / 64;
  const std::uint64_t last = (to - 1) / 64;
  if (dense_) {
    for (std::uint64_t at = first; at <= last; ++at) add(at, words_[at]);
  } else {
    for (const auto& [at, bits] : sparse_) {
      if (at >= first && at <= last) add(at, bits);
    }
  }
  return sum;
}

Pool::Pool(std::uint64_t size, std::uint64_t static_size, Random random)
    : size_(size), random_(std::move(random)), bands_{{static_size, size, 0}, {0, static_size, 0}}, taken_(size),
      blocked_(size) {}

std::optional<std::uint64_t> Pool::pick() {
  const std::lock_guard lock(mutex_);
  for (Band& band : bands_) {
    const std::uint64_t width = band.end - band.begin;
    if (band.blocked == width) end_rest(band);
    if (band.blocked == width) continue;
    const std::uint64_t start = band.begin + random_(width);
    auto found = blocked_.next_clear(start, band.end);
    if (!found) found = blocked_.next_clear(band.begin, start);
    if (!found) continue;
    held_.push_back({*found, false});
    block(*found);
    return found;
  }
  for (const std::uint64_t index : withheld_) {
    if (taken_.test(index) || in_flight(index)) continue;
    held_.push_back({index, true});
    return index;
  }
  return std::nullopt;
}

bool Pool::hold(std::uint64_t index) {
  const std::lock_guard lock(mutex_);
  if (taken_.test(index) || in_flight(index)) return false;
  held_.push_back({index, blocked_.test(index)});
  block(index);
  return true;
}

void Pool::commit(std::uint64_t index) {
  const std::lock_guard lock(mutex_);
  bool was_blocked = false;
  if (!end_flight(index, was_blocked) || taken_.test(index)) return;
  taken_.set(index);
  ++taken_count_;
}

void Pool::rollback(std::uint64_t index) {
  const std::lock_guard lock(mutex_);
  bool was_blocked = false;
  // The store may have told in the meantime that someone else took it.
  if (end_flight(index, was_blocked) && !was_blocked && !taken_.test(index)) unblock(index);
}

void Pool::reserve(std::uint64_t index) {
  const std::lock_guard lock(mutex_);
  if (taken_.test(index)) return;
  taken_.set(index);
  ++taken_count_;
  block(index);
}

void Pool::release(std::uint64_t index) {
  const std::lock_guard lock(mutex_);
  if (!taken_.test(index)) return;
  taken_.reset(index);
  --taken_count_;
}

void Pool::withhold(std::uint64_t index) {
  const std::lock_guard lock(mutex_);
  if (std::find(withheld_.begin(), withheld_.end(), index) != withheld_.end()) return;
  withheld_.push_back(index);
  block(index);
}

bool Pool::taken(std::uint64_t index) const {
  const std::lock_guard lock(mutex_);
  return taken_.test(index);
}

std::uint64_t Pool::taken_count() const {
  const std::lock_guard lock(mutex_);
  return taken_count_;
}

bool Pool::in_flight(std::uint64_t index) const {
  return std::any_of(held_.begin(), held_.end(), [&](const InFlight& held) { return held.index == index; });
}

bool Pool::end_flight(std::uint64_t index, bool& was_blocked) {
  const auto found =
      std::find_if(held_.begin(), held_.end(), [&](const InFlight& held) { return held.index == index; });
  if (found == held_.end()) return false;
  was_blocked = found->was_blocked;
  *found = held_.back();
  held_.pop_back();
  return true;
}

void Pool::block(std::uint64_t index) {
  if (blocked_.test(index)) return;
  blocked_.set(index);
  ++band_of(index).blocked;
}

void Pool::unblock(std::uint64_t index) {
  blocked_.reset(index);
  --band_of(index).blocked;
}

void Pool::end_rest(Band& band) {
  blocked_.intersect(taken_, band.begin, band.end);
  band.blocked = blocked_.count(band.begin, band.end);
  const auto in_band = [&](std::uint64_t index) { return index >= band.begin && index < band.end; };
  for (InFlight& held : held_) {
    if (!in_band(held.index)) continue;
    held.was_blocked = false;
    block(held.index);
  }
  for (const std::uint64_t index : withheld_) {
    if (!in_band(index)) continue;
    for (InFlight& held : held_) held.was_blocked |= held.index == index;
    block(index);
  }
}

} // namespace signpost::vip
