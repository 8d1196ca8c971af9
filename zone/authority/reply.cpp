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

std::size_t Reply::start(std::size_t count, std::size_t octets) const noexcept {
  return count < 2 || (stream && count > room() / octets) ? 0 : next_turn(count);
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

void Reply::rotated(const std::uint8_t* first, std::size_t count, std::size_t width) noexcept {
  const std::uint16_t type = width == 4 ? wire::type::a : wire::type::aaaa;
  std::size_t fitting = count;
  if (room() < count * (record_head + width)) {
    fitting = room() / (record_head + width);
    truncated = true;
  }
  const std::size_t among = stream ? fitting : count;
  std::size_t next = among > 1 ? next_turn(among) : 0;
  for (std::size_t i = 0; i < fitting; ++i) {
    std::uint8_t* rdata = head(owner, type, ttl, width);
    const std::uint8_t* address = first + next * width;
    if (width == 4) {
      std::memcpy(rdata, address, 4);
    } else {
      std::memcpy(rdata, address, 16);
    }
    if (++next == among) next = 0;
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
  constexpr std::size_t usual = 64; // what a record of pointers fits into; copied without a call
  std::uint8_t* record = message + at;
  if (apex_at != 0 && apex.soa_length <= usual && room() >= usual) [[likely]] {
    std::memcpy(record, apex.soa.data(), usual);
    wire::store16(record, pointer_to(apex_at));
  } else {
    record = soa_head(apex);
    if (record == nullptr) return;
  }
  const std::uint16_t pointer = pointer_to(apex_at);
  for (std::size_t i = 1; i < apex.pointer_count; ++i) wire::store16(record + apex.pointers[i], pointer);
  const auto record_at = static_cast<std::size_t>(record - message);
  if (apex.home_pointer != 0) wire::store16(record + apex.home_pointer, pointer_to(record_at + apex.home_at));
  wire::store32(record + apex.soa_serial_at, serial);
  at = record_at + apex.soa_length;
  ++section;
}

/// Copies any SOA record, with its owner spelled out where the message does not hold the zone's name yet; it then
/// serves the record's pointers. Returns where a record with a pointer as owner would begin, or null: truncated, or
/// the zone has none.
std::uint8_t* Reply::soa_head(const Apex& apex) noexcept {
  if (!apex.has_soa) return nullptr;
  const std::size_t owner_length = apex_at == 0 ? apex.name.length : 2;
  if (room() < owner_length + apex.soa_length - 2) {
    truncated = true;
    return nullptr;
  }
  if (apex_at == 0) {
    std::memcpy(message + at, apex.name.octets.data(), owner_length);
    apex_at = at;
  } else {
    wire::store16(message + at, pointer_to(apex_at));
  }
  std::uint8_t* record = message + at + owner_length - 2;
  std::memcpy(record + 2, apex.soa.data() + 2, apex.soa_length - 2);
  return record;
}

} // namespace signpost::zone
