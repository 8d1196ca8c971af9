#include "server/forward/try.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

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
constexpr unsigned suspicious = 3; // messages that may be anybody's, until TCP is asked
constexpr int burst = 32;          // datagrams read before others have their turn

asio::ip::address to_asio(const Endpoint& endpoint) {
  const model::Address& address = endpoint.address;
  if (address.is_v4()) {
    asio::ip::address_v4::bytes_type bytes;
    std::copy(address.bytes().begin(), address.bytes().end(), bytes.begin());
    return asio::ip::address_v4(bytes);
  }
  asio::ip::address_v6::bytes_type bytes;
  std::copy(address.bytes().begin(), address.bytes().end(), bytes.begin());
  return asio::ip::address_v6(bytes, scope_id(endpoint.zone));
}

/// Fragments of a reply to a forged "packet too big" are a way to forge (RFC 9715): our packets set no path MTU.
void ignore_path_mtu(udp::socket& socket, bool v4) {
  const int value = v4 ? IP_PMTUDISC_OMIT : IPV6_PMTUDISC_OMIT;
  (void)setsockopt(socket.native_handle(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER,
                   &value, sizeof value);
}

} // namespace

Try::Try(asio::io_context& io, Workspace& workspace, std::shared_ptr<Upstream> upstream, const Ask& ask)
    : workspace_(workspace), upstream_(std::move(upstream)), ask_(ask), udp_(io), tcp_(io) {
  write_query();
}

void Try::write_query() {
  std::uint8_t* const p = sent_.data() + 2;
  std::fill_n(p, wire::header_size, std::uint8_t{0});
  wire::store16(p, workspace_.random.word());
  // AD asks for the upstream's verdict without asking for signatures (RFC 6840 5.7).
  const unsigned flags = wire::flag::rd | wire::flag::ad | (ask_.checking_disabled ? wire::flag::cd : 0u);
  wire::store16(p + 2, static_cast<std::uint16_t>(flags));
  wire::store16(p + 4, 1);
  wire::store16(p + 10, ask_.edns ? 1 : 0);
  std::uint8_t* at = std::copy(ask_.qname.begin(), ask_.qname.end(), p + wire::header_size);
  if (ask_.randomise_case) {
    for (std::uint8_t* label = p + wire::header_size; *label != 0; label += *label + 1) {
      for (std::uint8_t* c = label + 1; c <= label + *label; ++c)
        if (*c >= 'a' && *c <= 'z' && (workspace_.random.octet() & 1) != 0) *c ^= 0x20;
    }
  }
  wire::store16(at, ask_.type);
  wire::store16(at + 2, wire::class_in);
  at += 4;
  if (ask_.edns) at += wire::write_opt(at, 0, ask_.dnssec_ok);
  sent_length_ = static_cast<std::size_t>(at - p);
  wire::store16(sent_.data(), static_cast<std::uint16_t>(sent_length_));
}

wire::upstream::Asked Try::asked() const {
  return {.qname = {sent_.data() + 2 + wire::header_size, ask_.qname.size()},
          .type = ask_.type,
          .id = wire::load16(sent_.data() + 2),
          .exact_case = ask_.randomise_case,
          .dnssec_ok = ask_.dnssec_ok};
}

void Try::start(Listener& listener, std::size_t number) {
  listener_ = &listener;
  number_ = number;
  count(workspace_.counters.tries);
  if (ask_.over_tcp) return turn_to_tcp();
  if (!send_datagram()) return report(Heard::refused);
  asio::co_spawn(udp_.get_executor(), listen(shared_from_this()), asio::detached);
}

void Try::close() {
  listener_ = nullptr;
  error_code ignored;
  udp_.close(ignored);
  tcp_.close(ignored);
}

void Try::report(Heard what) {
  if (listener_ != nullptr) listener_->heard(number_, what);
}

bool Try::send_datagram() {
  const udp::endpoint endpoint(to_asio(upstream_->endpoint), upstream_->endpoint.port);
  error_code error;
  udp_.open(endpoint.protocol(), error);
  if (!error) ignore_path_mtu(udp_, endpoint.address().is_v4());
  if (!error) udp_.non_blocking(true, error);
  if (!error) udp_.connect(endpoint, error);
  if (!error) udp_.send(asio::buffer(sent_.data() + 2, sent_length_), 0, error);
  return !error;
}

