// The endpoints controller: keeps the EndpointSlices of services in step with the Pods that they select, and with the
// Endpoints objects that were written for services without a selector. So a node agent that writes Pods, or an old
// program that writes Endpoints, is enough.
//
//   store → [ Services, Pods, Nodes, slices ] → which services are concerned → one pass each → registry
//
// A pass looks at what is there now and writes what differs from what should be; it is idempotent, and another daemon
// on the same store may do the same at the same time. Slices that do not carry the controller's name are never touched.
// A write that fails is tried again, at longer and longer intervals.
//
// Threads: one of its own. Passes write through the registry without waiting, some at once, never two of one service.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "discovery/registry/registry.hpp"

namespace signpost::endpoints {

class EndpointsController {
public:
  /// Both outlive it.
  EndpointsController(store::Store& store, registry::Registry& registry);
  ~EndpointsController();
  EndpointsController(const EndpointsController&) = delete;
  EndpointsController& operator=(const EndpointsController&) = delete;

  /// Reads what there is, then follows it. The registry is open.
  [[nodiscard]] tl::expected<void, std::string> start();

  struct Counters {
    std::uint64_t passes = 0;   // over one service each
    std::uint64_t writes = 0;   // slices created, changed, deleted
    std::uint64_t failures = 0; // passes that will be made again
  };
  [[nodiscard]] Counters counters() const;

private:
  struct State;
  std::shared_ptr<State> state_; // shared with writes that wait for the store
};

} // namespace signpost::endpoints
