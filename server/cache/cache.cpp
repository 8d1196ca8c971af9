#include "server/cache/cache.hpp"

#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "zone/index/hash.hpp"

namespace signpost::server {

namespace {

constexpr std::size_t unit_size = 8;        // entries are addressed in units: 32 bits reach 32 GiB
constexpr std::size_t bytes_per_head = 128; // a typical entry is about as large: chains stay near one
constexpr std::size_t least_bytes = std::size_t{64} << 10, most_bytes = std::size_t{4} << 30;

std::uint8_t key_flags(const CacheKey& key) noexcept {
  return static_cast<std::uint8_t>((key.dnssec_ok ? 1 : 0) | (key.checking_disabled ? 2 : 0));
}

} // namespace

CacheTime coarse_now() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<CacheTime>(now.tv_sec) * 1000 + static_cast<CacheTime>(now.tv_nsec) / 1000000;
}

/// Followed by the TTL offsets, the qname, the tail and the extended errors.
struct Cache::Entry {
  struct Constant { // since it was linked
    CacheTime stored = 0, expires = 0;
    std::uint32_t hash = 0;
    std::uint32_t size = 0; // octets, a multiple of the unit
    std::uint16_t type = 0;
    std::uint8_t flags = 0;
    std::uint8_t qname_length = 0;
    std::uint16_t ttl_count = 0, tail_length = 0;
    std::uint8_t errors_length = 0;
    AnswerShape shape;
  };

  explicit Entry(const Constant& constant) : is(constant) {}

  Constant is;
  std::atomic<std::uint32_t> next{0};    // unit of the next in the chain, 0: none
  mutable std::atomic<bool> used{false}; // found since it was written

  [[nodiscard]] const std::uint16_t* ttl_at() const { return reinterpret_cast<const std::uint16_t*>(this + 1); }
  [[nodiscard]] const std::uint8_t* qname() const {
    return reinterpret_cast<const std::uint8_t*>(ttl_at() + is.ttl_count);
  }
  [[nodiscard]] const std::uint8_t* tail() const { return qname() + is.qname_length; }
  [[nodiscard]] bool matches(const CacheKey& key, std::uint32_t hash) const noexcept {
    return is.hash == hash && is.type == key.type && is.flags == key_flags(key) &&
           is.qname_length == key.qname.size() && std::memcmp(qname(), key.qname.data(), is.qname_length) == 0;
  }
};

Cache::Cache(std::size_t bytes) {
  bytes = std::clamp(bytes, least_bytes, most_bytes);
  heads_ = std::bit_floor(bytes / bytes_per_head);
  const std::size_t count = bytes < (std::size_t{1} << 20) ? 8 : 64;
  const std::size_t heads_bytes = heads_ * sizeof(std::uint32_t);
  segment_size_ = (bytes - heads_bytes) / count / 64 * 64;
  segments_.resize(count);
  mapped_ = heads_bytes + count * segment_size_;
  void* const memory =
      mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  memory_ = static_cast<std::uint8_t*>(memory);
  arena_ = memory_ + heads_bytes;
  segments_[0].used = unit_size; // unit 0 ends a chain
}

Cache::~Cache() { munmap(memory_, mapped_); }

Cache::Entry* Cache::at(std::uint32_t unit) const noexcept {
  return std::launder(reinterpret_cast<Entry*>(arena_ + std::size_t{unit} * unit_size));
}

std::atomic<std::uint32_t>& Cache::head(std::uint32_t hash) const noexcept {
  static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t)); // zero pages are null heads
  return reinterpret_cast<std::atomic<std::uint32_t>*>(memory_)[hash & (heads_ - 1)];
}

std::uint32_t Cache::hash_of(const CacheKey& key) const noexcept {
  const std::uint32_t name = zone::hash_octets(zone::hash_key(), key.qname.data(), key.qname.size());
  return name + (std::uint32_t{key.type} << 2 | key_flags(key)) * 0x9e3779b1u;
}

std::uint32_t Cache::find_unit(const CacheKey& key, std::uint32_t hash) const noexcept {
  std::uint32_t unit = head(hash).load(std::memory_order_acquire);
  while (unit != 0 && !at(unit)->matches(key, hash)) unit = at(unit)->next.load(std::memory_order_acquire);
  return unit;
}

std::optional<Cache::Hit> Cache::find(const CacheKey& key, CacheTime now) const noexcept {
  const std::uint32_t unit = find_unit(key, hash_of(key));
  if (unit == 0) return std::nullopt;
  const Entry& entry = *at(unit);
  if (now >= entry.is.expires) return std::nullopt;
  if (!entry.used.load(std::memory_order_relaxed)) entry.used.store(true, std::memory_order_relaxed);
  Hit hit;
  const std::uint8_t* const tail = entry.tail();
  hit.answer = {entry.is.shape,
                {tail + entry.is.tail_length, entry.is.errors_length},
                {entry.ttl_at(), entry.is.ttl_count},
                {tail, entry.is.tail_length}};
  hit.age = now > entry.is.stored ? static_cast<std::uint32_t>((now - entry.is.stored) / 1000) : 0;
  return hit;
}

void Cache::link(Entry& entry, std::uint32_t unit) noexcept {
  std::atomic<std::uint32_t>& first = head(entry.is.hash);
  entry.next.store(first.load(std::memory_order_relaxed), std::memory_order_relaxed);
  first.store(unit, std::memory_order_release);
  entries_.fetch_add(1, std::memory_order_relaxed);
}

