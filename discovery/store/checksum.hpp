// Checksums of what the store keeps: of each row, of the whole state, and of a snapshot's bytes.
//
// CRC-32 (zlib's) of a row covers all of its columns: it finds every single flipped bit and every burst of up to 32
// bits. The state's digest is the sum of its rows' digests, whatever their order, so it is kept up to date by adding
// and subtracting the rows that a transaction changes; it finds rows that are missing, too many, or of another time.
//
// Pure functions, any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "discovery/store/store.hpp"

namespace signpost::store {

[[nodiscard]] std::uint32_t crc32(std::string_view bytes, std::uint32_t before = 0);

/// Of a row of `current`.
[[nodiscard]] std::int64_t row_sum(std::string_view key, std::string_view value, Revision created, Revision modified);
/// Of a row of `history`; `state`: the digest of the state that this revision made.
[[nodiscard]] std::int64_t history_sum(Revision revision, std::int64_t time, std::string_view before,
                                       std::int64_t state);

/// The digest of a set of rows, from their sums; 0: no rows. Wraps around.
class StateDigest {
public:
  StateDigest() = default;
  explicit StateDigest(std::int64_t value) : value_(static_cast<std::uint64_t>(value)) {}

  void add(std::int64_t row) { value_ += spread(row); }
  void remove(std::int64_t row) { value_ -= spread(row); }
  [[nodiscard]] std::int64_t value() const { return static_cast<std::int64_t>(value_); }
  bool operator==(const StateDigest&) const = default;

private:
  // 64 well mixed bits of a row's 32 (the finisher of SplitMix64): sums of plain CRCs would meet too often.
  static std::uint64_t spread(std::int64_t row) {
    std::uint64_t bits = static_cast<std::uint64_t>(row) + 0x9e3779b97f4a7c15u;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
    return bits ^ (bits >> 31);
  }

  std::uint64_t value_ = 0;
};

} // namespace signpost::store
