// Questions outside our zones: answered from the cache at once, or asked of an upstream and answered later.
//
//   Forwarder forwarder(forwarder_settings(settings));
//   if (auto started = forwarder.start(); !started) fail(started.error());
//   …                                   // listeners call take() and follow()
//   forwarder.stop();                   // before the sockets of its ReplyTos are closed
//
// The idea: a packet worker probes the cache (cache/cache.hpp: no lock, no allocation) and, on a miss, writes the
// question into one preallocated slot of a bounded queue; a full queue is SERVFAIL at once. All that waits lives on one
// thread with an io_context: equal questions are asked once, each try has a socket, a source port, a random id and
// random letters of its own (RFC 5452, 0x20) and listens until the question's end, what comes back is checked and
// rewritten record by record (zone/wire/response.hpp), cached, and sent to everyone who waits.
//
// What a client sees: its own id and question, RA=1, AA=0, RD and CD copied; an OPT only if it sent one. RD=0 makes no
// difference, as in CoreDNS. A class other than IN, a name of no route or of our own zones: REFUSED; the meta types
// (AXFR …): NOTIMP; ANY: one HINFO record, no upstream is asked (RFC 8482). No upstream answers: SERVFAIL with EDE 22 (none could be reached) or 23 (network error); one
// answers with what cannot be used: SERVFAIL with EDE 0 that says what it is. Extended errors of an upstream are handed
// on, marked as its own; so is a cut answer, with TC, where TCP brings nothing better.
//
// Threads: take(), follow(), ask(), covers(), counters(), upstreams() from any thread; a thread that calls take() is a
// registered RCU reader (zone/index/epoch.hpp) and says quiescent() between calls. start() and stop() from one thread,
// once each.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "server/config/settings.hpp"
#include "server/forward/outside.hpp"

namespace signpost::server {

class Cache; // cache/cache.hpp

/// Where names below `zones` go. One per server block; the longest zone that holds a name decides, and a name that a
/// route excepts goes to the next longest.
struct ForwardRoute {
  std::vector<std::string> zones = {"."}; // of the block; ForwardSettings::from narrows them
  std::vector<std::string> beyond;        // zones of others, about which its upstreams are not believed
  ForwardSettings forward;
  std::optional<CacheSettings> cache; // nullopt: every question is asked
  std::shared_ptr<Cache> kept{};      // of a forwarder whose place this one takes; null: an empty one
};

struct ForwarderSettings {
  std::vector<ForwardRoute> routes;
  std::vector<std::string> origins; // zones that are ours alone: names below them never leave
  std::vector<Endpoint> own;        // addresses we listen on: an upstream among them is a loop, refused at start
  bool randomise_case = true;       // 0x20: random letter case in questions, exact echo expected
  std::size_t queue = 1024;         // questions between the workers and the forwarding thread; a power of two
  std::size_t max_descriptors = 0;  // for tries upstream; 0: what the limit of open files leaves, at most 32,768
  std::size_t max_in_flight = 0;    // different questions asked at once; 0: as many as file descriptors allow, ≤ 4096
  std::chrono::milliseconds drain{1000}; // stop(): questions in flight get this long, then SERVFAIL
  std::function<void(std::string_view)>
      log; // failures of upstreams: at most a line a second, from the forwarding thread
  std::function<void(std::string_view)> tell; // what is wrong with a file of upstreams: once, from any thread
};

/// Routes, origins and own addresses as server blocks say them; `log` and `tell` are left empty.
[[nodiscard]] ForwarderSettings forwarder_settings(const Settings& settings);

/// One sentence naming the first upstream that is one of `own` (an unspecified own address stands for every address of
/// this machine), or nullopt.
[[nodiscard]] std::optional<std::string> forwards_to_itself(const std::vector<Endpoint>& upstreams,
                                                            const std::vector<Endpoint>& own);

/// Since start; questions unless said otherwise.
struct ForwardCounters {
  std::uint64_t cache_hits = 0;
  std::uint64_t cache_misses = 0;  // of routes with a cache
  std::uint64_t refused = 0;       // class, no route, our own zone, over max_concurrent
  std::uint64_t overflows = 0;     // queue full, too many in flight or waiting: SERVFAIL at once
  std::uint64_t joined = 0;        // waited for an equal question that was already asked
  std::uint64_t failures = 0;      // SERVFAIL: no upstream gave an answer
  std::uint64_t tries = 0;         // queries sent upstream
  std::uint64_t timeouts = 0;      // tries without an answer in time
  std::uint64_t mismatches = 0;    // messages of no use: wrong id, question or shape
  std::uint64_t tcp = 0;           // tries over TCP
  std::uint64_t in_flight = 0;     // now
  std::uint64_t cache_entries = 0; // now, all caches
  std::uint64_t cache_bytes = 0;   // now, all caches: in use
  std::uint64_t cache_evictions = 0;
};

class Forwarder final : public Outside {
public:
  explicit Forwarder(ForwarderSettings settings);
  ~Forwarder() override;
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  /// Checks the settings and starts the thread. The error is one sentence for the operator.
  [[nodiscard]] tl::expected<void, std::string> start();

  /// Takes no more questions, lets those in flight end, answers the rest with SERVFAIL, joins the thread. Idempotent.
  void stop();

  [[nodiscard]] Taken take(const wire::Query& query, wire::Transport transport, std::span<std::uint8_t> buffer,
                           std::size_t query_length, const ReplyTo& reply_to) noexcept override;

  [[nodiscard]] Taken follow(const wire::Query& query, wire::Transport transport, std::span<std::uint8_t> buffer,
                             const ReplyTo& reply_to) noexcept override;
  [[nodiscard]] bool covers(std::span<const std::uint8_t> name) const noexcept override;
  [[nodiscard]] bool ask(const Link& link, std::shared_ptr<Waiter> waiter) noexcept override;

  [[nodiscard]] ForwardCounters counters() const;

  /// The cache of the first route, for a forwarder that takes this one's place; null: it has none.
  [[nodiscard]] std::shared_ptr<Cache> cache() const;

  /// Who is asked now, of all routes, those of files included.
  [[nodiscard]] std::vector<Endpoint> upstreams() const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace signpost::server
