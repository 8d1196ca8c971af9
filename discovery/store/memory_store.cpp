#include "discovery/store/memory_store.hpp"

#include <deque>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "discovery/store/apply.hpp"
#include "discovery/store/feed.hpp"
#include "discovery/store/group_commit.hpp"

namespace signpost::store {
namespace {

using Clock = std::chrono::steady_clock;

struct Item {
  Value value;
  Revision created = 0;
  Revision modified = 0;
};
using Items = std::map<std::string, Item, std::less<>>;

struct Past {
  Revision revision;
  Clock::time_point time;
  std::string changes; // encoded
};

struct Table {
  Items& items;

  Revision modified(const std::string& key) const {
    const auto found = items.find(key);
    return found == items.end() ? 0 : found->second.modified;
  }
  std::optional<Entry> find(const std::string& key) const {
    const auto found = items.find(key);
    if (found == items.end()) return std::nullopt;
    return Entry{key, found->second.value, found->second.created, found->second.modified};
  }
  void insert(const Entry& entry) { items[entry.key] = {entry.value, entry.created, entry.modified}; }
  void update(const Entry&, const Entry& entry) { insert(entry); }
  void erase(const Entry& old) { items.erase(old.key); }
};

} // namespace

struct MemoryStore::State {
  explicit State(const Settings& with) : settings(with), feed(0, with.recent_bytes) {}

  const Settings settings;
  mutable std::shared_mutex mutex;
  Items items;
  std::deque<Past> history;
  Revision revision = 0;
  Feed feed;
  std::optional<GroupCommit> commits; // last: ends before what it uses

  Committed commit(std::span<Submitted> group);
  void compact();
  Result<Feed::Batches> backlog(const WatchRequest& request, Revision until) const;
  void visit(Revision after, const std::function<void(Revision, const Before&)>& visitor) const;

  [[nodiscard]] Revision compacted() const { return history.empty() ? revision : history.front().revision - 1; }
  [[nodiscard]] std::pair<Items::const_iterator, Items::const_iterator> find(const KeyRange& range) const;
};

Committed MemoryStore::State::commit(std::span<Submitted> group) {
  const std::unique_lock lock(mutex);
  Committed committed;
  auto batch = std::make_shared<Batch>();
  Table table{items};
  for (Submitted& submitted : group) {
    std::string changes;
    TransactionResult result = apply(table, submitted.transaction, revision, batch->changes, changes);
    if (result.revision > revision) {
      revision = result.revision;
      history.push_back({revision, Clock::now(), std::move(changes)});
    }
    committed.results.emplace_back(result);
  }
  compact();
  if (batch->changes.empty()) return committed;
  batch->revision = revision;
  committed.batch = std::move(batch);
  return committed;
}

void MemoryStore::State::compact() {
  const auto before = Clock::now() - settings.history.age;
  const std::size_t keep = std::max<std::size_t>(1, settings.history.revisions);
  while (history.size() > keep && history.front().time <= before) history.pop_front();
}

void MemoryStore::State::visit(Revision after, const std::function<void(Revision, const Before&)>& visitor) const {
  auto past = std::partition_point(history.begin(), history.end(), [&](const Past& p) { return p.revision <= after; });
  for (; past != history.end(); ++past) {
    (void)decode(past->changes, [&](const Before& before) { visitor(past->revision, before); });
  }
}

std::pair<Items::const_iterator, Items::const_iterator> MemoryStore::State::find(const KeyRange& range) const {
  const auto first = items.lower_bound(range.begin);
  if (!range.end.empty()) return {first, range.end <= range.begin ? first : items.lower_bound(range.end)};
  return {first, items.upper_bound(range.begin)};
}

Result<Feed::Batches> MemoryStore::State::backlog(const WatchRequest& request, Revision until) const {
  const std::shared_lock lock(mutex);
  if (!within_history(request.after, compacted())) {
    return tl::make_unexpected(compacted_error(request.after, compacted()));
  }
  Replay replay({request.begin, request.end}, request.most_past_bytes);
  visit(request.after, [&](Revision at, const Before& before) { replay.add(at, before); });
  if (replay.full()) return tl::make_unexpected(past_error(request.after));
  return replay.finish(until, [&](const std::string& key) { return Table{const_cast<Items&>(items)}.find(key); });
}

MemoryStore::MemoryStore() : MemoryStore(Settings{}) {}

MemoryStore::MemoryStore(const Settings& settings) : state_(std::make_unique<State>(settings)) {
  State& state = *state_;
  state.commits.emplace(
      state.feed, [&state](std::span<Submitted> group) { return state.commit(group); },
      [] { return std::optional<std::chrono::milliseconds>(); });
}

MemoryStore::~MemoryStore() = default;

Result<RangeResult> MemoryStore::range(const RangeRequest& request) {
  const State& state = *state_;
  const KeyRange range{request.begin, request.end};
  const std::shared_lock lock(state.mutex);
  if (request.revision > state.revision) return tl::make_unexpected(future_error(request.revision, state.revision));
  const Revision at = request.revision == 0 ? state.revision : request.revision;
  if (request.revision != 0 && !within_history(at, state.compacted())) {
    return tl::make_unexpected(compacted_error(at, state.compacted()));
  }
  const auto [first, last] = state.find(range);
  std::vector<Entry> entries;
  std::size_t unchanged = 0;
  for (auto item = first; item != last; ++item) {
    if (item->second.modified > at) continue;
    ++unchanged;
    if (request.limit != 0 && entries.size() > request.limit) continue;
    entries.push_back({item->first, item->second.value, item->second.created, item->second.modified});
  }
  Undo undo(range);
  state.visit(at, [&](Revision, const Before& before) { undo.add(before); });
  RangeResult result = undo.finish(std::move(entries), unchanged, request);
  result.revision = at;
  return result;
}

void MemoryStore::transact(Transaction transaction, std::function<void(Result<TransactionResult>)> done) {
  state_->commits->submit({std::move(transaction), std::move(done)});
}

Result<std::unique_ptr<Watch>> MemoryStore::watch(const WatchRequest& request, WatchCallback callback) {
  State& state = *state_;
  if (const Revision now = revision(); request.after > now) {
    return tl::make_unexpected(future_error(request.after, now));
  }
  if (const Revision gone = compacted(); !within_history(request.after, gone)) {
    return tl::make_unexpected(compacted_error(request.after, gone));
  }
  return state.feed.attach(request, std::move(callback),
                           [&state](const WatchRequest& asked, Revision until) { return state.backlog(asked, until); });
}

Revision MemoryStore::revision() const {
  const std::shared_lock lock(state_->mutex);
  return state_->revision;
}

Revision MemoryStore::compacted() const {
  const std::shared_lock lock(state_->mutex);
  return state_->compacted();
}

} // namespace signpost::store
