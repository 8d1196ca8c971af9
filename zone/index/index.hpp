// What the readers of a zone see: services by name, services by address, and the facts every answer needs.
//
// One table maps a service's key (its two labels, as both name forms have them) to its entry (entry.hpp); a second maps
// an address's hash to the services that have it, by a number that survives updates. Readers take no lock: they find
// slots whose entries never change, and may keep what they found until their next quiescent state (epoch.hpp). The
// writer's functions are for one thread. An update costs what the service is, never what the cluster is.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <utility>
#include <vector>

#include "discovery/memory/arena.hpp"
#include "zone/index/apex.hpp"
#include "zone/index/entry.hpp"
#include "zone/index/epoch.hpp"
#include "zone/index/hash.hpp"
#include "zone/index/table.hpp"

namespace signpost::zone {

/// What does not change while the zone lives.
struct IndexSettings {
  wire::WireName cluster;                             // where pointers from reverse zones lead
  std::vector<wire::WireName> origins;                // zones served
  std::vector<wire::WireName> partial;                // those of them of which others may know more names
  std::vector<std::array<std::uint8_t, 4>> server_v4; // of ns.dns, network order
  std::vector<std::array<std::uint8_t, 16>> server_v6;
  std::uint32_t ttl = 5; // seconds
};

class Index {
public:
  explicit Index(IndexSettings settings);
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  // Readers.
  [[nodiscard]] const std::vector<Apex>& apexes() const { return apexes_; } // most labels first
  [[nodiscard]] const IndexSettings& settings() const { return settings_; }
  [[nodiscard]] std::uint32_t serial() const { return serial_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool ready() const { return ready_.load(std::memory_order_acquire); }
  [[nodiscard]] bool stale() const { return stale_.load(std::memory_order_relaxed); }

  /// The entry of a key; empty: there is none. Eight octets from `key` on must be readable.
  [[nodiscard, gnu::always_inline]] inline Entry find(const std::uint8_t* key, std::size_t length) const noexcept {
    const std::uint32_t hash = hash_octets(hash_key_, key, length);
    const std::uint32_t found = entries_.find(hash, [&](std::uint32_t block) {
      const std::uint32_t* words = arena_.at(block);
      return (words[1] >> 24) == length &&
             wire::same_octets(reinterpret_cast<const std::uint8_t*>(words + Entry::header_words), key, length);
    });
    return found == 0 ? Entry() : Entry(arena_.at(found));
  }

  /// Calls see(Entry) for each service that has, or very rarely had a hash in common with, this address (4 or 16
  /// octets), until it returns false. The caller looks into the entry.
  template <class See>
  void each_with_address(std::span<const std::uint8_t> address, See&& see) const noexcept {
    const std::uint32_t found = addresses_.find(hash_address(address), [](std::uint32_t) { return true; });
    if (found == 0) return;
    if ((found & list_bit) == 0) {
      if (const Entry entry = by_id(found)) see(entry);
      return;
    }
    std::uint32_t before = 0; // a service that has several addresses of one hash is in the list as often, in a row
    for (std::uint32_t node = found & ~list_bit; node != 0; node = load(arena_.at(node)[1])) {
      const std::uint32_t id = load(arena_.at(node)[0]);
      if (id == std::exchange(before, id)) continue;
      if (const Entry entry = by_id(id); entry && !see(entry)) return;
    }
  }

  /// Whether some service has this address (4 or 16 octets), its own or an endpoint's.
  [[nodiscard]] bool has_address(std::span<const std::uint8_t> address) const noexcept;

  /// Whether some address of this family has a reverse name that begins (from its end) with these octets. `labels`: of
  /// the partial reverse name, fewer than a whole one's. IPv6: an odd number costs sixteen probes.
  [[nodiscard]] bool has_prefix(std::span<const std::uint8_t> octets, bool v6, unsigned labels) const noexcept;

  // The writer.
  /// Calls see(Entry) for every entry, namespaces and prefixes too, in no order.
  template <class See>
  void each_entry(See&& see) const {
    entries_.for_each([&](std::uint32_t block) { see(Entry(arena_.at(block))); });
  }
  /// Adds or replaces a service's entry, as compiled; its id word is ours to fill. False: it was there, word for word.
  bool put(std::span<const std::uint32_t> compiled);
  bool erase(std::span<const std::uint8_t> key);
  /// Keeps a namespace existing whether services are in it or not, or stops to. `key`: its label, in lower case.
  bool hold_namespace(std::span<const std::uint8_t> key);
  bool release_namespace(std::span<const std::uint8_t> key);
  /// Lets replaced memory go once its readers have passed; counts the serial up if anything changed.
  void publish();
  void set_ready() { ready_.store(true, std::memory_order_release); }
  void set_stale(bool stale) { stale_.store(stale, std::memory_order_relaxed); }

  struct Counts {
    std::size_t services = 0; // entries, vacant ones too
    std::size_t namespaces = 0;
    std::size_t addresses = 0; // distinct, with a reverse name
    std::size_t octets = 0;    // of arena and tables in use
    std::size_t blocks = 0;    // of the arena alone
    std::size_t taken = 0;     // that the arena ever took, free blocks included
    std::size_t waiting = 0;   // replaced blocks that readers may still see
  };
  /// Writer's thread.
  [[nodiscard]] Counts counts() const;

private:
  static constexpr std::uint32_t list_bit = 0x80000000u;
  static constexpr std::uint32_t held_bit = 0x80000000u; // in a namespace's count

  struct Garbage {
    memory::Arena::Reference block;
    std::size_t words;
  };
  struct Batch {
    Epoch epoch = 0;
    std::vector<Garbage> blocks;
    std::vector<Table::Owned> tables;
    [[nodiscard]] bool empty() const { return blocks.empty() && tables.empty(); }
  };

  [[nodiscard]] static std::uint32_t load(const std::uint32_t& word) noexcept {
    return std::atomic_ref(const_cast<std::uint32_t&>(word)).load(std::memory_order_acquire);
  }
  static void store(std::uint32_t& word, std::uint32_t value) noexcept {
    std::atomic_ref(word).store(value, std::memory_order_release);
  }
  [[nodiscard]] std::uint32_t hash_address(std::span<const std::uint8_t> address) const noexcept;
  [[nodiscard]] Entry by_id(std::uint32_t id) const noexcept {
    const std::uint32_t block = load(ids()[id]);
    return block == 0 ? Entry() : Entry(arena_.at(block));
  }
  [[nodiscard]] std::uint32_t* ids() const { return reinterpret_cast<std::uint32_t*>(ids_.data()); }

  [[nodiscard]] std::uint32_t find_block(std::span<const std::uint8_t> key, std::uint32_t& hash) const noexcept;
  [[nodiscard]] std::uint32_t take_id();
  void insert(Table& table, std::uint32_t hash, std::uint32_t reference);
  void discard(memory::Arena::Reference block, std::size_t words);
  /// Registers (or drops) the addresses of `to` that `from` does not have, for a service.
  void relocate(Entry from, Entry to, std::uint32_t id, bool adding);
  void add_owner(std::uint32_t hash, std::uint32_t id);
  void remove_owner(std::uint32_t hash, std::uint32_t id);
  void count_prefixes(std::span<const std::uint8_t> address, int change);
  /// Changes the count of a namespace or prefix entry, which exists while its count is not 0.
  void count(std::span<const std::uint8_t> key, Kind kind, int change);
  void erase_node(std::uint32_t hash, std::uint32_t block);
  void add_node(std::span<const std::uint8_t> key, Kind kind, std::uint32_t hash, std::uint32_t value);
  void seal();
  void reclaim() noexcept;

  const IndexSettings settings_;
  std::vector<Apex> apexes_;
  const HashKey hash_key_;
  memory::Arena arena_;
  Table entries_;       // key -> entry
  Table addresses_;     // address -> id, or list of ids
  memory::Stretch ids_; // id -> entry
  std::atomic<std::uint32_t> serial_;
  std::atomic<bool> ready_{false}, stale_{false};

  // The writer's own.
  bool changed_ = false;
  std::uint32_t next_id_ = 1;
  std::size_t services_ = 0, namespaces_ = 0;
  std::vector<std::uint32_t> free_ids_;
  Batch open_;
  std::deque<Batch> sealed_;
  std::size_t waiting_ = 0;
};

} // namespace signpost::zone
