// Any octets as a TCP stream, cut anywhere: a real connection answers the same whether they come at once or in pieces,
// and every answer is a framed message.
//
// The first octets say where to cut. The peer is a socket pair's other end; the loop runs on this thread.
#include <fcntl.h>
#include <sys/socket.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "server/listen/connection.hpp"
#include "zone/zone.hpp"

using namespace signpost;
using namespace signpost::server;

namespace {

using Bytes = std::vector<std::uint8_t>;

zone::Zone& small_zone() {
  static zone::Zone zone({.server_addresses = {}});
  static const bool filled = [] {
    zone.put({.key = {"default", "web"},
              .cluster_ips = {*model::Address::parse("10.96.0.10")},
              .ports = {{"http", model::Protocol::tcp, 80}}});
    zone.publish();
    zone.set_ready();
    return true;
  }();
  (void)filled;
  return zone;
}

TcpSettings patient() {
  constexpr std::chrono::hours long_time(1);
  return {.idle = long_time, .idle_crowded = long_time, .first = long_time, .message = long_time, .write = long_time};
}

class Loop {
public:
  Loop()
      : loop_(std::make_shared<TcpLoop>(patient())),
        served_(std::make_shared<Served>(
            Endpoint{*model::Address::parse("127.0.0.1"), 53},
            std::make_shared<const Router>(std::vector<BlockRoute>{{.zones = {"."}, .zone = &small_zone()}}),
            loop_->counters[0])) {}

  /// What the connection sends when the pieces come one after the other, then the end.
  Bytes answers(std::span<const std::uint8_t> stream, std::span<const std::uint8_t> cuts) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) std::abort();
    const Socket ours(ends[1]);
    sockaddr_storage peer{};
    peer.ss_family = AF_INET;
    loop_->admit(Socket(ends[0]), peer, served_);
    Bytes got;
    std::size_t at = 0, cut = 0;
    while (at < stream.size() && !loop_->empty()) {
      const std::size_t wanted = cuts.empty() ? stream.size() : 1u + cuts[cut++ % cuts.size()];
      const ssize_t sent = ::send(ours.fd(), stream.data() + at, std::min(wanted, stream.size() - at), MSG_NOSIGNAL);
      if (sent > 0) at += static_cast<std::size_t>(sent);
      turn(ours, got);
    }
    ::shutdown(ours.fd(), SHUT_WR);
    while (!loop_->empty()) turn(ours, got);
    turn(ours, got);
    return got;
  }

private:
  void turn(const Socket& ours, Bytes& got) {
    loop_->poller.wait(loop_->poller.now());
    reader_.online();
    loop_->poller.dispatch();
    loop_->go_on();
    reader_.offline();
    std::uint8_t bytes[4096];
    for (ssize_t count; (count = ::recv(ours.fd(), bytes, sizeof bytes, 0)) > 0;)
      got.insert(got.end(), bytes, bytes + count);
  }

  std::shared_ptr<TcpLoop> loop_;
  std::shared_ptr<Served> served_;
  zone::ReaderThread reader_;
};

void check_framed(const Bytes& answers) {
  std::size_t at = 0;
  while (answers.size() - at >= 2) {
    const std::size_t length = wire::load16(&answers[at]);
    if (length < 12 || answers.size() - at - 2 < length || (answers[at + 4] & 0x80) == 0) std::abort();
    at += 2 + length;
  }
  if (at != answers.size()) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Loop loop;
  if (size < 4) return 0;
  const std::span<const std::uint8_t> cuts(data, 3), stream(data + 3, size - 3);
  const Bytes whole = loop.answers(stream, {}), pieces = loop.answers(stream, cuts);
  check_framed(whole);
  if (whole != pieces) std::abort();
  return 0;
}
