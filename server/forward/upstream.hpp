// One upstream: its address, what its failures were, and one try of a question over UDP or TCP.
//
// A try has a socket of its own: the kernel draws the source port, connect(2) keeps strangers out, the id comes from
// getrandom(2) (RFC 5452 9). What does not fit the question is ignored, not believed and not taken for an end; after
// three such messages, or an answer in other letters than were sent, the question is asked over TCP too, where nobody
// can guess (RFC 5452 9.3); where there is no TCP, the socket is listened to on. An upstream that failed is asked last
// for a while that doubles with every failure.
//
// Threads: the forwarding thread only.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>

#include "server/config/settings.hpp"
#include "zone/wire/response.hpp"

namespace signpost::server {

using SteadyTime = std::chrono::steady_clock::time_point;

/// Random octets from getrandom(2), drawn in bulk.
class RandomSource {
public:
  [[nodiscard]] std::uint8_t octet();
  [[nodiscard]] std::uint16_t word() { return static_cast<std::uint16_t>(octet() << 8 | octet()); }
  /// 0 … bound-1 without bias worth the name; bound ≥ 1.
  [[nodiscard]] std::size_t below(std::size_t bound) { return (std::size_t{word()} << 16 | word()) % bound; }

private:
  std::array<std::uint8_t, 512> pool_{};
  std::size_t at_ = 512;
};

struct Upstream {
  Endpoint endpoint;
  unsigned failures = 0;      // in a row
  SteadyTime last_until{};    // asked last until then
  SteadyTime no_edns_until{}; // asked without EDNS until then: it refused it (RFC 6891 6.2.2)
  SteadyTime no_case_until{}; // asked in lower case until then: it does not give the letters back

  void succeeded();
  void failed(SteadyTime now);
};

/// In which order they are tried now: by policy, those that failed lately behind the others.
[[nodiscard]] std::vector<Upstream*> order_upstreams(std::vector<Upstream>& upstreams, ForwardSettings::Policy policy,
                                                     std::size_t turn, SteadyTime now, RandomSource& random);

enum class TryResult : std::uint8_t {
  response, // `response` in the workspace is sound and whole
  timed_out,
  error, // the network or the upstream refused
};

struct TryCounters {
  std::uint64_t tries = 0, timeouts = 0, mismatches = 0, tcp = 0;
};

/// What tries share: valid from the moment ask() returns until the next suspension.
struct Workspace {
  RandomSource random;
  std::vector<std::uint8_t> message = std::vector<std::uint8_t>(65535);
  std::size_t length = 0; // of the message `response` was read from
  std::unique_ptr<wire::upstream::Response> response = std::make_unique<wire::upstream::Response>();
  TryCounters counters;

  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {message.data(), length}; }
};

struct Ask {
  std::span<const std::uint8_t> qname; // lower case, outlives the try
  std::uint16_t type = 0;
  bool dnssec_ok = false, checking_disabled = false;
  bool force_tcp = false;
  bool randomise_case = false;
};

/// One try: UDP, then TCP where the answer was truncated or looked forged; ends by `until`.
[[nodiscard]] boost::asio::awaitable<TryResult> ask(Upstream& upstream, Ask ask, SteadyTime until,
                                                    Workspace& workspace);

} // namespace signpost::server