asio::awaitable<void> Try::listen([[maybe_unused]] std::shared_ptr<Try> self) {
  while (udp_.is_open()) {
    const auto [waited] = co_await udp_.async_wait(udp::socket::wait_read, no_throw);
    if (waited) co_return;
    for (int i = 0; i < burst && udp_.is_open(); ++i) {
      error_code error;
      workspace_.length = udp_.receive(asio::buffer(workspace_.message), 0, error);
      if (error == asio::error::would_block) break;
      if (error) {
        error_code ignored;
        udp_.close(ignored);
        report(Heard::refused);
        co_return;
      }
      take_datagram();
    }
  }
}

void Try::take_datagram() {
  wire::upstream::read_response(workspace_.bytes(), asked(), *workspace_.response);
  const Fault fault = workspace_.response->fault;
  if (wire::upstream::is_strangers(fault)) {
    count(workspace_.counters.mismatches);
    const bool first = fault == Fault::question_case && !std::exchange(other_letters_, true);
    if (first) report(Heard::other_letters);
    if (++strangers_ == suspicious || first) turn_to_tcp();
    return;
  }
  if (fault == Fault::none && !workspace_.response->truncated) return report(Heard::response);
  if (fault != Fault::none) count(workspace_.counters.mismatches);
  report(fault == Fault::none ? Heard::truncated : Heard::bad);
  turn_to_tcp();
}

void Try::turn_to_tcp() {
  if (listener_ == nullptr || tcp_state_ == Tcp::asked) return;
  if (tcp_state_ == Tcp::over) return report(Heard::tcp_failed);
  tcp_state_ = Tcp::asked;
  asio::co_spawn(tcp_.get_executor(), ask_tcp(shared_from_this()), asio::detached);
}

asio::awaitable<void> Try::ask_tcp([[maybe_unused]] std::shared_ptr<Try> self) {
  count(workspace_.counters.tcp);
  const auto failed = [this](Heard what) {
    tcp_state_ = Tcp::over;
    error_code ignored;
    tcp_.close(ignored);
    report(what);
  };
  const tcp::endpoint endpoint(to_asio(upstream_->endpoint), upstream_->endpoint.port);
  const auto [connected] = co_await tcp_.async_connect(endpoint, no_throw);
  if (connected) co_return failed(ask_.over_tcp ? Heard::refused : Heard::tcp_failed);
  const asio::const_buffer query(sent_.data(), sent_length_ + 2);
  const auto [written, octets] = co_await asio::async_write(tcp_, query, no_throw);
  if (written) co_return failed(Heard::tcp_failed);
  std::array<std::uint8_t, 2> prefix{};
  const auto [prefixed, two] = co_await asio::async_read(tcp_, asio::buffer(prefix), no_throw);
  if (prefixed) co_return failed(Heard::tcp_failed);
  std::vector<std::uint8_t> message(wire::load16(prefix.data()));
  const auto [read, all] = co_await asio::async_read(tcp_, asio::buffer(message), no_throw);
  if (read) co_return failed(Heard::tcp_failed);

  // From here on nothing suspends: the workspace is ours.
  std::copy(message.begin(), message.end(), workspace_.message.begin());
  workspace_.length = message.size();
  wire::upstream::Asked expected = asked();
  expected.exact_case = false;
  wire::upstream::read_response(workspace_.bytes(), expected, *workspace_.response);
  const Fault fault = workspace_.response->fault;
  if (fault != Fault::none) count(workspace_.counters.mismatches);
  if (fault == Fault::none && !workspace_.response->truncated) {
    const auto& qname = expected.qname;
    const auto got = workspace_.bytes().subspan(wire::header_size);
    const bool asked_back = wire::load16(&workspace_.message[4]) == 1;
    if (ask_.randomise_case && asked_back && !std::equal(qname.begin(), qname.end(), got.begin()))
      upstream_->no_case_until = steady_clock::now() + habit;
    tcp_state_ = Tcp::over;
    co_return report(Heard::response);
  }
  if (fault == Fault::none) report(Heard::truncated);
  // On a connection of ours, what is not the answer is a bad one, whosever it is.
  if (fault != Fault::none) report(Heard::bad);
  failed(Heard::tcp_failed);
}

} // namespace signpost::server
