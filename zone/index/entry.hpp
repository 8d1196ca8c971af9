// One entry of the index: everything DNS says about a service, compiled into a block of 32-bit words that never
// changes.
//
//   0       id of the service (namespace and prefix entries: a count, the writer's own)
//   1       addresses v4: 24 bits | key length << 24
//   2       addresses v6: 24 bits | kind << 24
//   3       ports: 16 bits | has_endpoints << 16
//   4…      key, padded with zeros: "\3web\7default", the two labels as they stand in a question of either name form
//   …       v4 addresses, one word each; v6 addresses, four words each: in network order, sorted, distinct
//   …       ports: number << 16 | flags << 8 | name length; name, padded; where flagged `listed`: count, targets
//   …       endpoints, where flagged: see Endpoints
//   …       external names instead of all this: length, target in wire form, padded
//
// For a headless service the addresses are its endpoints'. Owner names are not stored: the key gives both forms.
// An endpoint without a hostname is named by its address and stores no name. Entries are read by any thread, between
// two quiescent states; the schema writes them (schema/compile.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace signpost::zone {

enum class Kind : std::uint8_t {
  vacant, // a service that has no name (headless without endpoints, an unusable external name)
  cluster_ip,
  headless,
  external,   // a CNAME
  name_space, // key: one label
  prefix,     // of reverse names that have addresses below; key: see reverse_key() in index.cpp
};

/// Words that `octets` octets take.
[[nodiscard]] constexpr std::size_t words_of(std::size_t octets) { return (octets + 3) / 4; }

/// A port as SRV tells it.
struct Port {
  enum Flag : std::uint8_t {
    protocol = 3, // model::Protocol
    bare = 4,     // is among the answers at the service's own name
    listed = 8,   // only the endpoints listed have it; else all do
    unnamed = 16, // only at the service's own name
  };
  std::uint16_t number;
  std::uint8_t flags;
  std::span<const std::uint8_t> name;
  std::span<const std::uint32_t> targets; // if listed: see Endpoints::target
};

/// The named endpoints of a service. Addresses are sorted and distinct; those without a hostname are `derived`.
/// `names` pairs hostnames with addresses, sorted by hostname: an address index (v6 behind v4) and where the label
/// (length octet first) stands in `labels`. `by_address` lists the pairs ordered by address index.
class Endpoints {
public:
  struct Pair {
    std::uint32_t address, label;
  };

  std::span<const std::uint32_t> v4;
  std::span<const std::uint32_t> v6;      // four words each
  std::span<const std::uint32_t> derived; // one bit per address; empty: all are
  std::span<const Pair> names;
  std::span<const std::uint32_t> by_address;
  std::span<const std::uint8_t> labels;

  [[nodiscard]] std::size_t v4_count() const { return v4.size(); }
  [[nodiscard]] std::size_t v6_count() const { return v6.size() / 4; }
  [[nodiscard]] std::size_t count() const { return v4_count() + v6_count(); }

  [[nodiscard]] bool is_derived(std::size_t address) const {
    return derived.empty() || ((derived[address / 32] >> (address % 32)) & 1) != 0;
  }
  /// 4 or 16 octets.
  [[nodiscard]] std::span<const std::uint8_t> address(std::size_t index) const {
    if (index < v4.size()) return {reinterpret_cast<const std::uint8_t*>(&v4[index]), 4};
    return {reinterpret_cast<const std::uint8_t*>(&v6[(index - v4.size()) * 4]), 16};
  }
  /// Without its length octet.
  [[nodiscard]] std::span<const std::uint8_t> label(const Pair& pair) const {
    return labels.subspan(pair.label + 1, labels[pair.label]);
  }

  static constexpr std::size_t none = ~std::size_t{0};
  /// Index of an address, or none.
  [[nodiscard]] std::size_t find_address(std::span<const std::uint8_t> address) const noexcept;
  /// The pairs of one hostname.
  [[nodiscard]] std::span<const Pair> find_name(std::span<const std::uint8_t> label) const noexcept;
  /// Positions in by_address of one address's pairs.
  [[nodiscard]] std::span<const std::uint32_t> pairs_of(std::size_t address) const noexcept;

  // A target is an endpoint name that SRV records point at: a derived address, or a hostname (its first pair).
  static constexpr std::uint32_t hostname_target = 0x80000000u;
};

class Entry {
public:
  Entry() = default;
  explicit Entry(const std::uint32_t* words) : words_(words) {}
  [[nodiscard]] explicit operator bool() const { return words_ != nullptr; }
  [[nodiscard]] bool operator==(const Entry& other) const { return words_ == other.words_; }

  static constexpr std::size_t header_words = 4;
  static constexpr std::uint32_t count_mask = 0xffffff;
  static constexpr std::uint32_t has_endpoints = 1u << 16;

  [[nodiscard]] std::uint32_t id() const { return words_[0]; }
  [[nodiscard]] Kind kind() const { return static_cast<Kind>(words_[2] >> 24); }
  [[nodiscard]] std::span<const std::uint8_t> key() const {
    return {reinterpret_cast<const std::uint8_t*>(words_ + header_words), words_[1] >> 24};
  }
  [[nodiscard]] std::size_t v4_count() const { return words_[1] & count_mask; }
  [[nodiscard]] std::size_t v6_count() const { return words_[2] & count_mask; }
  [[nodiscard]] const std::uint32_t* v4() const { return words_ + header_words + words_of(words_[1] >> 24); }
  [[nodiscard]] const std::uint32_t* v6() const { return v4() + v4_count(); }
  [[nodiscard]] std::size_t port_count() const { return words_[3] & 0xffff; }
  /// Whether this address, of 4 or 16 octets, is one of its virtual IPs.
  [[nodiscard]] bool has_cluster_ip(std::span<const std::uint8_t> address) const noexcept;

  /// Calls see(Port) for each port until it returns false; returns the word behind the ports it saw.
  template <class See>
  const std::uint32_t* each_port(See&& see) const {
    const std::uint32_t* at = behind_addresses();
    for (std::size_t i = 0, count = port_count(); i < count; ++i) {
      const std::uint32_t head = *at++;
      Port port{static_cast<std::uint16_t>(head >> 16), static_cast<std::uint8_t>(head >> 8), {}, {}};
      port.name = {reinterpret_cast<const std::uint8_t*>(at), head & 0xff};
      at += words_of(head & 0xff);
      if ((port.flags & Port::listed) != 0) {
        port.targets = {at + 1, *at};
        at += 1 + *at;
      }
      if (!see(port)) break;
    }
    return at;
  }

  [[nodiscard]] Endpoints endpoints() const noexcept;
  /// Target in wire form. Only of Kind::external.
  [[nodiscard]] std::span<const std::uint8_t> external_target() const {
    return {reinterpret_cast<const std::uint8_t*>(v4() + 1), *v4()};
  }
  /// Words of the whole entry.
  [[nodiscard]] std::size_t size() const noexcept;

private:
  [[nodiscard]] const std::uint32_t* behind_addresses() const { return v6() + 4 * v6_count(); }
  [[nodiscard]] const std::uint32_t* read_endpoints(Endpoints& endpoints) const noexcept;

  const std::uint32_t* words_ = nullptr;
};

} // namespace signpost::zone
