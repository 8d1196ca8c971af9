// The bare echo: what the kernel alone costs. Receives up to 32 datagrams at once, sets QR, sends them back.
//
//   bench_echo PORT
//
// On 127.0.0.1, one thread, buffers and socket options as signpostd has them; ends with SIGTERM.
#include <arpa/inet.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <unistd.h>

namespace {

constexpr unsigned batch = 32;
constexpr std::size_t datagram = 1232;

struct Slots {
  std::array<std::array<unsigned char, datagram>, batch> data;
  std::array<sockaddr_in, batch> peer;
  std::array<iovec, batch> in, out;
  std::array<mmsghdr, batch> received, sent;
};

} // namespace

int main(int count, char** arguments) {
  const auto port = static_cast<std::uint16_t>(count == 2 ? std::atoi(arguments[1]) : 0);
  if (port == 0) {
    std::fprintf(stderr, "usage: bench_echo PORT\n");
    return 2;
  }
  std::signal(SIGTERM, [](int) { ::_exit(0); });
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int one = 1, size = 4 << 20;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
  ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  if (socket < 0 || ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    std::perror("bench_echo");
    return 1;
  }
  const auto slots = std::make_unique<Slots>();
  std::memset(static_cast<void*>(slots.get()), 0, sizeof *slots);
  for (unsigned i = 0; i < batch; ++i) {
    slots->in[i] = slots->out[i] = {slots->data[i].data(), datagram};
    slots->received[i].msg_hdr.msg_name = slots->sent[i].msg_hdr.msg_name = &slots->peer[i];
    slots->received[i].msg_hdr.msg_namelen = slots->sent[i].msg_hdr.msg_namelen = sizeof(sockaddr_in);
    slots->received[i].msg_hdr.msg_iov = &slots->in[i];
    slots->sent[i].msg_hdr.msg_iov = &slots->out[i];
    slots->received[i].msg_hdr.msg_iovlen = slots->sent[i].msg_hdr.msg_iovlen = 1;
  }
  for (;;) {
    const int got = ::recvmmsg(socket, slots->received.data(), batch, MSG_WAITFORONE, nullptr);
    for (int i = 0; i < got; ++i) {
      slots->data[static_cast<unsigned>(i)][2] |= 0x80;
      slots->out[static_cast<unsigned>(i)].iov_len = slots->received[static_cast<unsigned>(i)].msg_len;
    }
    for (int sent = 0; sent < got;) {
      const int n = ::sendmmsg(socket, slots->sent.data() + sent, static_cast<unsigned>(got - sent), 0);
      if (n <= 0) break;
      sent += n;
    }
  }
}
