// Which server block answers a name: the longest zone wins, as in CoreDNS; no block at all is REFUSED.
//
// Built once per listening address and never changed. UDP workers and the TCP loop ask it for every query, so both
// answer alike (serve.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/forward/outside.hpp"
#include "zone/zone.hpp"

namespace signpost::server {

/// One server block as a listener sees it. What is pointed to outlives the listener's threads.
struct Route {
  std::vector<std::string> zones;   // names at or below these; "." is everything
  const zone::Zone* zone = nullptr; // answers its own origins; null: the block has no source
  Outside* outside = nullptr;       // answers the block's other names; null: REFUSED
};

class Router {
public:
  explicit Router(std::vector<Route> routes);

  /// The route of a lower-cased name in wire form (Query::name and label offsets); null: none.
  [[nodiscard]] const Route* find(const wire::Query& query) const noexcept;

  /// The one zone that may be asked before find(): no other block has a name at or below its origins. Null: there is
  /// none.
  [[nodiscard]] const Route* first() const noexcept { return first_; }

private:
  struct Suffix {
    std::vector<std::uint8_t> name; // wire form, lower case
    std::uint8_t labels = 0;
    const Route* route = nullptr;
  };
  std::vector<Route> routes_;
  std::vector<Suffix> suffixes_; // most labels first
  const Route* first_ = nullptr;
};

} // namespace signpost::server
