// A reply under construction: records appended behind the question, counted, never past the limit, never cut.
//
// A record that does not fit in the answer section sets `truncated` and ends that section (RFC 2181 9); in the
// additional section it is only left out. Owners are compression pointers to names that are in the message already.
// Everything here writes to one buffer of one thread, and nothing fails in any other way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "zone/index/apex.hpp"
#include "zone/wire/octets.hpp"
#include "zone/wire/query.hpp"
#include "zone/wire/types.hpp"

namespace signpost::zone {

/// A compression pointer to an offset below 2^14.
[[nodiscard]] constexpr std::uint16_t pointer_to(std::size_t offset) {
  return static_cast<std::uint16_t>(0xc000 | offset);
}
inline constexpr std::size_t pointer_reach = 0x3fff;

/// Octets of a record whose owner is a pointer, before its rdata.
inline constexpr std::size_t record_head = 12;

struct Reply {
  std::uint8_t* message;
  std::size_t at;                                      // where the next record goes
  std::size_t limit;                                   // first offset that must not be written
  std::uint32_t ttl;                                   // of all records but dns-version
  std::uint16_t owner = pointer_to(wire::header_size); // of answers: the question's name, or a CNAME's target
  std::size_t apex_at = 0;                             // where the zone's name stands in the message
  std::uint16_t answers = 0, authority = 0, additional = 0;
  wire::Rcode rcode = wire::Rcode::noerror;
  bool truncated = false;
  bool stream = false; // over TCP, where what does not fit is left out the same way for every client

  [[nodiscard]] std::size_t room() const { return limit - at; }

  /// Writes owner, type, class, TTL and rdata length; the caller made sure of the room, and writes the rdata.
  std::uint8_t* head(std::uint16_t owner_pointer, std::uint16_t type, std::uint32_t record_ttl,
                     std::size_t rdata_length) {
    std::uint8_t* to = message + at;
    wire::store16(to, owner_pointer);
    wire::store32(to + 2, std::uint32_t{type} << 16 | wire::class_in);
    wire::store32(to + 6, record_ttl);
    wire::store16(to + 10, static_cast<std::uint16_t>(rdata_length));
    at += record_head + rdata_length;
    return to + record_head;
  }

  /// Appends one answer with this rdata; false and truncated when it does not fit.
  bool answer(std::uint16_t type, std::uint32_t record_ttl, std::span<const std::uint8_t> rdata) noexcept;
  /// Which of `count` records, each of at most `octets`, is to come first: another one each time, but the first if they
  /// may not all fit into a stream.
  [[nodiscard]] std::size_t start(std::size_t count, std::size_t octets) const noexcept;
  /// Appends all addresses that fit as answers, beginning with a different one each time. `width`: 4 or 16 octets.
  [[gnu::always_inline]] inline void addresses(const std::uint8_t* first, std::size_t count,
                                               std::size_t width) noexcept {
    if (count == 1 && width == 4 && room() >= record_head + 4) {
      std::memcpy(head(owner, wire::type::a, ttl, 4), first, 4);
      ++answers;
    } else {
      rotated(first, count, width);
    }
  }
  /// Appends one address to the additional section if it fits.
  bool glue(std::uint16_t owner_pointer, std::span<const std::uint8_t> address) noexcept;
  /// Appends the zone's SOA record, counted in `section`.
  void soa(const Apex& apex, std::uint32_t serial, std::uint16_t& section) noexcept;

private:
  [[nodiscard, gnu::noinline]] std::uint8_t* soa_head(const Apex& apex) noexcept;
  void rotated(const std::uint8_t* first, std::size_t count, std::size_t width) noexcept;
};

/// A number below `count` that differs from call to call, evenly over any regular subset of the calls.
[[nodiscard]] std::size_t next_turn(std::size_t count) noexcept;

} // namespace signpost::zone
