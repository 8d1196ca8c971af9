#include "server/daemon/descriptors.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <limits>

namespace signpost::server {

DescriptorShares share_descriptors(std::size_t limit, std::size_t kept, const DescriptorShares& wanted) {
  constexpr std::size_t least = 2;
  struct Side {
    std::size_t wanted, parts;
    std::size_t DescriptorShares::*share;
  };
  std::array<Side, 3> sides{{{wanted.api, 2, &DescriptorShares::api},
                             {wanted.tcp, 2, &DescriptorShares::tcp},
                             {wanted.forwarding, 1, &DescriptorShares::forwarding}}};
  // Who wants least of his parts first: what he leaves is the others'.
  std::sort(sides.begin(), sides.end(),
            [](const Side& a, const Side& b) { return a.wanted * b.parts < b.wanted * a.parts; });
  std::size_t left = limit > kept ? limit - kept : 0, parts = 0;
  for (const Side& side : sides) parts += side.wanted != 0 ? side.parts : 0;
  DescriptorShares shares;
  for (const Side& side : sides) {
    if (side.wanted == 0) continue;
    const std::size_t given = std::min(side.wanted, left / parts * side.parts + left % parts * side.parts / parts);
    left -= given;
    parts -= side.parts;
    shares.*side.share = std::max(given, std::min(least, side.wanted));
  }
  return shares;
}

std::size_t descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return std::numeric_limits<std::size_t>::max();
  return static_cast<std::size_t>(limit.rlim_cur);
}

} // namespace signpost::server
