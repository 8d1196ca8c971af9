// One listening address over UDP: a thread and a SO_REUSEPORT socket per worker, batches in, batches out.
//
// A worker blocks in recvmmsg(32, MSG_WAITFORONE) on its own socket and in nothing else, answers the batch in place and
// sends it with one sendmmsg. It never allocates, locks, throws or logs. A thread can block in one socket only, so W
// workers on N addresses are W × N threads; idle ones cost a stack and 41 KB. Sockets are bound to the concrete
// address: a wildcard needs IP_PKTINFO both ways, measured at 11 % of a query, and is bound to only where the host does
// not tell its addresses. Batches of 32 against 1 are worth 31 %.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "server/config/settings.hpp"
#include "server/listen/counters.hpp"
#include "server/listen/router.hpp"

namespace signpost::server {

class UdpListener {
public:
  /// Opens `workers` sockets on a port that was claimed (guard.hpp). Nothing is read yet.
  [[nodiscard]] static tl::expected<std::unique_ptr<UdpListener>, std::string>
  open(const Endpoint& endpoint, std::shared_ptr<const Router> router, unsigned workers);
  /// Stops, then closes the sockets: after whoever sends late answers through them is gone.
  ~UdpListener();
  UdpListener(const UdpListener&) = delete;
  UdpListener& operator=(const UdpListener&) = delete;

  void start();
  /// Ends the threads once they have answered what was received before the call.
  void stop();

  /// Another router for what is received from now on. The old one is asked no more once every reader has passed
  /// (zone/index/epoch.hpp).
  void route(const std::shared_ptr<const Router>& router);

  /// After stop(): gives the address back. The descriptors stay taken until this is destroyed, so that late answers
  /// that still go to them go nowhere.
  void release();

  /// Adds this listener's counters; any thread.
  void add_to(Totals& totals) const noexcept;

private:
  struct Worker;
  UdpListener();

  std::vector<std::unique_ptr<Worker>> workers_;
};

} // namespace signpost::server
