// Keeps Events from piling up: they go an hour after their last change, and the oldest go when there are too many.
//
// Age counts from when this process saw the change: clients' clocks do not matter, and after a restart an event may
// stay an hour longer.
// Threads: noted on the store's thread, swept on the registry's worker.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "discovery/store/store.hpp"

namespace signpost::registry {

class EventRetention {
public:
  using Clock = std::chrono::steady_clock;

  struct Limits {
    std::chrono::seconds age = std::chrono::hours(1);
    std::size_t count = 10'000;
  };

  EventRetention(store::Store& store, Limits limits) : store_(store), limits_(limits) {}

  /// Learns what there is and follows it. Call once.
  [[nodiscard]] store::Result<void> start();

  /// Whether there are a tenth more than there may be.
  [[nodiscard]] bool too_many() const;
  /// Deletes what is to go at `now`; does not wait for it.
  void sweep(Clock::time_point now);

private:
  struct Known {
    std::string key;
    Clock::time_point changed;
  };
  void note(const store::Entry& entry, Clock::time_point now);

  store::Store& store_;
  const Limits limits_;
  mutable std::mutex mutex_;
  std::map<store::Revision, Known> by_revision_; // oldest change first
  std::map<std::string, store::Revision> revision_of_;
  std::unique_ptr<store::Watch> watch_; // last: its callback uses the others
};

} // namespace signpost::registry
