// Services to measure with, and questions about them.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "discovery/model/service_view.hpp"
#include "zone/wire/name.hpp"
#include "zone/wire/octets.hpp"
#include "zone/zone.hpp"

namespace signpost::bench {

inline constexpr unsigned namespaces = 50;

/// The `i`th address behind 10.96.0.0.
inline model::Address address(unsigned i) {
  std::array<std::uint8_t, 4> octets;
  wire::store32(octets.data(), 0x0a600000u + i);
  return model::Address::from_bytes(octets);
}

inline std::string name_of(unsigned service) {
  return "svc-" + std::to_string(service) + ".ns-" + std::to_string(service % namespaces) + ".svc.cluster.local";
}

/// With one virtual IP and `endpoints` endpoints of its own.
inline model::ServiceView service(unsigned i, unsigned endpoints = 0) {
  model::ServiceView view{.key = {"ns-" + std::to_string(i % namespaces), "svc-" + std::to_string(i)},
                          .cluster_ips = {address(i)},
                          .ports = {{"http", model::Protocol::tcp, 80}}};
  if (endpoints == 0) return view;
  view.groups.push_back({{{"http", model::Protocol::tcp, 8080}}, {}});
  for (unsigned k = 0; k < endpoints; ++k)
    view.groups[0].endpoints.push_back({{address(0x1000000 + i * endpoints + k)}, "", true});
  return view;
}

inline model::ServiceView headless(const std::string& name, unsigned endpoints) {
  model::ServiceView view = service(0, endpoints);
  view.key.name = name;
  view.form = model::ServiceView::Form::headless;
  view.cluster_ips.clear();
  return view;
}

/// `services` of one virtual IP each, and headless ones called "pods-N" of N endpoints.
inline std::unique_ptr<zone::Zone> zone_of(unsigned services) {
  auto zone = std::make_unique<zone::Zone>(zone::ZoneSettings{});
  for (unsigned i = 0; i < services; ++i) zone->put(service(i));
  for (const unsigned endpoints : {10u, 100u, 5000u})
    zone->put(headless("pods-" + std::to_string(endpoints), endpoints));
  zone->publish();
  zone->set_ready();
  return zone;
}

inline std::vector<std::uint8_t> question(const std::string& name, std::uint16_t type, bool edns = false) {
  const auto qname = wire::name_from_text(name);
  std::vector<std::uint8_t> bytes(wire::header_size);
  bytes[2] = 1;
  bytes[5] = 1;
  bytes[11] = edns ? 1 : 0;
  bytes.insert(bytes.end(), qname->octets.begin(), qname->octets.begin() + qname->length);
  bytes.resize(bytes.size() + 4);
  wire::store16(&bytes[bytes.size() - 4], type);
  wire::store16(&bytes[bytes.size() - 2], wire::class_in);
  if (edns)
    for (const unsigned octet : {0u, 0u, 41u, 4u, 208u, 0u, 0u, 0u, 0u, 0u, 0u})
      bytes.push_back(static_cast<std::uint8_t>(octet));
  return bytes;
}

} // namespace signpost::bench
