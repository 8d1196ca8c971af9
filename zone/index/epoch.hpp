// Read-copy-update for the packet path: readers that never wait, and memory that is freed when none can see it.
//
// liburcu's QSBR flavour: a reader pays nothing per query; it says once per batch "I hold nothing" (quiescent), and
// before it blocks, "do not wait for me" (offline). Everything a reader sees of an Index or a cache is valid between
// two such calls.
#pragma once

#include <functional>

namespace signpost::zone {

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
};

/// Waits until every reader has passed a quiescent state. From a thread that is no reader, or is offline.
void synchronize();

/// Runs `free` after every reader has passed; from any one thread, batched: no wait for the caller.
void retire(std::function<void()> free);

} // namespace signpost::zone
