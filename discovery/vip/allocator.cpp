#include "discovery/vip/allocator.hpp"

namespace signpost::vip {

std::optional<HeldAddress> Allocator::pick() {
  const auto index = pool_.pick();
  if (!index) return std::nullopt;
  return HeldAddress(pool_, *index, range_.at(*index));
}

std::optional<HeldAddress> Allocator::hold(const model::Address& address) {
  const auto index = range_.index_of(address);
  if (!index || !pool_.hold(*index)) return std::nullopt;
  return HeldAddress(pool_, *index, address);
}

void Allocator::reserve(const model::Address& address) {
  if (const auto index = range_.index_of(address)) pool_.reserve(*index);
}

void Allocator::release(const model::Address& address) {
  if (const auto index = range_.index_of(address)) pool_.release(*index);
}

void Allocator::withhold(const model::Address& address) {
  if (const auto index = range_.index_of(address)) pool_.withhold(*index);
}

bool Allocator::taken(const model::Address& address) const {
  const auto index = range_.index_of(address);
  return index && pool_.taken(*index);
}

} // namespace signpost::vip
