#include "discovery/store/checksum.hpp"

#include <array>
#include <zlib.h>

namespace signpost::store {
namespace {

// Numbers in a fixed byte order: a folder may move to another machine.
template <std::size_t count>
std::uint32_t numbers(const std::array<std::int64_t, count>& all) {
  std::array<char, count * 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(static_cast<std::uint64_t>(all[i / 8]) >> (i % 8 * 8));
  }
  return crc32({bytes.data(), bytes.size()});
}

} // namespace

std::uint32_t crc32(std::string_view bytes, std::uint32_t before) {
  if (bytes.empty()) return before; // zlib takes no buffer for the wish to begin anew
  return static_cast<std::uint32_t>(
      ::crc32_z(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

std::int64_t row_sum(std::string_view key, std::string_view value, Revision created, Revision modified) {
  return crc32(value, crc32(key, numbers<3>({created, modified, static_cast<std::int64_t>(key.size())})));
}

std::int64_t history_sum(Revision revision, std::int64_t time, std::string_view before, std::int64_t state) {
  return crc32(before, numbers<3>({revision, time, state}));
}

} // namespace signpost::store
