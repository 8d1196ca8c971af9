// Read-copy-update for the packet path: readers that never wait, and memory that is freed when none can see it.
//
// Quiescent-state based, as liburcu's QSBR flavour and at its cost: a reader pays nothing per query; it says once per
// batch "I hold nothing" (quiescent: two loads, and a store when a grace period has begun), and before it blocks, "do
// not wait for me" (offline). Everything a reader sees of an Index or a cache is valid between two such calls. Written
// on std::atomic, so that the thread sanitizer sees every edge; a grace period is polled, no thread waits for it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

namespace signpost::zone {

/// One reader's last seen epoch, on a cache line of its own; 0: offline.
struct alignas(64) ReaderSlot {
  std::atomic<std::uint64_t> seen{0};
  std::atomic<bool> taken{false};
  ReaderSlot* next = nullptr; // slots are never unlinked, only taken again
};

/// Registers the calling thread as a reader for its life time. One per thread; starts online.
class ReaderThread {
public:
  ReaderThread();
  ~ReaderThread();
  ReaderThread(const ReaderThread&) = delete;
  ReaderThread& operator=(const ReaderThread&) = delete;

  void quiescent() noexcept;
  void offline() noexcept;
  void online() noexcept;

private:
  ReaderSlot* slot_;
};

/// What a reader passes when it becomes quiescent after begin_grace(); grows by one with each.
using Epoch = std::uint64_t;

/// Starts a grace period for all that was unlinked before this call. Any thread.
[[nodiscard]] Epoch begin_grace() noexcept;

/// True once every reader has been quiescent or offline since that begin_grace(). Never blocks. Any thread.
[[nodiscard]] bool grace_over(Epoch epoch) noexcept;

/// Waits until every reader has passed a quiescent state. From a thread that is no reader, or is offline.
void synchronize();

/// Runs `free` after every reader has passed; no wait for the caller. It runs inside a later retire() or synchronize(),
/// on whichever thread calls that.
void retire(std::function<void()> free);

} // namespace signpost::zone
