// All listening addresses of the daemon, UDP and TCP: what main() opens, starts and stops.
//
//   auto listeners = Listeners::open({{endpoint, router}, …}, settings);   // ports are ours from here on, or an error
//   (*listeners)->start();
//   …
//   (*listeners)->stop();   // questions received are answered; then threads have ended
//
// A late answer may still be on its way then: stop the forwarder after stop() and destroy the Listeners last, so that
// the sockets it sends from are open as long as it lives.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "server/config/settings.hpp"
#include "server/listen/counters.hpp"
#include "server/listen/router.hpp"
#include "server/listen/tcp.hpp"
#include "server/listen/udp.hpp"

namespace signpost::server {

/// A listening address and who answers there. Port 0 takes a free one (for UDP and TCP).
struct ListenAddress {
  Endpoint endpoint;
  std::shared_ptr<const Router> router;
};

struct ListenSettings {
  unsigned workers = 0; // UDP threads per address; 0: one per core
  TcpSettings tcp;
};

class Listeners {
public:
  /// Claims and opens every socket; nothing is read yet.
  [[nodiscard]] static tl::expected<std::unique_ptr<Listeners>, std::string> open(std::vector<ListenAddress> addresses,
                                                                                  const ListenSettings& settings);
  ~Listeners();
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  void start();
  void stop();

  /// With the ports that were taken, in the order of `addresses`.
  [[nodiscard]] const std::vector<Endpoint>& endpoints() const { return endpoints_; }
  /// Sums over all threads, of one family's clients or of all; any thread may ask.
  [[nodiscard]] Totals totals(wire::Transport transport, std::optional<model::Family> family = std::nullopt) const;
  [[nodiscard]] const TcpListener& tcp() const { return *tcp_; }

private:
  Listeners() = default;

  std::vector<Endpoint> endpoints_;
  std::vector<std::unique_ptr<UdpListener>> udp_;
  std::unique_ptr<TcpListener> tcp_;
};

} // namespace signpost::server
