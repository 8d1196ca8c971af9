// Builds DNS messages octet by octet for tests, wrong ones included.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace signpost::testing {

using Octets = std::vector<std::uint8_t>;

/// "www.example.com" as labels and root, letters as they are; "." or "" is the root.
inline Octets name(std::string_view text) {
  Octets wire;
  while (!text.empty() && text != ".") {
    const std::string_view label = text.substr(0, text.find('.'));
    wire.push_back(static_cast<std::uint8_t>(label.size()));
    wire.insert(wire.end(), label.begin(), label.end());
    text.remove_prefix(label.size() == text.size() ? text.size() : label.size() + 1);
  }
  wire.push_back(0);
  return wire;
}

inline Octets pointer(std::size_t offset) {
  return {static_cast<std::uint8_t>(0xc0 | offset >> 8), static_cast<std::uint8_t>(offset)};
}

inline Octets operator+(Octets a, const Octets& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline Octets u16(std::size_t v) { return {static_cast<std::uint8_t>(v >> 8), static_cast<std::uint8_t>(v)}; }
inline Octets u32(std::size_t v) { return u16(v >> 16 & 0xffff) + u16(v & 0xffff); }
inline Octets ipv4(int a, int b, int c, int d) {
  return {static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b), static_cast<std::uint8_t>(c),
          static_cast<std::uint8_t>(d)};
}

/// SOA rdata with this MINIMUM.
inline Octets soa(std::size_t minimum) {
  return name("ns.example.com") + name("admin.example.com") + u32(7) + u32(3600) + u32(600) + u32(86400) + u32(minimum);
}

/// Header, question and records in the order of the calls.
class Message {
public:
  explicit Message(std::size_t id, std::size_t flags = 0x8180) : octets_(u16(id) + u16(flags) + u32(0) + u32(0)) {}

  Message& question(const Octets& qname, std::size_t type, std::size_t klass = 1) {
    return put(4, qname + u16(type) + u16(klass));
  }
  Message& answer(const Octets& owner, std::size_t type, std::size_t ttl, const Octets& rdata) {
    return put(6, record(owner, type, ttl, rdata));
  }
  Message& authority(const Octets& owner, std::size_t type, std::size_t ttl, const Octets& rdata) {
    return put(8, record(owner, type, ttl, rdata));
  }
  Message& additional(const Octets& owner, std::size_t type, std::size_t ttl, const Octets& rdata) {
    return put(10, record(owner, type, ttl, rdata));
  }
  /// OPT whose TTL field holds the upper bits of the rcode.
  Message& opt(std::size_t extended_rcode = 0) {
    return put(10, Octets{0} + u16(41) + u16(1232) + u32(extended_rcode << 24) + u16(0));
  }
  Message& raw(const Octets& octets) {
    octets_ = octets_ + octets;
    return *this;
  }
  /// Sets the count at this offset of the header, whatever is there.
  Message& count(std::size_t at, std::size_t value) {
    octets_[at] = static_cast<std::uint8_t>(value >> 8);
    octets_[at + 1] = static_cast<std::uint8_t>(value);
    return *this;
  }

  [[nodiscard]] const Octets& octets() const { return octets_; }
  [[nodiscard]] std::size_t size() const { return octets_.size(); }

  static Octets record(const Octets& owner, std::size_t type, std::size_t ttl, const Octets& rdata) {
    return owner + u16(type) + u16(1) + u32(ttl) + u16(rdata.size()) + rdata;
  }

private:
  Message& put(std::size_t count_at, const Octets& octets) {
    count(count_at, (octets_[count_at] << 8 | octets_[count_at + 1]) + 1u);
    return raw(octets);
  }

  Octets octets_;
};

} // namespace signpost::testing
