// Memory for a hundred thousand small things: blocks that never move, named by 32-bit numbers, in one reserved stretch
// of addresses.
//
// A block's reference counts words of four octets from the start of the stretch, half of what a pointer takes, and a
// block has no header of its own. The stretch is reserved once and given memory as it fills; a freed block serves the
// next request of its size class. Nothing else lives between the blocks, so what the heap frees goes back to the
// system. One writer allocates and frees; whoever else reads only follows references (zone/index).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace signpost::memory {

/// A stretch of addresses of which a growing part from the start is usable memory. Throws std::bad_alloc.
class Stretch {
public:
  /// Reserves up to `octets`, less where the process may not have so much.
  explicit Stretch(std::size_t octets);
  ~Stretch();
  Stretch(const Stretch&) = delete;
  Stretch& operator=(const Stretch&) = delete;

  [[nodiscard]] std::byte* data() const { return base_; }
  [[nodiscard]] std::size_t size() const { return usable_; }
  /// Makes at least the first `octets` usable; new memory is zero.
  void grow(std::size_t octets);
  /// Gives whole pages within the range back to the system; they read as zero afterwards.
  void release(std::size_t from, std::size_t octets) noexcept;

private:
  std::byte* base_ = nullptr;
  std::size_t reserved_ = 0, usable_ = 0;
};

class Arena {
public:
  /// Counts words of four octets; 0 is no block. Always below 2^31.
  using Reference = std::uint32_t;

  Arena();

  [[nodiscard]] std::uint32_t* at(Reference block) { return base_ + block; }
  [[nodiscard]] const std::uint32_t* at(Reference block) const { return base_ + block; }

  /// A block of at least `words` words, not cleared. Throws std::bad_alloc when the stretch is full.
  [[nodiscard]] Reference allocate(std::size_t words);
  /// `words` as it was allocated with.
  void free(Reference block, std::size_t words) noexcept;

  /// Octets handed out and not freed, size classes rounded up.
  [[nodiscard]] std::size_t used() const { return used_; }
  /// Octets ever taken from the stretch.
  [[nodiscard]] std::size_t taken() const { return next_ * 4; }

private:
  static constexpr std::size_t exact_words = 32; // up to here a class per word count, then eight per doubling
  static constexpr std::size_t class_count = exact_words + 1 + 8 * 27;
  struct SizeClass {
    std::size_t index, words;
  };
  [[nodiscard]] static SizeClass size_class(std::size_t words) noexcept;

  Stretch stretch_;
  std::uint32_t* base_;
  std::size_t next_ = 2, used_ = 0;
  std::array<Reference, class_count> free_{}; // heads; a free block's first word is the next
};

} // namespace signpost::memory
