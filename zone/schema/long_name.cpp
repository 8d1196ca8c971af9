#include "zone/schema/long_name.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "zone/schema/endpoint_label.hpp"

namespace signpost::zone {
namespace {

constexpr std::array<std::uint8_t, 4> svc_label{3, 's', 'v', 'c'};
constexpr std::size_t longest_below = 1 + wire::max_label + 6; // _<port>._sctp

using Octets = std::vector<std::uint8_t>;

void append(Octets& octets, std::string_view before, std::span<const std::uint8_t> label) {
  octets.push_back(static_cast<std::uint8_t>(before.size() + label.size()));
  octets.insert(octets.end(), before.begin(), before.end());
  octets.insert(octets.end(), label.begin(), label.end());
}

} // namespace

std::string find_long_name(Entry entry, const wire::WireName& domain) {
  const auto key = entry.key();
  const std::size_t own = key.size() + svc_label.size() + domain.length;
  if (own + longest_below <= wire::max_name || entry.kind() == Kind::vacant) return {};
  Octets below;
  bool found = own > wire::max_name;
  if (!found && entry.kind() != Kind::external) {
    const auto too_long = [&] { return found = below.size() + own > wire::max_name; };
    entry.each_port([&](const Port& port) {
      constexpr std::array<std::string_view, 3> protocols{"tcp", "udp", "sctp"};
      if ((port.flags & Port::unnamed) != 0) return true;
      below.clear();
      append(below, "_", port.name);
      append(below, std::string("_").append(protocols[(port.flags & Port::protocol) % 3]), {});
      return !too_long();
    });
    const Endpoints endpoints = entry.endpoints();
    for (std::size_t i = 0; i < endpoints.names.size() && !found; ++i) {
      below.clear();
      append(below, {}, endpoints.label(endpoints.names[i]));
      too_long();
    }
    for (std::size_t i = 0; i < endpoints.count() && !found; ++i) {
      if (!endpoints.is_derived(i)) continue;
      std::array<std::uint8_t, max_endpoint_label> label;
      const std::size_t length = write_endpoint_label(endpoints.address(i), label.data());
      below.clear();
      append(below, {}, {label.data(), length});
      too_long();
    }
  }
  if (!found) return {};
  below.insert(below.end(), key.begin(), key.end());
  below.insert(below.end(), svc_label.begin(), svc_label.end());
  below.insert(below.end(), domain.octets.begin(), domain.octets.begin() + domain.length);
  return wire::name_to_text(below);
}

} // namespace signpost::zone
