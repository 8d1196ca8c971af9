// Tells when this machine's addresses may have changed: rtnetlink's notes of addresses and links that come and go.
//
// Only that something has changed is taken from the kernel's messages; what the addresses are now is asked anew
// (config/host.hpp), so a message that was lost, or came a hundred times, does no harm. Changes are awaited for a
// moment and told once. A thread of its own.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <tl/expected.hpp>

#include "server/listen/socket.hpp"

namespace signpost::server {

class AddressWatch {
public:
  /// Starts the thread. `changed` is called on it: true says that something is still to be done, and it is called again
  /// after a second, then after two, four, … up to half a minute. The error says why the kernel does not tell.
  [[nodiscard]] static tl::expected<std::unique_ptr<AddressWatch>, std::string> start(std::function<bool()> changed);
  ~AddressWatch(); // ends the thread
  AddressWatch(const AddressWatch&) = delete;
  AddressWatch& operator=(const AddressWatch&) = delete;

private:
  AddressWatch(Socket netlink, Socket wake, std::function<bool()> changed);
  void run();
  /// Waits for a note, at most `milliseconds` (-1: for ever); false: nothing came. Drains what came.
  bool wait(int milliseconds);

  Socket netlink_, wake_; // wake_: an eventfd
  std::function<bool()> changed_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

} // namespace signpost::server
