#include "server/listen/address_watch.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace signpost::server {
namespace {

constexpr int settle = 100;                            // milliseconds without a note, before changes are looked at …
constexpr int most_settles = 10;                       // … but no longer than so many of them
constexpr int first_retry = 1000, last_retry = 30'000; // milliseconds

} // namespace

tl::expected<std::unique_ptr<AddressWatch>, std::string> AddressWatch::start(std::function<bool()> changed) {
  Socket netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (!netlink || ::bind(netlink.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return tl::unexpected(std::string("netlink: ") + std::strerror(errno));
  Socket wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return tl::unexpected(std::string("eventfd: ") + std::strerror(errno));
  return std::unique_ptr<AddressWatch>(new AddressWatch(std::move(netlink), std::move(wake), std::move(changed)));
}

AddressWatch::AddressWatch(Socket netlink, Socket wake, std::function<bool()> changed)
    : netlink_(std::move(netlink)), wake_(std::move(wake)), changed_(std::move(changed)) {
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), "addresses");
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

AddressWatch::~AddressWatch() {
  stopping_.store(true, std::memory_order_relaxed);
  const std::uint64_t one = 1;
  (void)!::write(wake_.fd(), &one, sizeof one);
  thread_.join();
}

void AddressWatch::run() {
  int retry = -1;
  while (!stopping_.load(std::memory_order_relaxed)) {
    const bool news = wait(retry);
    for (int i = 0; news && i < most_settles && wait(settle); ++i) {
    }
    if (stopping_.load(std::memory_order_relaxed)) return;
    const bool again = changed_();
    retry = !again ? -1 : news || retry < 0 ? first_retry : std::min(2 * retry, last_retry);
  }
}

bool AddressWatch::wait(int milliseconds) {
  std::array<pollfd, 2> polled{pollfd{netlink_.fd(), POLLIN, 0}, pollfd{wake_.fd(), POLLIN, 0}};
  if (::poll(polled.data(), polled.size(), milliseconds) <= 0) return false;
  if (polled[1].revents != 0) return false; // the end
  std::array<char, 16 * 1024> notes;
  // ENOBUFS: notes were lost, which is news as well.
  while (::recv(netlink_.fd(), notes.data(), notes.size(), 0) > 0 || errno == ENOBUFS || errno == EINTR) {
  }
  return true;
}

} // namespace signpost::server
