// The allocator of virtual IPs of one range: proposes addresses that are probably free.
//
// It is a hint, the store decides: the claim of an address is a key in the store, written in the same transaction as
// its service under the condition that it does not exist. So an allocator may know too little (another writer was
// faster); it must never stand between a claim and the store. Use:
//
//     auto address = allocator.pick();            // nobody else is offered it meanwhile
//     if (!address) …range is full…
//     …transaction with "the claim of address->value() does not exist"…
//     succeeded, or failed because of this claim: address->commit();   otherwise let it go out of scope
//     a deletion is committed: allocator.release(address)
//
// An address that was released is given out again only after the rest of its band; it can be asked for at once.
// Threads: all functions may be called from any thread.
#pragma once

#include <optional>

#include "discovery/vip/pool.hpp"
#include "discovery/vip/range.hpp"

namespace signpost::vip {

using HeldAddress = Held<model::Address>;

class Allocator {
public:
  explicit Allocator(const Range& range, Random random = system_random())
      : range_(range), pool_(range.size(), range.static_size(), std::move(random)) {}

  [[nodiscard]] const Range& range() const { return range_; }

  /// A free address: of the dynamic band from a random start upward, of the static band when that is full, last
  /// one that was withheld.
  /// nullopt: the range is full.
  [[nodiscard]] std::optional<HeldAddress> pick();

  /// This address, as a client asked for it. nullopt: taken, held for another transaction, or not usable in the range
  /// (then range().index_of() has none).
  [[nodiscard]] std::optional<HeldAddress> hold(const model::Address& address);

  /// Taken from now on: a claim found in the store. Outside the range: nothing.
  void reserve(const model::Address& address);

  /// The claim is gone from the store.
  void release(const model::Address& address);

  /// Picked last of all, but held at once when asked for: the address of the cluster's DNS, `reserve` of the
  /// configuration.
  void withhold(const model::Address& address);

  [[nodiscard]] bool taken(const model::Address& address) const;
  [[nodiscard]] std::uint64_t taken_count() const { return pool_.taken_count(); }

private:
  Range range_;
  Pool pool_;
};

} // namespace signpost::vip
