// The registry over HTTP: a compatible subset of the Kubernetes REST API, with plain-text pages beside it.
//
//   api::Server server(registry, {.address = loopback, .port = 8080}, {.ready = [] { return std::nullopt; }});
//   if (auto started = server.start(); !started) return fail(started.error());
//   …
//   server.stop();
//
// It has threads of its own: each connection lives on one of a few event loops, lists are read on another thread, so
// that a large one delays nobody. No credentials yet: only loopback addresses are accepted, and requests whose Host or
// Origin is not this machine's are refused (a web page must not reach the registry through a rebound name).
//
// Threads: start(), stop() and the destructor from one thread; the rest from any.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "discovery/model/address.hpp"
#include "discovery/registry/registry.hpp"

namespace signpost::api {

struct Settings {
  model::Address address;        // loopback only, unless …
  bool local_only = true;        // … false: for whoever reaches the address; of pages alone. :: is then 0.0.0.0, too
  std::uint16_t port = 8080;     // 0: any free one, port() tells which
  std::string version = "0.1.0"; // of the program, as /version shows it behind the API's own

  unsigned loops = 2;                       // event loop threads
  std::size_t max_connections = 8192;       // then the longest silent makes room; where nobody is: 503
  std::size_t max_header_bytes = 16 << 10;  // request line and fields: 431 beyond
  std::size_t max_body_bytes = 3 << 20;     // 413 beyond
  std::size_t max_bodies_bytes = 128 << 20; // of all requests being read: 429 beyond
  // Of all bodies and answers that wait for the other end: beyond, who makes no progress for as long as the patience
  // is reset.
  std::size_t max_held_bytes = 48 << 20;
  std::chrono::milliseconds patience{500};

  std::chrono::milliseconds header_timeout{10'000}; // first byte to end of the request's head
  std::chrono::milliseconds body_timeout{30'000};   // head to end of the body
  std::chrono::milliseconds write_timeout{30'000};  // without any progress of the reader
  std::chrono::milliseconds idle_timeout{120'000};  // between requests
  std::chrono::milliseconds drain{1'500};           // stop() waits that long for running requests

  std::chrono::milliseconds bookmark_every{60'000}; // on watches that asked for bookmarks
  std::size_t watch_backlog_events = 16'384;        // per kind; a watcher further behind is cut …
  std::size_t watch_backlog_bytes = 64 << 20;       // … and so is one behind by that much text
};

struct PageText {
  PageText(std::string text) : body(std::move(text)) {}
  PageText(int code, std::string text) : status(code), body(std::move(text)) {}
  int status = 200;
  std::string body;
};

struct Page {
  std::string content_type;       // "text/plain; version=0.0.4; charset=utf-8"
  std::function<PageText()> text; // called on an event loop; must not block
};

using Pages = std::map<std::string, Page>; // by path: "/metrics"

/// Something was written: who asked for what, and the revision that it has now. The texts are the client's, as sent;
/// views for the time of the call.
struct Written {
  std::string_view method;
  std::string_view target; // path and query
  std::string_view peer;   // address and port
  std::string_view agent;  // User-Agent
  store::Revision revision = 0;
};

struct Callbacks {
  /// Why requests cannot be served properly yet: /readyz answers 500 with it. nullopt, or no function: ready.
  std::function<std::optional<std::string>()> ready;
  /// Why nothing can be written although reads and DNS go on: /readyz?verbose shows it and stays 200, for what is
  /// served is better than nothing. nullopt, or no function: writing works.
  std::function<std::optional<std::string>()> trouble = {};
  /// Called on an event loop after each write that succeeded; must not block.
  std::function<void(const Written&)> written = {};
  /// Further pages.
  Pages pages;
};

/// Counts since start() unless said otherwise.
struct Statistics {
  std::uint64_t connections = 0; // open now
  std::uint64_t connections_total = 0;
  std::uint64_t connections_refused = 0; // over max_connections
  std::uint64_t connections_dropped = 0; // to make room for others
  std::uint64_t requests = 0;
  std::uint64_t client_errors = 0; // answered 4xx
  std::uint64_t server_errors = 0; // answered 5xx
  std::uint64_t watches = 0;       // open now
  std::uint64_t watches_cut = 0;   // too slow
  std::uint64_t watch_events = 0;  // sent, all watches together
};

class Server {
public:
  Server(registry::Registry& registry, Settings settings, Callbacks callbacks = {});
  /// Without a registry: pages, read-only.
  Server(Settings settings, Pages pages);
  ~Server(); // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Listens and serves. One sentence when it cannot: "cannot serve the API on 127.0.0.1:8080: address already in use".
  [[nodiscard]] tl::expected<void, std::string> start();

  /// The first half of stop(), which does not wait.
  void begin_stop();

  /// No new connections; running requests get `drain`, watches end as if their time was up. Then everything is closed.
  void stop();

  /// The port listened on; 0 before start().
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] Statistics statistics() const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace signpost::api
