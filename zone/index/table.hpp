// The slots of the index: open addressing over eight-octet slots {hash, reference}, read without a lock while one
// writer changes it.
//
// A slot is one atomic word, so a reader sees it whole: empty, a tombstone, or an entry that was complete before the
// slot pointed at it. Growth fills a new array and publishes it at once; the old one is handed to the writer to free
// after a grace period. The hash is kept in the slot, so growth touches no entry. Neither hash nor reference is ever 0:
// a tombstone is the slot that has a reference without a hash.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace signpost::zone {

class Table {
public:
  using Slot = std::atomic<std::uint64_t>;
  /// An array of slots as readers see it; `mask` + 1 slots follow.
  struct Slots {
    std::size_t mask;
    [[nodiscard]] Slot* begin() { return reinterpret_cast<Slot*>(this + 1); }
    [[nodiscard]] const Slot* begin() const { return reinterpret_cast<const Slot*>(this + 1); }
    [[nodiscard]] std::size_t octets() const { return sizeof(Slots) + (mask + 1) * sizeof(Slot); }
  };
  struct Free {
    void operator()(Slots* slots) const noexcept;
  };
  using Owned = std::unique_ptr<Slots, Free>;

  Table();

  /// Reader: the reference of the first slot with this hash that `matches(reference)` accepts; 0: none.
  template <class Matches>
  [[nodiscard]] std::uint32_t find(std::uint32_t hash, Matches&& matches) const noexcept {
    const Slots* slots = slots_.load(std::memory_order_acquire);
    const Slot* begin = slots->begin();
    for (std::size_t at = hash & slots->mask;; at = (at + 1) & slots->mask) {
      const std::uint64_t slot = begin[at].load(std::memory_order_acquire);
      if (slot == empty) return 0;
      if (static_cast<std::uint32_t>(slot >> 32) != hash) continue;
      const std::uint32_t reference = static_cast<std::uint32_t>(slot);
      if (matches(reference)) return reference;
    }
  }

  /// Writer: calls see(reference) for each slot.
  template <class See>
  void for_each(See&& see) const {
    for (std::size_t i = 0; i <= owned_->mask; ++i) {
      const std::uint64_t slot = owned_->begin()[i].load(std::memory_order_relaxed);
      if (slot != empty && slot != tombstone) see(static_cast<std::uint32_t>(slot));
    }
  }

  /// Writer: adds a slot. There must be room (reserve()).
  void insert(std::uint32_t hash, std::uint32_t reference) noexcept;
  /// Writer: the slot of exactly this hash and reference; it exists.
  void replace(std::uint32_t hash, std::uint32_t from, std::uint32_t to) noexcept;
  void erase(std::uint32_t hash, std::uint32_t reference) noexcept;
  /// Writer: makes room for one more. Returns the array that readers may still use, if it was replaced.
  [[nodiscard]] Owned reserve();

  [[nodiscard]] std::size_t size() const { return live_; }
  [[nodiscard]] std::size_t octets() const { return owned_->octets(); }

private:
  static constexpr std::uint64_t empty = 0;
  static constexpr std::uint64_t tombstone = 1; // hash 0 matches nothing
  static constexpr std::uint64_t pack(std::uint32_t hash, std::uint32_t reference) {
    return (std::uint64_t{hash} << 32) | reference;
  }
  [[nodiscard]] static Owned allocate(std::size_t count);
  [[nodiscard]] Slot& slot_of(std::uint32_t hash, std::uint32_t reference) noexcept;

  Owned owned_;
  std::atomic<Slots*> slots_;
  std::size_t live_ = 0, filled_ = 0; // entries; entries and tombstones
};

} // namespace signpost::zone
