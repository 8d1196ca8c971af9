// What the endpoints of services need of a Pod, and nothing else: a cluster has many, and most of their changes touch
// none of this.
// Pure functions, any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "discovery/model/pod.hpp"

namespace signpost::endpoints {

struct NamedPort {
  std::string name;
  std::string protocol;
  std::int32_t number = 0;
  bool operator==(const NamedPort&) const = default;
};

struct PodFacts {
  std::string name;
  std::string uid;
  std::map<std::string, std::string> labels;
  std::vector<std::string> addresses; // canonical, at most one of each family
  std::vector<NamedPort> ports;       // those with a name, in the order of the containers
  std::string node;                   // empty: not placed
  std::string hostname, subdomain;
  bool ready = false;       // its condition Ready
  bool terminating = false; // it has a deletionTimestamp
  bool over = false;        // Succeeded or Failed: nobody answers there any more
  bool operator==(const PodFacts&) const = default;
};

/// Addresses that no endpoint may have (loopback, link-local, multicast) are left out, as is a hostname that is none.
[[nodiscard]] PodFacts facts_of(const model::Pod& pod);

using Selector = std::map<std::string, std::string>;

/// An empty selector selects nothing.
[[nodiscard]] bool selects(const Selector& selector, const std::map<std::string, std::string>& labels);

} // namespace signpost::endpoints
