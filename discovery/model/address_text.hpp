// Addresses as Kubernetes reads them in its objects: the one reader for all that the registry accepts, so that what is
// stored, claimed, answered in DNS and exported is one address.
#pragma once

#include <optional>
#include <string_view>

#include "discovery/model/address.hpp"

namespace signpost::model {

/// As Go's ParseIPSloppy: numbers of an IPv4 address may have leading zeros and are decimal all the same; an
/// IPv4-mapped IPv6 address (::ffff:10.0.0.1) is the IPv4 address. No zone id. nullopt: not an address. Pure.
[[nodiscard]] std::optional<Address> read_address(std::string_view text);

} // namespace signpost::model
