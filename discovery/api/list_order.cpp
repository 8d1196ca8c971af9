#include "discovery/api/list_order.hpp"

#include <algorithm>
#include <limits>

namespace signpost::api {
namespace {

constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();

struct Placed {
  std::size_t item;
  std::size_t place;  // in the list that it is sorted by
  std::size_t server; // in the server's list
};

void sort_by_place(std::vector<Placed>& items) {
  std::stable_sort(items.begin(), items.end(),
                   [](const Placed& left, const Placed& right) { return left.place < right.place; });
}

/// Items that no list knows have no place; upstream's sort says of each pair with one of them that it is the wrong way
/// round. What comes of that for long lists is its library's; here they then go first.
void sort_with_strangers(std::vector<Placed>& items) {
  constexpr std::size_t most = 20; // what it sorts by insertion
  if (items.size() > most) {
    std::stable_partition(items.begin(), items.end(), [](const Placed& item) { return item.place == nowhere; });
    const auto known =
        std::find_if(items.begin(), items.end(), [](const Placed& item) { return item.place != nowhere; });
    std::reverse(items.begin(), known);
    std::stable_sort(known, items.end(), [](const Placed& a, const Placed& b) { return a.place < b.place; });
    return;
  }
  for (std::size_t i = 1; i < items.size(); ++i)
    for (std::size_t j = i; j > 0; --j) {
      const Placed &right = items[j], &left = items[j - 1];
      if (right.place != nowhere && left.place != nowhere && right.place >= left.place) break;
      std::swap(items[j], items[j - 1]);
    }
}

} // namespace

FirstPositions::FirstPositions(std::span<const std::string> keys) {
  positions_.reserve(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) positions_.emplace(keys[i], i);
}

std::optional<std::size_t> FirstPositions::find(std::string_view key) const {
  const auto found = positions_.find(key);
  return found == positions_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::size_t> weave(std::span<const std::string> merged, std::span<const std::string> order,
                               std::span<const std::string> server) {
  const FirstPositions in_order(order), in_server(server);
  std::vector<Placed> named, rest;
  bool strangers = false;
  for (std::size_t i = 0; i < merged.size(); ++i) {
    const std::size_t place = in_server.find(merged[i]).value_or(nowhere);
    if (const auto wanted = in_order.find(merged[i])) {
      named.push_back({i, *wanted, place});
    } else {
      rest.push_back({i, place, place});
      strangers |= place == nowhere;
    }
  }
  sort_by_place(named);
  if (strangers)
    sort_with_strangers(rest);
  else
    sort_by_place(rest);

  std::vector<std::size_t> result;
  result.reserve(merged.size());
  std::size_t i = 0, j = 0;
  while (i < rest.size() || j < named.size()) {
    const bool rest_first = i < rest.size() && j < named.size() && rest[i].server != nowhere &&
                            named[j].server != nowhere && rest[i].server < named[j].server;
    result.push_back(j == named.size() || rest_first ? rest[i++].item : named[j++].item);
  }
  return result;
}

} // namespace signpost::api
