#include "discovery/memory/arena.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <new>

namespace signpost::memory {
namespace {

constexpr std::size_t step = 256 * 1024; // memory is made usable in steps of this; untouched pages cost nothing
constexpr std::size_t released_from = 64 * 1024;

std::size_t round_up(std::size_t value, std::size_t to) { return (value + to - 1) / to * to; }

} // namespace

Stretch::Stretch(std::size_t octets) {
  for (reserved_ = round_up(octets, step); reserved_ >= step; reserved_ /= 2) {
    void* base = mmap(nullptr, reserved_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) continue;
    base_ = static_cast<std::byte*>(base);
    // Huge pages would round a small zone up by megabytes.
    madvise(base_, reserved_, MADV_NOHUGEPAGE);
    return;
  }
  throw std::bad_alloc();
}

Stretch::~Stretch() { munmap(base_, reserved_); }

void Stretch::grow(std::size_t octets) {
  if (octets <= usable_) return;
  const std::size_t wanted = round_up(octets, step);
  if (wanted > reserved_ || mprotect(base_ + usable_, wanted - usable_, PROT_READ | PROT_WRITE) != 0) {
    throw std::bad_alloc();
  }
  usable_ = wanted;
}

void Stretch::release(std::size_t from, std::size_t octets) noexcept {
  const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t begin = round_up(from, page), end = (from + octets) / page * page;
  if (begin < end) madvise(base_ + begin, end - begin, MADV_DONTNEED);
}

Arena::Arena() : stretch_(std::size_t{8} << 30), base_(reinterpret_cast<std::uint32_t*>(stretch_.data())) {}

Arena::SizeClass Arena::size_class(std::size_t words) noexcept {
  if (words <= exact_words) return {std::max<std::size_t>(words, 1), std::max<std::size_t>(words, 1)};
  const unsigned bits = static_cast<unsigned>(std::bit_width(words - 1));       // 2^(bits-1) < words <= 2^bits
  const unsigned shift = bits - 4;                                              // eight classes between the two
  const std::size_t eighths = (words + (std::size_t{1} << shift) - 1) >> shift; // 9…16
  return {exact_words + (bits - 6) * 8 + (eighths - 8), eighths << shift};
}

Arena::Reference Arena::allocate(std::size_t words) {
  const SizeClass kind = size_class(words);
  if (kind.index >= class_count) throw std::bad_alloc();
  Reference block = free_[kind.index];
  if (block != 0) {
    free_[kind.index] = base_[block];
  } else {
    if (next_ + kind.words > (std::size_t{1} << 31)) throw std::bad_alloc();
    stretch_.grow((next_ + kind.words) * 4);
    block = static_cast<Reference>(next_);
    next_ += kind.words;
  }
  used_ += kind.words * 4;
  return block;
}

void Arena::free(Reference block, std::size_t words) noexcept {
  const SizeClass kind = size_class(words);
  used_ -= kind.words * 4;
  if (kind.words * 4 >= released_from) stretch_.release((block + 1) * std::size_t{4}, (kind.words - 1) * 4);
  base_[block] = free_[kind.index];
  free_[kind.index] = block;
}

} // namespace signpost::memory
