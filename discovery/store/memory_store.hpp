// A store without a disk: the same interface and meaning, for sources that are read from elsewhere anyway, and tests.
//
// A map and a history of undo information, behind one reader-writer lock; commits, deliveries and watches are those of
// every store of our own (group_commit.hpp, feed.hpp).
#pragma once

#include <memory>

#include "discovery/store/history.hpp"
#include "discovery/store/store.hpp"

namespace signpost::store {

class MemoryStore : public Store {
public:
  struct Settings {
    HistorySettings history{.revisions = 1000, .age = std::chrono::seconds(60)};
    std::size_t recent_bytes = 1 << 20; // as SqliteStore::Settings
  };

  MemoryStore();
  explicit MemoryStore(const Settings& settings);
  ~MemoryStore() override;

  [[nodiscard]] Result<RangeResult> range(const RangeRequest& request) override;
  void transact(Transaction transaction, std::function<void(Result<TransactionResult>)> done) override;
  [[nodiscard]] Result<std::unique_ptr<Watch>> watch(const WatchRequest& request, WatchCallback callback) override;
  [[nodiscard]] Revision revision() const override;
  [[nodiscard]] Revision compacted() const override;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace signpost::store
