// A ServiceView becomes one entry of the index: which names it has, with which records, per the Kubernetes DNS
// specification 1.1.0.
//
//   ClusterIP     addresses: its cluster IPs; SRV per port; names of its ready endpoints
//   headless      addresses: those of its ready endpoints over all groups, without duplicates; SRV per port and
//   endpoint;
//                 no ready endpoint: no name (NXDOMAIN)
//   ExternalName  a CNAME; an IP literal or an unusable name: no name
//
// An endpoint counts as ready when it is, or when the service publishes those that are not. Pure; the writer's thread.
#pragma once

#include <cstdint>
#include <vector>

#include "discovery/model/service_view.hpp"

namespace signpost::zone {

/// The key of a service: its two labels in wire form. Empty: a name that DNS cannot carry as one label in lower case.
[[nodiscard]] std::vector<std::uint8_t> service_key(const model::ServiceKey& service);

/// One label in wire form, or empty.
[[nodiscard]] std::vector<std::uint8_t> label_key(std::string_view label);

/// Fills `words` with the entry (index/entry.hpp), its id left 0. False: the service has no usable key.
bool compile(const model::ServiceView& service, std::vector<std::uint32_t>& words);

} // namespace signpost::zone
