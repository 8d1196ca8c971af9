// How the descriptors that the system gives the process are shared out, so that no crowd on one side takes them from
// the others: connections to the API, DNS over TCP, and questions that are asked of upstreams.
//
// Pure but for descriptor_limit(); any thread.
#pragma once

#include <cstddef>

namespace signpost::server {

/// Descriptors for each; 0: wants none, or gets none.
struct DescriptorShares {
  std::size_t api = 0, tcp = 0, forwarding = 0;
  bool operator==(const DescriptorShares&) const = default;
};

/// Takes `kept` of the limit for what is open anyway, and shares out the rest: two parts each for the API and DNS over
/// TCP, one for forwarding, as far as each wants it; what one does not want is for the others. Who wants some gets at
/// least two, even where there are none left.
[[nodiscard]] DescriptorShares share_descriptors(std::size_t limit, std::size_t kept, const DescriptorShares& wanted);

/// RLIMIT_NOFILE as it is now.
[[nodiscard]] std::size_t descriptor_limit();

} // namespace signpost::server
