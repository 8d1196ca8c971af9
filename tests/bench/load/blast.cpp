// A load that one core can keep a fast server saturated with: a few sockets, each with a window of queries in flight.
//
//   bench_blast PORT QUERIES [--sockets 8] [--window 128] [--seconds 3] [--edns OCTETS]
//
// QUERIES has a name and a type a line, as dnsperf takes them. To 127.0.0.1. A query that has no answer after half a
// second is lost and another is sent. Prints one line of JSON: answers, lost, rcodes, octets of the answers, and the
// times from query to answer, of one query in 64.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

namespace {

using Bytes = std::vector<std::uint8_t>;
using Clock = std::chrono::steady_clock;

constexpr unsigned batch = 32;
constexpr unsigned sampled = 64;
constexpr auto patience = std::chrono::milliseconds(500);

struct Options {
  std::uint16_t port = 0;
  std::string queries;
  unsigned sockets = 8, window = 128, seconds = 3, edns = 0;
};

struct Totals {
  std::uint64_t answers = 0, lost = 0, octets = 0;
  std::array<std::uint64_t, 16> rcodes{};
  std::vector<double> micros;
};

unsigned type_of(const std::string& text) {
  static const std::map<std::string, unsigned> known{{"A", 1}, {"PTR", 12}, {"AAAA", 28}, {"SRV", 33}, {"TXT", 16}};
  const auto found = known.find(text);
  return found == known.end() ? 1 : found->second;
}

std::vector<Bytes> read_queries(const Options& options) {
  std::vector<Bytes> packets;
  std::ifstream file(options.queries);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name, type;
    if (!(words >> name >> type)) continue;
    Bytes packet{0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(options.edns != 0)};
    std::istringstream labels(name);
    for (std::string label; std::getline(labels, label, '.');) {
      packet.push_back(static_cast<std::uint8_t>(label.size()));
      packet.insert(packet.end(), label.begin(), label.end());
    }
    for (const unsigned octet : {0u, 0u, type_of(type), 0u, 1u}) packet.push_back(static_cast<std::uint8_t>(octet));
    if (options.edns != 0)
      for (const unsigned octet : {0u, 0u, 41u, options.edns >> 8, options.edns & 255, 0u, 0u, 0u, 0u, 0u, 0u})
        packet.push_back(static_cast<std::uint8_t>(octet));
    packets.push_back(std::move(packet));
  }
  return packets;
}

/// One socket and its window: an id is a place in it.
class Flow {
public:
  Flow(const Options& options, const std::vector<Bytes>& packets, std::size_t first)
      : packets_(packets), next_(first), sent_at_(options.window), busy_(options.window) {
    socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int size = 4 << 20;
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::perror("connect");
    for (unsigned id = 0; id < options.window; ++id) free_.push_back(static_cast<std::uint16_t>(id));
  }
  ~Flow() { ::close(socket_); }
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

  [[nodiscard]] int socket() const { return socket_; }

  void send(Clock::time_point now) {
    while (!free_.empty()) {
      const auto count = std::min<std::size_t>(batch, free_.size());
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint16_t id = free_[free_.size() - 1 - i];
        const Bytes& packet = packets_[next_];
        next_ = next_ + 1 == packets_.size() ? 0 : next_ + 1;
        std::memcpy(out_[i].data(), packet.data(), packet.size());
        out_[i][0] = static_cast<std::uint8_t>(id >> 8);
        out_[i][1] = static_cast<std::uint8_t>(id);
        pieces_[i] = {out_[i].data(), packet.size()};
        messages_[i] = {};
        messages_[i].msg_hdr.msg_iov = &pieces_[i];
        messages_[i].msg_hdr.msg_iovlen = 1;
      }
      const int sent = ::sendmmsg(socket_, messages_.data(), static_cast<unsigned>(count), MSG_DONTWAIT);
      if (sent <= 0) return;
      for (int i = 0; i < sent; ++i) {
        busy_[free_.back()] = true;
        sent_at_[free_.back()] = now;
        free_.pop_back();
      }
    }
  }

  /// True if anything came.
  bool receive(Clock::time_point now, Totals& totals) {
    for (unsigned i = 0; i < batch; ++i) {
      pieces_[i] = {in_[i].data(), in_[i].size()};
      messages_[i] = {};
      messages_[i].msg_hdr.msg_iov = &pieces_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
    const int got = ::recvmmsg(socket_, messages_.data(), batch, MSG_DONTWAIT, nullptr);
    for (int i = 0; i < got; ++i) {
      const auto& data = in_[static_cast<unsigned>(i)];
      const unsigned id = static_cast<unsigned>(data[0] << 8 | data[1]);
      if (id >= busy_.size() || !busy_[id]) continue; // late
      busy_[id] = false;
      free_.push_back(static_cast<std::uint16_t>(id));
      ++totals.rcodes[data[3] & 15];
      totals.octets += messages_[static_cast<unsigned>(i)].msg_len;
      if (totals.answers++ % sampled == 0)
        totals.micros.push_back(std::chrono::duration<double, std::micro>(now - sent_at_[id]).count());
    }
    return got > 0;
  }

  void give_up(Clock::time_point now, Totals& totals) {
    for (std::size_t id = 0; id < busy_.size(); ++id) {
      if (!busy_[id] || now - sent_at_[id] < patience) continue;
      busy_[id] = false;
      free_.push_back(static_cast<std::uint16_t>(id));
      ++totals.lost;
    }
  }

private:
  const std::vector<Bytes>& packets_;
  std::size_t next_;
  std::vector<Clock::time_point> sent_at_;
  std::vector<bool> busy_;
  std::vector<std::uint16_t> free_;
  int socket_ = -1;
  std::array<std::array<std::uint8_t, 512>, batch> out_;
  std::array<std::array<std::uint8_t, 1500>, batch> in_;
  std::array<iovec, batch> pieces_;
  std::array<mmsghdr, batch> messages_;
};

