#include "server/forward/upstream.hpp"

#include <sys/random.h>

#include <algorithm>
#include <utility>

namespace signpost::server {

namespace {

constexpr auto first_penalty = std::chrono::seconds(1), longest_penalty = std::chrono::seconds(30);

} // namespace

std::uint8_t RandomSource::octet() {
  if (at_ == pool_.size()) {
    std::size_t filled = 0;
    while (filled < pool_.size()) {
      const ssize_t got = getrandom(pool_.data() + filled, pool_.size() - filled, 0);
      if (got > 0) filled += static_cast<std::size_t>(got);
    }
    at_ = 0;
  }
  return std::exchange(pool_[at_++], std::uint8_t{0});
}

void Upstream::heard(SteadyTime now) {
  failures_ = 0;
  last_until_ = {};
  silent_name_ = 0;
  heard_at_ = now;
}

void Upstream::silent(SteadyTime now, SteadyTime asked, NameHash name) {
  slow_name_ = name;
  slow_until_ = now + longest_penalty;
  if (heard_at_ >= asked) return;
  if (silent_name_ == 0)
    silent_name_ = name;
  else if (silent_name_ != name)
    unreachable(now);
}

void Upstream::unreachable(SteadyTime now) {
  const auto penalty = std::min<std::chrono::seconds>(first_penalty * (1 << std::min(failures_, 5u)), longest_penalty);
  ++failures_;
  last_until_ = now + penalty;
}

Upstreams order_upstreams(const Upstreams& upstreams, ForwardSettings::Policy policy, std::size_t turn, SteadyTime now,
                          NameHash name, RandomSource& random) {
  Upstreams order = upstreams;
  switch (policy) {
  case ForwardSettings::Policy::sequential: break;
  case ForwardSettings::Policy::round_robin:
    if (!order.empty())
      std::rotate(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(turn % order.size()), order.end());
    break;
  case ForwardSettings::Policy::random:
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    break;
  }
  std::stable_partition(order.begin(), order.end(), [&](const auto& upstream) { return upstream->well(now, name); });
  return order;
}

} // namespace signpost::server
