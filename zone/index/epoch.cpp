#include "zone/index/epoch.hpp"

#include <chrono>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace signpost::zone {
namespace {

std::atomic<Epoch> current{1};
std::atomic<ReaderSlot*> slots{nullptr};

ReaderSlot* take_slot() {
  for (ReaderSlot* slot = slots.load(std::memory_order_acquire); slot != nullptr; slot = slot->next) {
    bool free = false;
    if (slot->taken.compare_exchange_strong(free, true, std::memory_order_acq_rel)) return slot;
  }
  auto* slot = new ReaderSlot;
  slot->taken.store(true, std::memory_order_relaxed);
  slot->next = slots.load(std::memory_order_relaxed);
  while (!slots.compare_exchange_weak(slot->next, slot, std::memory_order_acq_rel)) {
  }
  return slot;
}

struct Deferred {
  Epoch epoch;
  std::function<void()> free;
};

class Queue {
public:
  Queue() = default;
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  ~Queue() {
    for (auto& deferred : waiting_) deferred.free();
  }

  void add(std::function<void()> free) {
    std::vector<Deferred> due;
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back({begin_grace(), std::move(free)});
      collect(due);
    }
    for (auto& deferred : due) deferred.free();
  }

  void run_due() {
    std::vector<Deferred> due;
    {
      const std::lock_guard lock(mutex_);
      collect(due);
    }
    for (auto& deferred : due) deferred.free();
  }

private:
  // Epochs grow along the queue, so that the first that must wait ends the search.
  void collect(std::vector<Deferred>& due) {
    while (!waiting_.empty() && grace_over(waiting_.front().epoch)) {
      due.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
  }

  std::mutex mutex_;
  std::deque<Deferred> waiting_;
};

Queue& queue() {
  static Queue instance;
  return instance;
}

} // namespace

ReaderThread::ReaderThread() : slot_(take_slot()) { online(); }

ReaderThread::~ReaderThread() {
  offline();
  slot_->taken.store(false, std::memory_order_release);
}

void ReaderThread::quiescent() noexcept {
  const Epoch now = current.load(std::memory_order_acquire);
  if (slot_->seen.load(std::memory_order_relaxed) != now) slot_->seen.store(now, std::memory_order_release);
}

void ReaderThread::offline() noexcept { slot_->seen.store(0, std::memory_order_release); }

void ReaderThread::online() noexcept {
  // A writer that read 0 from the slot must have moved the epoch before our second look at it; else it waits for us.
  Epoch now = current.load(std::memory_order_seq_cst);
  for (;;) {
    slot_->seen.exchange(now, std::memory_order_seq_cst);
    const Epoch again = current.load(std::memory_order_seq_cst);
    if (again == now) return;
    now = again;
  }
}

Epoch begin_grace() noexcept { return current.fetch_add(1, std::memory_order_seq_cst) + 1; }

bool grace_over(Epoch epoch) noexcept {
  for (const ReaderSlot* slot = slots.load(std::memory_order_seq_cst); slot != nullptr; slot = slot->next) {
    const Epoch seen = slot->seen.load(std::memory_order_seq_cst);
    if (seen != 0 && seen < epoch) return false;
  }
  return true;
}

void synchronize() {
  const Epoch epoch = begin_grace();
  for (int spins = 0; !grace_over(epoch); ++spins) {
    if (spins < 16)
      std::this_thread::yield();
    else
      std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  queue().run_due();
}

void retire(std::function<void()> free) { queue().add(std::move(free)); }

} // namespace signpost::zone
