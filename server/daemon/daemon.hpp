// The daemon: what the settings name, built, wired together, started and stopped in the right order.
//
//   store ← registry ← controllers, api   (a `registry` source; an `objects` source has a read-only store over
//   its files) store → source → zone → listeners → forwarder
//
// start() either succeeds wholly or returns one sentence, with nothing left behind and nothing logged. Called from
// main()'s thread only.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "server/config/settings.hpp"

namespace signpost::server {

class Daemon {
public:
  explicit Daemon(Settings settings);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// Opens ports and data, reads what the sources hold, serves. Returns when everything is ready.
  [[nodiscard]] tl::expected<void, std::string> start();

  /// Takes another configuration in place: routes, zones and sources, upstreams, caches, addresses, pages, log. What it
  /// leaves as it is goes on, its catalog and its cache with it, and no question is lost. An error: what cannot be
  /// changed, or opened, or read; all is as before. From the thread of start().
  [[nodiscard]] tl::expected<void, std::string> reload(Settings settings);
  /// Counts a configuration that could not even be read.
  void reload_refused();

  /// Says on its pages that it is going, and goes on; returns for how long before stop().
  [[nodiscard]] std::chrono::milliseconds leave();

  /// Says in the log where it listens, what it reads and how much it knows.
  void announce() const;

  /// Drains: no new API requests, running ones end; then DNS; then the data is closed.
  void stop();

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace signpost::server
