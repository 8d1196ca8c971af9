// What this process says to a query by itself, whichever of its blocks the name and the aliases from there on are in,
// and who outside is to be asked where that is not all.
//
// In place, no allocation, no lock; the calling thread is an online reader (zone/index/epoch.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "server/forward/outside.hpp"
#include "server/listen/router.hpp"
#include "zone/authority/authority.hpp"
#include "zone/wire/query.hpp"

namespace signpost::server {

struct Here {
  std::size_t length = 0;     // octets of the reply in the buffer; 0: no block here has the name
  Outside* outside = nullptr; // knows what the query's name, or onward's where there are links, leads to; the reply is
                              // to be sent where it does not. Null: nobody does
};

/// Answers a sound query.
[[nodiscard]] Here answer_here(const Router& router, const wire::Query& query, wire::Transport transport,
                               std::span<std::uint8_t> buffer, zone::Onward& onward) noexcept;

/// The same where the zone `asked` has `said` something else than Verdict::reply already.
[[nodiscard]] Here answer_on(const Router& router, const wire::Query& query, wire::Transport transport,
                             std::span<std::uint8_t> buffer, zone::Onward& onward, zone::Outcome said,
                             const zone::Zone* asked) noexcept;

} // namespace signpost::server
