#include "zone/index/index.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>

namespace signpost::zone {
namespace {

constexpr std::size_t seal_at = 4096; // replaced blocks that may pile up between two publish()

/// Key of the entry that counts the addresses below a partial reverse name: a first octet that no label has, the
/// number of labels, the address's leading octets.
struct ReverseKey {
  std::array<std::uint8_t, 24> octets{};
  std::size_t length = 0;
};

ReverseKey reverse_key(std::span<const std::uint8_t> octets, bool v6, unsigned labels) {
  ReverseKey key;
  key.octets[0] = v6 ? 0xf6 : 0xf4;
  key.octets[1] = static_cast<std::uint8_t>(labels);
  const std::size_t leading = v6 ? labels / 2 : labels;
  std::memcpy(key.octets.data() + 2, octets.data(), leading);
  key.length = 2 + leading;
  return key;
}

constexpr unsigned v6_group = 2; // labels per counted prefix: every second keeps sparse networks cheap

} // namespace

Index::Index(IndexSettings settings)
    : settings_(std::move(settings)), hash_key_(hash_key()), ids_(std::size_t{512} << 20),
      serial_(static_cast<std::uint32_t>(std::time(nullptr))) {
  for (const auto& origin : settings_.origins) {
    Apex& apex = apexes_.emplace_back(origin, settings_.cluster, settings_.ttl);
    apex.partial = std::find(settings_.partial.begin(), settings_.partial.end(), origin) != settings_.partial.end();
  }
  std::stable_sort(apexes_.begin(), apexes_.end(),
                   [](const Apex& a, const Apex& b) { return a.name.labels > b.name.labels; });
  ids_.grow(4);
}

std::uint32_t Index::hash_address(std::span<const std::uint8_t> address) const noexcept {
  std::array<std::uint8_t, 16> padded{};
  std::memcpy(padded.data(), address.data(), address.size());
  return hash_octets(hash_key_, padded.data(), address.size());
}

bool Index::has_prefix(std::span<const std::uint8_t> octets, bool v6, unsigned labels) const noexcept {
  if (!v6 || labels % v6_group == 0) {
    const ReverseKey key = reverse_key(octets, v6, labels);
    return static_cast<bool>(find(key.octets.data(), key.length));
  }
  std::array<std::uint8_t, 16> longer{}; // with one more label
  std::copy_n(octets.begin(), labels / 2 + 1, longer.begin());
  for (unsigned digit = 0; digit < 16; ++digit) {
    std::uint8_t& last = longer[labels / 2];
    last = static_cast<std::uint8_t>((last & 0xf0) | digit);
    if (labels + 1 == 32 ? has_address(longer) : has_prefix(longer, v6, labels + 1)) return true;
  }
  return false;
}

bool Index::has_address(std::span<const std::uint8_t> address) const noexcept {
  bool found = false;
  each_with_address(address, [&](Entry entry) {
    found = entry.has_cluster_ip(address) || entry.endpoints().find_address(address) != Endpoints::none;
    return !found;
  });
  return found;
}

std::uint32_t Index::find_block(std::span<const std::uint8_t> key, std::uint32_t& hash) const noexcept {
  std::array<std::uint8_t, 136> padded{};
  std::memcpy(padded.data(), key.data(), key.size());
  hash = hash_octets(hash_key_, padded.data(), key.size());
  const Entry entry = find(padded.data(), key.size());
  if (!entry) return 0;
  return static_cast<std::uint32_t>(reinterpret_cast<const std::uint32_t*>(entry.key().data()) - Entry::header_words -
                                    arena_.at(0));
}

std::uint32_t Index::take_id() {
  if (!free_ids_.empty()) {
    const std::uint32_t id = free_ids_.back();
    free_ids_.pop_back();
    return id;
  }
  ids_.grow((std::size_t{next_id_} + 1) * 4);
  return next_id_++;
}

void Index::insert(Table& table, std::uint32_t hash, std::uint32_t reference) {
  if (Table::Owned old = table.reserve()) open_.tables.push_back(std::move(old));
  table.insert(hash, reference);
}

void Index::discard(memory::Arena::Reference block, std::size_t words) {
  open_.blocks.push_back({block, words});
  ++waiting_;
  if (open_.blocks.size() >= seal_at) {
    seal();
    reclaim();
  }
}

namespace {

/// Calls see(address) for what is in `to` but not in `from`: addresses of `width` octets, sorted and distinct.
template <class See>
void each_new(std::span<const std::uint8_t> from, std::span<const std::uint8_t> to, std::size_t width, See&& see) {
  for (; !to.empty(); to = to.subspan(width)) {
    int order = -1;
    while (!from.empty() && (order = std::memcmp(from.data(), to.data(), width)) < 0) from = from.subspan(width);
    if (from.empty() || order != 0) see(to.first(width));
  }
}

std::span<const std::uint8_t> octets_of(std::span<const std::uint32_t> words) {
  return {reinterpret_cast<const std::uint8_t*>(words.data()), words.size_bytes()};
}

} // namespace

void Index::relocate(Entry from, Entry to, std::uint32_t id, bool adding) {
  const auto see = [&](std::span<const std::uint8_t> address) {
    count_prefixes(address, adding ? 1 : -1);
    if (adding)
      add_owner(hash_address(address), id);
    else
      remove_owner(hash_address(address), id);
  };
  // An address that is a virtual IP and an endpoint's is registered twice, once from each list.
  const auto own = [](Entry entry) {
    std::array<std::span<const std::uint8_t>, 2> lists;
    if (entry && entry.kind() == Kind::cluster_ip)
      lists = {octets_of({entry.v4(), entry.v4_count()}), octets_of({entry.v6(), 4 * entry.v6_count()})};
    return lists;
  };
  const Endpoints old_endpoints = from ? from.endpoints() : Endpoints{}, endpoints = to ? to.endpoints() : Endpoints{};
  each_new(own(from)[0], own(to)[0], 4, see);
  each_new(own(from)[1], own(to)[1], 16, see);
  each_new(octets_of(old_endpoints.v4), octets_of(endpoints.v4), 4, see);
  each_new(octets_of(old_endpoints.v6), octets_of(endpoints.v6), 16, see);
}

void Index::add_owner(std::uint32_t hash, std::uint32_t id) {
  const std::uint32_t found = addresses_.find(hash, [](std::uint32_t) { return true; });
  if (found == 0) {
    insert(addresses_, hash, id);
    return;
  }
  const auto make_node = [&](std::uint32_t owner, std::uint32_t next) {
    const memory::Arena::Reference node = arena_.allocate(2);
    store(arena_.at(node)[0], owner);
    store(arena_.at(node)[1], next);
    return node;
  };
  const bool listed = (found & list_bit) != 0;
  for (std::uint32_t node = listed ? found & ~list_bit : 0; node != 0; node = arena_.at(node)[1]) {
    if (arena_.at(node)[0] != id) continue;
    store(arena_.at(node)[1], make_node(id, arena_.at(node)[1]));
    return;
  }
  const std::uint32_t rest = listed ? found & ~list_bit : make_node(found, 0);
  addresses_.replace(hash, found, make_node(id, rest) | list_bit);
}

void Index::remove_owner(std::uint32_t hash, std::uint32_t id) {
  const std::uint32_t found = addresses_.find(hash, [](std::uint32_t) { return true; });
  if (found == id) {
    addresses_.erase(hash, found);
    return;
  }
  std::uint32_t previous = 0, node = found & ~list_bit;
  while (arena_.at(node)[0] != id) {
    previous = node;
    node = arena_.at(node)[1];
  }
  const std::uint32_t next = arena_.at(node)[1];
  if (previous == 0)
    addresses_.replace(hash, found, next | list_bit);
  else
    store(arena_.at(previous)[1], next);
  discard(node, 2);
  const std::uint32_t head = previous == 0 ? next : found & ~list_bit;
  if (arena_.at(head)[1] != 0) return;
  addresses_.replace(hash, head | list_bit, arena_.at(head)[0]);
  discard(head, 2);
}

void Index::add_node(std::span<const std::uint8_t> key, Kind kind, std::uint32_t hash, std::uint32_t value) {
  const std::size_t size = Entry::header_words + words_of(key.size());
  const memory::Arena::Reference block = arena_.allocate(size);
  std::uint32_t* words = arena_.at(block);
  std::memset(words, 0, size * 4);
  words[0] = value;
  words[1] = static_cast<std::uint32_t>(key.size()) << 24;
  words[2] = static_cast<std::uint32_t>(kind) << 24;
  std::memcpy(words + Entry::header_words, key.data(), key.size());
  insert(entries_, hash, block);
  if (kind == Kind::name_space) ++namespaces_;
}

void Index::erase_node(std::uint32_t hash, std::uint32_t block) {
  const Entry entry(arena_.at(block));
  if (entry.kind() == Kind::name_space) --namespaces_;
  entries_.erase(hash, block);
  discard(block, entry.size());
}

void Index::count(std::span<const std::uint8_t> key, Kind kind, int change) {
  std::uint32_t hash = 0;
  const std::uint32_t block = find_block(key, hash);
  if (block == 0) {
    if (change > 0) add_node(key, kind, hash, static_cast<std::uint32_t>(change));
    return;
  }
  std::uint32_t& value = *arena_.at(block);
  value += static_cast<std::uint32_t>(change);
  if (value == 0) erase_node(hash, block);
}

void Index::count_prefixes(std::span<const std::uint8_t> address, int change) {
  const bool v6 = address.size() == 16;
  const unsigned depth = v6 ? 32 : 4, group = v6 ? v6_group : 1;
  for (unsigned labels = v6 ? 0 : 1; labels < depth; labels += group) {
    const ReverseKey key = reverse_key(address, v6, labels);
    count({key.octets.data(), key.length}, Kind::prefix, change);
  }
}

bool Index::hold_namespace(std::span<const std::uint8_t> key) {
  std::uint32_t hash = 0;
  const std::uint32_t block = find_block(key, hash);
  if (block == 0) {
    add_node(key, Kind::name_space, hash, held_bit);
    changed_ = true;
    return true;
  }
  std::uint32_t& value = *arena_.at(block);
  const bool held = (value & held_bit) != 0;
  value |= held_bit;
  return !held;
}

bool Index::release_namespace(std::span<const std::uint8_t> key) {
  std::uint32_t hash = 0;
  const std::uint32_t block = find_block(key, hash);
  if (block == 0) return false;
  std::uint32_t& value = *arena_.at(block);
  value &= ~held_bit;
  if (value != 0) return false;
  erase_node(hash, block);
  changed_ = true;
  return true;
}

bool Index::put(std::span<const std::uint32_t> compiled) {
  const Entry fresh(compiled.data());
  std::uint32_t hash = 0;
  const std::uint32_t old = find_block(fresh.key(), hash);
  std::uint32_t id = 0;
  std::size_t old_size = 0;
  const Entry before = old != 0 ? Entry(arena_.at(old)) : Entry();
  if (old != 0) {
    old_size = before.size();
    id = before.id();
    if (old_size == compiled.size() &&
        std::memcmp(arena_.at(old) + 1, compiled.data() + 1, (old_size - 1) * sizeof(std::uint32_t)) == 0) {
      return false;
    }
  } else {
    id = take_id();
    ++services_;
    count(fresh.key().subspan(1u + fresh.key()[0]), Kind::name_space, 1);
  }
  const memory::Arena::Reference block = arena_.allocate(compiled.size());
  std::memcpy(arena_.at(block), compiled.data(), compiled.size_bytes());
  arena_.at(block)[0] = id;

  // New addresses are registered before the entry that has them is seen, old ones dropped after it is gone: a reader
  // checks against the entry.
  relocate(before, fresh, id, true);
  store(ids()[id], block);
  if (old == 0)
    insert(entries_, hash, block);
  else
    entries_.replace(hash, old, block);
  relocate(fresh, before, id, false);
  if (old != 0) discard(old, old_size);
  changed_ = true;
  return true;
}

bool Index::erase(std::span<const std::uint8_t> key) {
  std::uint32_t hash = 0;
  const std::uint32_t old = find_block(key, hash);
  if (old == 0) return false;
  const Entry entry(arena_.at(old));
  const std::uint32_t id = entry.id();
  entries_.erase(hash, old);
  store(ids()[id], 0);
  relocate(Entry(), entry, id, false);
  free_ids_.push_back(id);
  count(key.subspan(1u + key[0]), Kind::name_space, -1);
  discard(old, entry.size());
  --services_;
  changed_ = true;
  return true;
}

void Index::seal() {
  if (open_.empty()) return;
  open_.epoch = begin_grace();
  sealed_.push_back(std::move(open_));
  open_ = {};
}

void Index::reclaim() noexcept {
  while (!sealed_.empty() && grace_over(sealed_.front().epoch)) {
    for (const Garbage& garbage : sealed_.front().blocks) arena_.free(garbage.block, garbage.words);
    waiting_ -= sealed_.front().blocks.size();
    sealed_.pop_front();
  }
}

void Index::publish() {
  if (changed_) serial_.fetch_add(1, std::memory_order_relaxed);
  changed_ = false;
  seal();
  reclaim();
}

Index::Counts Index::counts() const {
  const std::size_t tables = entries_.octets() + addresses_.octets() + next_id_ * 4;
  return {services_, namespaces_, addresses_.size(), arena_.used() + tables, arena_.used(), arena_.taken(), waiting_};
}

} // namespace signpost::zone
