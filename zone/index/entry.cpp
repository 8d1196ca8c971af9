#include "zone/index/entry.hpp"

#include <algorithm>

namespace signpost::zone {
namespace {

/// Orders labels by length, then octets: cheaper than alphabetical, and any total order serves.
int compare_labels(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return std::memcmp(a.data(), b.data(), a.size());
}

} // namespace

std::size_t Endpoints::find_address(std::span<const std::uint8_t> wanted) const noexcept {
  std::size_t low = wanted.size() == 4 ? 0 : v4_count();
  std::size_t high = wanted.size() == 4 ? v4_count() : count();
  const std::size_t end = high;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (std::memcmp(address(middle).data(), wanted.data(), wanted.size()) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low < end && std::memcmp(address(low).data(), wanted.data(), wanted.size()) == 0 ? low : none;
}

std::span<const Endpoints::Pair> Endpoints::find_name(std::span<const std::uint8_t> wanted) const noexcept {
  const auto before = [&](const Pair& pair, std::span<const std::uint8_t> other) {
    return compare_labels(label(pair), other) < 0;
  };
  const auto first = std::lower_bound(names.begin(), names.end(), wanted, before);
  auto last = first;
  while (last != names.end() && compare_labels(label(*last), wanted) == 0) ++last;
  return {first, last};
}

std::span<const std::uint32_t> Endpoints::pairs_of(std::size_t wanted) const noexcept {
  const auto before = [&](std::uint32_t pair, std::size_t other) { return names[pair].address < other; };
  const auto first = std::lower_bound(by_address.begin(), by_address.end(), wanted, before);
  auto last = first;
  while (last != by_address.end() && names[*last].address == wanted) ++last;
  return {first, last};
}

bool Entry::has_cluster_ip(std::span<const std::uint8_t> address) const noexcept {
  if (kind() != Kind::cluster_ip) return false;
  const bool is_v4 = address.size() == 4;
  const auto* own = reinterpret_cast<const std::uint8_t*>(is_v4 ? v4() : v6());
  for (std::size_t i = 0, count = is_v4 ? v4_count() : v6_count(); i < count; ++i) {
    if (std::memcmp(own + i * address.size(), address.data(), address.size()) == 0) return true;
  }
  return false;
}

const std::uint32_t* Entry::read_endpoints(Endpoints& endpoints) const noexcept {
  const std::uint32_t* at = each_port([](const Port&) { return true; });
  if ((words_[3] & has_endpoints) == 0) return at;
  if (kind() == Kind::headless) {
    endpoints.v4 = {v4(), v4_count()};
    endpoints.v6 = {v6(), v6_count() * 4};
  } else {
    const std::size_t v4_size = at[0], v6_size = at[1];
    endpoints.v4 = {at + 2, v4_size};
    endpoints.v6 = {at + 2 + v4_size, v6_size * 4};
    at += 2 + v4_size + v6_size * 4;
  }
  const std::size_t pairs = *at++;
  if (pairs == 0) return at;
  const std::size_t label_words = *at++;
  const std::size_t bits = (endpoints.count() + 31) / 32;
  endpoints.derived = {at, bits};
  at += bits;
  static_assert(sizeof(Endpoints::Pair) == 8 && alignof(Endpoints::Pair) == 4);
  endpoints.names = {reinterpret_cast<const Endpoints::Pair*>(at), pairs};
  at += 2 * pairs;
  endpoints.by_address = {at, pairs};
  at += pairs;
  endpoints.labels = {reinterpret_cast<const std::uint8_t*>(at), label_words * 4};
  return at + label_words;
}

Endpoints Entry::endpoints() const noexcept {
  Endpoints endpoints;
  if (kind() == Kind::cluster_ip || kind() == Kind::headless) (void)read_endpoints(endpoints);
  return endpoints;
}

std::size_t Entry::size() const noexcept {
  switch (kind()) {
  case Kind::cluster_ip:
  case Kind::headless: {
    Endpoints endpoints;
    return static_cast<std::size_t>(read_endpoints(endpoints) - words_);
  }
  case Kind::external: return static_cast<std::size_t>(v4() - words_) + 1 + words_of(*v4());
  default: return static_cast<std::size_t>(v4() - words_);
  }
}

} // namespace signpost::zone
