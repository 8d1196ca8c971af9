// All listening addresses of the daemon, UDP and TCP: what main() opens, starts and stops.
//
//   auto listeners = Listeners::open({{endpoint, router}, …}, settings);   // ports are ours from here on, or an error
//   (*listeners)->start();
//   …
//   (*listeners)->update({{endpoint, router}, …});                         // addresses came and went
//   …
//   (*listeners)->stop();   // questions received are answered; then threads have ended
//
// A late answer may still be on its way then: stop the forwarder after stop() and destroy the Listeners last, so that
// the sockets it sends from are open as long as it lives.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "server/config/settings.hpp"
#include "server/listen/counters.hpp"
#include "server/listen/guard.hpp"
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
  unsigned workers = 0; // UDP threads per address; 0: one per usable core, less where there are many addresses
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

  /// What an update did, and what it could not do: a sentence each.
  struct Update {
    std::vector<Endpoint> opened, closed;
    std::vector<std::string> failed;
  };
  /// Opens those of `addresses` that are not open and closes the others; what is open stays so, and asks the routers
  /// given now. On return the old ones are asked no more. Between start() and stop(), by one thread at a time.
  Update update(const std::vector<ListenAddress>& addresses);

  /// Open ones, with the ports that were taken; at first in the order of `addresses`.
  [[nodiscard]] std::vector<Endpoint> endpoints() const;
  /// Sums over all threads, of one family's clients or of all; any thread may ask.
  [[nodiscard]] Totals totals(wire::Transport transport, std::optional<model::Family> family = std::nullopt) const;
  [[nodiscard]] const TcpListener& tcp() const { return *tcp_; }

private:
  struct Open {
    Endpoint endpoint;
    std::unique_ptr<UdpListener> udp;
    std::chrono::steady_clock::time_point closed_at{}; // of those in closed_
  };
  Listeners() = default;
  /// Opens a claimed address; not started.
  [[nodiscard]] tl::expected<Open, std::string> open_claimed(Claim claim, const std::shared_ptr<const Router>& router);
  void forget_closed();

  unsigned workers_ = 1; // per address
  std::unique_ptr<TcpListener> tcp_;
  mutable std::mutex mutex_; // guards the lists, which totals() reads from other threads
  std::vector<Open> open_;
  std::vector<Open> closed_;   // stopped; late answers may still be sent to their descriptors for a while
  std::array<Totals, 2> gone_; // of those closed for good, by family
};

} // namespace signpost::server
