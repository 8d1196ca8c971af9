#include "server/forward/upstream.hpp"

#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "zone/wire/edns.hpp"
#include "zone/wire/octets.hpp"
#include "zone/wire/types.hpp"

namespace signpost::server {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using boost::system::error_code;
using std::chrono::steady_clock;
using wire::upstream::Fault;

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t max_query = wire::header_size + wire::max_name + 4 + wire::opt_size;
constexpr unsigned suspicious_mismatches = 3, most_mismatches = 256;
constexpr auto first_penalty = std::chrono::seconds(1), longest_penalty = std::chrono::seconds(30);
constexpr auto habit = std::chrono::minutes(15); // how long an upstream is believed not to know EDNS or to fold case

struct Sent {
  std::array<std::uint8_t, 2 + max_query> bytes; // behind the length that TCP puts in front
  std::size_t length = 0;                        // without it
  bool exact_case = false;

  [[nodiscard]] asio::const_buffer datagram() const { return {bytes.data() + 2, length}; }
  [[nodiscard]] asio::const_buffer stream() const { return {bytes.data(), length + 2}; }
  [[nodiscard]] wire::upstream::Asked asked(const Ask& ask) const {
    return {.qname = {bytes.data() + 2 + wire::header_size, ask.qname.size()},
            .type = ask.type,
            .id = wire::load16(bytes.data() + 2),
            .exact_case = exact_case,
            .dnssec_ok = ask.dnssec_ok};
  }
};

void write_query(const Ask& ask, bool edns, bool randomise_case, RandomSource& random, Sent& sent) {
  std::uint8_t* const p = sent.bytes.data() + 2;
  std::fill_n(p, wire::header_size, std::uint8_t{0});
  wire::store16(p, random.word());
  // AD asks for the upstream's verdict without asking for signatures (RFC 6840 5.7).
  const unsigned flags = wire::flag::rd | wire::flag::ad | (ask.checking_disabled ? wire::flag::cd : 0u);
  wire::store16(p + 2, static_cast<std::uint16_t>(flags));
  wire::store16(p + 4, 1);
  wire::store16(p + 10, edns ? 1 : 0);
  std::uint8_t* at = std::copy(ask.qname.begin(), ask.qname.end(), p + wire::header_size);
  sent.exact_case = randomise_case;
  if (randomise_case) {
    for (std::uint8_t* label = p + wire::header_size; *label != 0; label += *label + 1) {
      for (std::uint8_t* c = label + 1; c <= label + *label; ++c)
        if (*c >= 'a' && *c <= 'z' && (random.octet() & 1) != 0) *c ^= 0x20;
    }
  }
  wire::store16(at, ask.type);
  wire::store16(at + 2, wire::class_in);
  at += 4;
  if (edns) at += wire::write_opt(at, 0, ask.dnssec_ok);
  sent.length = static_cast<std::size_t>(at - p);
  wire::store16(sent.bytes.data(), static_cast<std::uint16_t>(sent.length));
}

/// Cancels a socket's operation at a time, and says that it did.
template <class Socket>
class Alarm {
public:
  Alarm(std::shared_ptr<Socket> socket, SteadyTime at)
      : timer_(socket->get_executor(), at), rung_(std::make_shared<bool>(false)) {
    timer_.async_wait([socket = std::move(socket), rung = rung_](error_code error) {
      if (error) return;
      *rung = true;
      error_code ignored;
      socket->cancel(ignored);
    });
  }
  [[nodiscard]] bool rung() const { return *rung_; }

private:
  asio::steady_timer timer_;
  std::shared_ptr<bool> rung_;
};

asio::ip::address to_asio(const model::Address& address) {
  if (address.is_v4()) {
    asio::ip::address_v4::bytes_type bytes;
    std::copy(address.bytes().begin(), address.bytes().end(), bytes.begin());
    return asio::ip::address_v4(bytes);
  }
  asio::ip::address_v6::bytes_type bytes;
  std::copy(address.bytes().begin(), address.bytes().end(), bytes.begin());
  return asio::ip::address_v6(bytes);
}

/// Fragments of a reply to a forged "packet too big" are a way to forge (RFC 9715): our packets set no path MTU.
void ignore_path_mtu(udp::socket& socket, bool v4) {
  const int value = v4 ? IP_PMTUDISC_OMIT : IPV6_PMTUDISC_OMIT;
  (void)setsockopt(socket.native_handle(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER,
                   &value, sizeof value);
}

asio::awaitable<TryResult> ask_tcp(const Upstream& upstream, const Ask& ask, const Sent& sent, SteadyTime until,
                                   Workspace& workspace) {
  ++workspace.counters.tcp;
  const auto socket = std::make_shared<tcp::socket>(co_await asio::this_coro::executor);
  const tcp::endpoint endpoint(to_asio(upstream.endpoint.address), upstream.endpoint.port);
  error_code opened;
  socket->open(endpoint.protocol(), opened);
  if (opened) co_return TryResult::error;
  const Alarm alarm(socket, until);
  const auto failed = [&] { return alarm.rung() ? TryResult::timed_out : TryResult::error; };

  const auto [connected] = co_await socket->async_connect(endpoint, no_throw);
  if (connected || alarm.rung()) co_return failed();
  const auto [written, octets] = co_await asio::async_write(*socket, sent.stream(), no_throw);
  if (written || alarm.rung()) co_return failed();
  std::array<std::uint8_t, 2> prefix{};
  const auto [prefixed, two] = co_await asio::async_read(*socket, asio::buffer(prefix), no_throw);
  if (prefixed || alarm.rung()) co_return failed();
  std::vector<std::uint8_t> message(wire::load16(prefix.data()));
  const auto [read, all] = co_await asio::async_read(*socket, asio::buffer(message), no_throw);
  if (read || alarm.rung()) co_return failed();

  // From here to the end of the caller's work nothing suspends: the workspace is ours.
  std::copy(message.begin(), message.end(), workspace.message.begin());
  workspace.length = message.size();
  wire::upstream::Asked asked = sent.asked(ask);
  asked.exact_case = false;
  wire::upstream::read_response(workspace.bytes(), asked, *workspace.response);
  if (workspace.response->fault != Fault::none || workspace.response->truncated) {
    ++workspace.counters.mismatches;
    co_return TryResult::error;
  }
  co_return TryResult::response;
}

bool same_letters(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

asio::awaitable<TryResult> ask_udp(Upstream& upstream, const Ask& ask, const Sent& sent, SteadyTime until,
                                   Workspace& workspace) {
  const udp::endpoint endpoint(to_asio(upstream.endpoint.address), upstream.endpoint.port);
  const auto socket = std::make_shared<udp::socket>(co_await asio::this_coro::executor);
  error_code error;
  socket->open(endpoint.protocol(), error);
  if (!error) ignore_path_mtu(*socket, endpoint.address().is_v4());
  if (!error) socket->non_blocking(true, error);
  if (!error) socket->connect(endpoint, error);
  if (!error) socket->send(sent.datagram(), 0, error);
  if (error) co_return TryResult::error;

  const Alarm alarm(socket, until);
  bool asked_tcp = false, other_letters = false;
  for (unsigned mismatches = 0; mismatches < most_mismatches && !alarm.rung();) {
    const auto [waited] = co_await socket->async_wait(udp::socket::wait_read, no_throw);
    if (alarm.rung()) break;
    if (waited) co_return TryResult::error;
    workspace.length = socket->receive(asio::buffer(workspace.message), 0, error);
    if (error == asio::error::would_block) continue;
    if (error) co_return TryResult::error;
    wire::upstream::read_response(workspace.bytes(), sent.asked(ask), *workspace.response);
    const Fault fault = workspace.response->fault;
    if (fault == Fault::none && !workspace.response->truncated) co_return TryResult::response;
    if (fault == Fault::none) co_return co_await ask_tcp(upstream, ask, sent, until, workspace);
    ++workspace.counters.mismatches;
    ++mismatches;
    other_letters = other_letters || fault == Fault::question_case;
    if (asked_tcp || (!other_letters && mismatches < suspicious_mismatches)) continue;
    asked_tcp = true;
    const TryResult over_tcp = co_await ask_tcp(upstream, ask, sent, until, workspace);
    if (over_tcp == TryResult::response) {
      const auto qname = workspace.bytes().subspan(wire::header_size, ask.qname.size());
      if (sent.exact_case && !same_letters(qname, sent.asked(ask).qname))
        upstream.no_case_until = steady_clock::now() + habit;
      co_return over_tcp;
    }
  }
  if (other_letters) upstream.no_case_until = steady_clock::now() + habit;
  co_return TryResult::timed_out;
}

/// Asks over UDP, then TCP where that is called for.
asio::awaitable<TryResult> ask_once(Upstream& upstream, const Ask& ask, bool edns, SteadyTime until,
                                    Workspace& workspace) {
  ++workspace.counters.tries;
  Sent sent;
  const bool randomise = ask.randomise_case && !ask.force_tcp && steady_clock::now() >= upstream.no_case_until;
  write_query(ask, edns, randomise, workspace.random, sent);
  if (ask.force_tcp) co_return co_await ask_tcp(upstream, ask, sent, until, workspace);
  co_return co_await ask_udp(upstream, ask, sent, until, workspace);
}

} // namespace

std::uint8_t RandomSource::octet() {
  if (at_ == pool_.size()) {
    std::size_t filled = 0;
    while (filled < pool_.size()) {
      const ssize_t got = getrandom(pool_.data() + filled, pool_.size() - filled, 0);
      if (got > 0) filled += static_cast<std::size_t>(got);
    }
    at_ = 0;
  }
  return std::exchange(pool_[at_++], std::uint8_t{0});
}

void Upstream::succeeded() {
  failures = 0;
  last_until = {};
}

void Upstream::failed(SteadyTime now) {
  const auto penalty = std::min<std::chrono::seconds>(first_penalty * (1 << std::min(failures, 5u)), longest_penalty);
  ++failures;
  last_until = now + penalty;
}

std::vector<Upstream*> order_upstreams(std::vector<Upstream>& upstreams, ForwardSettings::Policy policy,
                                       std::size_t turn, SteadyTime now, RandomSource& random) {
  std::vector<Upstream*> order;
  order.reserve(upstreams.size());
  for (Upstream& upstream : upstreams) order.push_back(&upstream);
  switch (policy) {
  case ForwardSettings::Policy::sequential: break;
  case ForwardSettings::Policy::round_robin:
    std::rotate(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(turn % order.size()), order.end());
    break;
  case ForwardSettings::Policy::random:
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    break;
  }
  std::stable_partition(order.begin(), order.end(), [&](const Upstream* u) { return now >= u->last_until; });
  return order;
}

asio::awaitable<TryResult> ask(Upstream& upstream, Ask ask, SteadyTime until, Workspace& workspace) {
  const bool edns = steady_clock::now() >= upstream.no_edns_until;
  TryResult result = co_await ask_once(upstream, ask, edns, until, workspace);
  const bool refused_edns = edns && result == TryResult::response && !workspace.response->edns &&
                            (workspace.response->rcode == 1 || workspace.response->rcode == 4);
  if (refused_edns) {
    result = co_await ask_once(upstream, ask, false, until, workspace);
    if (result == TryResult::response && workspace.response->rcode != 1 && workspace.response->rcode != 4)
      upstream.no_edns_until = steady_clock::now() + habit;
  }
  if (result == TryResult::timed_out) ++workspace.counters.timeouts;
  co_return result;
}

} // namespace signpost::server