Options read_options(int count, char** arguments) {
  Options options;
  if (count < 3) return options;
  options.port = static_cast<std::uint16_t>(std::atoi(arguments[1]));
  options.queries = arguments[2];
  for (int i = 3; i + 1 < count; i += 2) {
    const std::string_view name = arguments[i];
    const auto value = static_cast<unsigned>(std::strtoul(arguments[i + 1], nullptr, 10));
    if (name == "--sockets")
      options.sockets = std::max(1u, value);
    else if (name == "--window")
      options.window = std::clamp(value, 1u, 65536u);
    else if (name == "--seconds")
      options.seconds = std::min(value, 30u);
    else if (name == "--edns")
      options.edns = value & 0xffff;
  }
  return options;
}

} // namespace

int main(int count, char** arguments) {
  const Options options = read_options(count, arguments);
  const auto packets = read_queries(options);
  if (options.port == 0 || packets.empty()) {
    std::fprintf(stderr, "usage: bench_blast PORT QUERIES [--sockets 8] [--window 128] [--seconds 3] [--edns 1232]\n");
    return 2;
  }
  std::vector<std::unique_ptr<Flow>> flows;
  std::vector<pollfd> polled;
  for (unsigned i = 0; i < options.sockets; ++i) {
    flows.push_back(std::make_unique<Flow>(options, packets, packets.size() * i / options.sockets));
    polled.push_back({flows.back()->socket(), POLLIN, 0});
  }
  Totals totals;
  const auto start = Clock::now(), end = start + std::chrono::seconds(options.seconds);
  auto now = start, looked = start;
  for (const auto& flow : flows) flow->send(now);
  while (now < end) {
    bool any = false;
    for (const auto& flow : flows) {
      if (!flow->receive(now, totals)) continue;
      any = true;
      flow->send(now);
    }
    if (!any) ::poll(polled.data(), polled.size(), 20);
    now = Clock::now();
    if (now - looked < patience / 4) continue;
    looked = now;
    for (const auto& flow : flows) {
      flow->give_up(now, totals);
      flow->send(now);
    }
  }
  std::sort(totals.micros.begin(), totals.micros.end());
  const auto at = [&](double part) {
    return totals.micros.empty() ? 0 : totals.micros[static_cast<std::size_t>(part * double(totals.micros.size() - 1))];
  };
  std::printf("{\"answers\": %llu, \"lost\": %llu, \"seconds\": %.3f, \"octets\": %.1f, \"noerror\": %llu, "
              "\"nxdomain\": %llu, \"p50_us\": %.0f, \"p99_us\": %.0f}\n",
              static_cast<unsigned long long>(totals.answers), static_cast<unsigned long long>(totals.lost),
              std::chrono::duration<double>(now - start).count(),
              totals.answers == 0 ? 0.0 : double(totals.octets) / double(totals.answers),
              static_cast<unsigned long long>(totals.rcodes[0]), static_cast<unsigned long long>(totals.rcodes[3]),
              at(0.5), at(0.99));
}