void Cache::unlink(std::uint32_t unit) noexcept {
  const Entry& entry = *at(unit);
  std::atomic<std::uint32_t>* from = &head(entry.is.hash);
  for (std::uint32_t other = from->load(std::memory_order_relaxed); other != 0 && other != unit;) {
    from = &at(other)->next;
    other = from->load(std::memory_order_relaxed);
  }
  if (from->load(std::memory_order_relaxed) != unit) return; // replaced before
  from->store(entry.next.load(std::memory_order_relaxed), std::memory_order_release);
  entries_.fetch_sub(1, std::memory_order_relaxed);
}

std::uint32_t Cache::allocate(std::size_t size) noexcept {
  Segment& segment = segments_[current_];
  if (segment_size_ - segment.used < size) return 0;
  const std::size_t offset = current_ * segment_size_ + segment.used;
  segment.used += size;
  bytes_.fetch_add(size, std::memory_order_relaxed);
  return static_cast<std::uint32_t>(offset / unit_size);
}

bool Cache::insert(const CacheKey& key, const Answer& answer, CacheTime now) {
  if (answer.lifetime == 0 || key.qname.empty() || key.qname.size() > wire::max_name) return false;
  const AnswerView view = answer.view();
  const std::size_t size = (sizeof(Entry) + view.ttl_at.size_bytes() + key.qname.size() + view.tail.size() +
                            view.errors.size() + unit_size - 1) /
                           unit_size * unit_size;
  if (size > segment_size_ / 2) return false;
  const std::lock_guard lock(writing_);
  std::uint32_t unit = allocate(size);
  if (unit == 0) {
    if (!advance(now)) return false;
    unit = allocate(size);
    if (unit == 0) return false;
  }
  const std::uint32_t hash = hash_of(key);
  const std::uint32_t old = find_unit(key, hash);
  std::uint8_t* const place = arena_ + std::size_t{unit} * unit_size;
  Entry* const entry = new (place) Entry({.stored = now,
                                          .expires = now + CacheTime{answer.lifetime} * 1000,
                                          .hash = hash,
                                          .size = static_cast<std::uint32_t>(size),
                                          .type = key.type,
                                          .flags = key_flags(key),
                                          .qname_length = static_cast<std::uint8_t>(key.qname.size()),
                                          .ttl_count = static_cast<std::uint16_t>(view.ttl_at.size()),
                                          .tail_length = static_cast<std::uint16_t>(view.tail.size()),
                                          .errors_length = static_cast<std::uint8_t>(view.errors.size()),
                                          .shape = answer});
  std::uint8_t* behind = place + sizeof(Entry);
  const auto append = [&behind](const void* octets, std::size_t length) {
    if (length > 0) std::memcpy(behind, octets, length);
    behind += length;
  };
  append(view.ttl_at.data(), view.ttl_at.size_bytes());
  append(key.qname.data(), key.qname.size());
  append(view.tail.data(), view.tail.size());
  append(view.errors.data(), view.errors.size());
  link(*entry, unit);
  if (old != 0) unlink(old);
  inserted_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

bool Cache::advance(CacheTime now) {
  if (!zone::grace_over(grace_)) return false;
  current_ = (current_ + 1) % segments_.size();
  empty((current_ + 1) % segments_.size(), now);
  grace_ = zone::begin_grace();
  return true;
}

void Cache::empty(std::size_t segment, CacheTime now) {
  const std::size_t base = segment * segment_size_;
  const std::size_t start = segment == 0 ? unit_size : 0;
  std::size_t offset = start;
  while (offset < segments_[segment].used) {
    const auto unit = static_cast<std::uint32_t>((base + offset) / unit_size);
    const Entry& entry = *at(unit);
    offset += entry.is.size;
    bool linked = false;
    for (std::uint32_t u = head(entry.is.hash).load(std::memory_order_relaxed); u != 0 && !linked;
         u = at(u)->next.load(std::memory_order_relaxed))
      linked = u == unit;
    if (linked && now < entry.is.expires) {
      // Half of the new segment at most: the other half is for what comes.
      const bool keep =
          entry.used.load(std::memory_order_relaxed) && segments_[current_].used + entry.is.size <= segment_size_ / 2;
      if (const std::uint32_t to = keep ? allocate(entry.is.size) : 0; to != 0) {
        std::uint8_t* const copy = arena_ + std::size_t{to} * unit_size;
        Entry* const moved = new (copy) Entry(entry.is);
        std::memcpy(copy + sizeof(Entry), &entry + 1, entry.is.size - sizeof(Entry));
        link(*moved, to);
        kept_.fetch_add(1, std::memory_order_relaxed);
      } else {
        evicted_.fetch_add(1, std::memory_order_relaxed);
      }
    }
    if (linked) unlink(unit);
  }
  bytes_.fetch_sub(segments_[segment].used - start, std::memory_order_relaxed);
  segments_[segment].used = start;
}

Cache::Counts Cache::counts() const {
  return {.entries = entries_.load(std::memory_order_relaxed),
          .bytes = bytes_.load(std::memory_order_relaxed),
          .inserted = inserted_.load(std::memory_order_relaxed),
          .evicted = evicted_.load(std::memory_order_relaxed),
          .kept = kept_.load(std::memory_order_relaxed)};
}

} // namespace signpost::server
