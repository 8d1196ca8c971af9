// What tests of the forwarder share: settings, a running one, and a look at its replies.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/server/forward/scripted_upstream.hpp"

namespace signpost::testing {

using namespace std::chrono_literals;
using server::Forwarder;
using server::ForwarderSettings;
using wire::load16;

inline const Octets www = name("www.example.com");
inline const Octets address = ipv4(192, 0, 2, 1);
using Replies = std::vector<Octets>;
inline constexpr std::uint16_t udp_answer = 0x8180; // QR RD RA

inline ForwarderSettings to(std::vector<server::Endpoint> upstreams, bool cached = true) {
  ForwarderSettings settings;
  server::ForwardRoute route;
  route.forward.upstreams = std::move(upstreams);
  route.forward.policy = server::ForwardSettings::Policy::sequential;
  // Long enough for a machine that does much else: who waits for a time-out sets a shorter one.
  route.forward.read_timeout = 20s;
  route.forward.deadline = 60s;
  if (cached) route.cache = server::CacheSettings{.bytes = 256 << 10};
  settings.routes.push_back(std::move(route));
  return settings;
}

inline ForwarderSettings impatient(ForwarderSettings settings) {
  for (auto& route : settings.routes) route.forward.read_timeout = 300ms;
  return settings;
}

/// Of questions that nobody will answer: their end comes soon.
inline ForwarderSettings hopeless(ForwarderSettings settings) {
  for (auto& route : settings.routes) {
    route.forward.read_timeout = 100ms;
    route.forward.deadline = 1500ms;
  }
  return settings;
}

/// Whether `condition` comes true while one would wait for it.
inline bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 20000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

struct Running {
  Forwarder forwarder;
  explicit Running(ForwarderSettings settings) : forwarder(std::move(settings)) {
    const auto started = forwarder.start();
    REQUIRE_MESSAGE(started, (started ? std::string() : started.error()));
  }
  ~Running() { forwarder.stop(); }
};

inline std::vector<Octets> one_address(const Asked& asked) {
  return {asked.reply().answer(pointer(12), 1, 300, address).octets()};
}

inline std::uint16_t id_of(const Octets& reply) { return load16(reply.data()); }
inline std::uint16_t flags_of(const Octets& reply) { return load16(&reply[2]); }
inline int rcode_of(const Octets& reply) { return reply.size() < 12 ? -1 : reply[3] & 0xf; }
inline std::uint16_t answers_of(const Octets& reply) { return load16(&reply[6]); }

/// INFO-CODE of the extended error in a reply without records, -1: there is none.
inline int extended_error(const Octets& reply) {
  const std::size_t opt = 12 + wire::upstream::skip_name(reply, 12) + 4;
  if (reply.size() < opt + 17 || load16(&reply[10]) != 1 || load16(&reply[opt + 11]) != 15) return -1;
  return load16(&reply[opt + 15]);
}

} // namespace signpost::testing
