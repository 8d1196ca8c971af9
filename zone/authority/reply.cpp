#include "zone/authority/reply.hpp"

#include <cstring>

namespace signpost::zone {
namespace {

// Steps by the golden ratio of the word, so that clients which ask A and AAAA in turn see every address first.
thread_local std::uint32_t turn = 0;
constexpr std::uint32_t golden = 0x9e3779b9u;

} // namespace

std::size_t next_turn(std::size_t count) noexcept {
  turn += golden;
  return static_cast<std::size_t>((std::uint64_t{turn} * count) >> 32);
}

bool Reply::answer(std::uint16_t type, std::uint32_t record_ttl, std::span<const std::uint8_t> rdata) noexcept {
  if (room() < record_head + rdata.size()) {
    truncated = true;
    return false;
  }
  std::memcpy(head(owner, type, record_ttl, rdata.size()), rdata.data(), rdata.size());
  ++answers;
  return true;
}

void Reply::addresses(const std::uint8_t* first, std::size_t count, std::size_t width) noexcept {
  const std::uint16_t type = width == 4 ? wire::type::a : wire::type::aaaa;
  std::size_t fitting = count;
  if (room() < count * (record_head + width)) {
    fitting = room() / (record_head + width);
    truncated = true;
  }
  std::size_t next = count > 1 ? next_turn(count) : 0;
  for (std::size_t i = 0; i < fitting; ++i) {
    std::uint8_t* rdata = head(owner, type, ttl, width);
    const std::uint8_t* address = first + next * width;
    if (width == 4) {
      std::memcpy(rdata, address, 4);
    } else {
      std::memcpy(rdata, address, 16);
    }
    if (++next == count) next = 0;
  }
  answers = static_cast<std::uint16_t>(answers + fitting);
}

bool Reply::glue(std::uint16_t owner_pointer, std::span<const std::uint8_t> address) noexcept {
  if (room() < record_head + address.size()) return false;
  const std::uint16_t type = address.size() == 4 ? wire::type::a : wire::type::aaaa;
  std::memcpy(head(owner_pointer, type, ttl, address.size()), address.data(), address.size());
  ++additional;
  return true;
}

void Reply::soa(const Apex& apex, std::uint32_t serial, std::uint16_t& section) noexcept {
  // Where the message does not hold the zone's name yet, the owner is written out and serves the record's pointers.
  const std::size_t spelled = apex_at == 0 ? apex.name.length : 0;
  if (room() < apex.soa_length + spelled) {
    truncated = true;
    return;
  }
  std::uint8_t* to = message + at;
  std::size_t record = at;
  if (spelled != 0) {
    std::memcpy(to, apex.name.octets.data(), spelled);
    apex_at = at;
    record = at + spelled - 2;
    std::memcpy(message + record + 2, apex.soa.data() + 2, apex.soa_length - 2);
  } else {
    std::memcpy(to, apex.soa.data(), apex.soa_length);
    wire::store16(to, pointer_to(apex_at));
  }
  for (std::size_t i = 1; i < apex.patch_count; ++i) {
    const Apex::Patch& patch = apex.patches[i];
    wire::store16(message + record + patch.at, pointer_to((patch.from_record ? record : apex_at) + patch.target));
  }
  wire::store32(message + record + apex.soa_serial_at, serial);
  at = record + apex.soa_length;
  ++section;
}

} // namespace signpost::zone
