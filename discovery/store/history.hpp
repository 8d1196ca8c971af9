// The history: what a store keeps of the past, and how the past is read from it. Used by every store of our own.
//
// Of each revision the history keeps what the changed keys were *before*: undo information. So a value is kept once
// while it is current and once after it was replaced. The state at revision R is the current state with everything
// after R undone (Undo); the changes after R are the same undo information read backwards from the current state
// (Replay). Both are fed with the history after R in ascending order, of one consistent view of the store.
//
// No locks: plain values for one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "discovery/store/store.hpp"

namespace signpost::store {

/// What is kept for watches and for reading at older revisions: at least so many revisions and everything of at least
/// so long; what is beyond both is compacted.
struct HistorySettings {
  std::size_t revisions = 100000; // at least 1
  std::chrono::seconds age{300};
};

/// A key before a change. The views are valid only while it is handed over.
struct Before {
  std::string_view key;
  std::string_view value; // if it existed
  Revision created = 0;
  Revision modified = 0; // 0: the key did not exist

  [[nodiscard]] bool existed() const { return modified != 0; }
};

/// Keys of a request: [begin, end), or exactly `begin` if `end` is empty.
struct KeyRange {
  std::string begin, end;

  [[nodiscard]] bool contains(std::string_view key) const {
    return end.empty() ? key == begin : key >= begin && key < end;
  }
  bool operator==(const KeyRange&) const = default;
};

/// The stored form of one revision's changes. Appends.
void encode(std::string& out, const Before& before);

/// Calls `visit` for each change of a stored revision. false: the bytes are damaged.
[[nodiscard]] bool decode(std::string_view bytes, const std::function<void(const Before&)>& visit);

/// What the keys of a range that changed after a revision were at that revision.
class Undo {
public:
  explicit Undo(KeyRange range) : range_(std::move(range)) {}

  void add(const Before& before);

  /// Puts the earlier state together: `entries` are those of the range that did not change since, ordered (where the
  /// request has limits one more than reaches them), `unchanged` is how many there are of them in all.
  [[nodiscard]] RangeResult finish(std::vector<Entry> entries, std::size_t unchanged,
                                   const RangeRequest& request) const;

private:
  KeyRange range_;
  std::map<std::string, std::optional<Entry>, std::less<>> earlier_;
};

/// The changes of a range after a revision, as a watcher gets them.
class Replay {
public:
  /// Holds at most `most_bytes` of values (0: no bound).
  explicit Replay(KeyRange range, std::size_t most_bytes = 0) : range_(std::move(range)), most_bytes_(most_bytes) {}

  void add(Revision revision, const Before& before);
  /// There was more than it may hold; finish() must not be called then.
  [[nodiscard]] bool full() const { return most_bytes_ != 0 && bytes_ > most_bytes_; }

  /// The changes up to `until` in order, in batches of moderate size of which the last one ends with `until`.
  /// `current` gives a key's entry in the view that the history was read from.
  [[nodiscard]] std::vector<std::shared_ptr<const Batch>>
  finish(Revision until, const std::function<std::optional<Entry>(const std::string& key)>& current);

private:
  KeyRange range_;
  const std::size_t most_bytes_;
  std::size_t bytes_ = 0;
  std::vector<Change> changes_; // entry.value is filled in by finish()
};

/// Whether a revision (not 0) can still be read and watched from.
[[nodiscard]] inline bool within_history(Revision revision, Revision compacted) {
  return revision > compacted || compacted == 0;
}

[[nodiscard]] Error compacted_error(Revision asked, Revision compacted);
/// Too much was written after the revision asked for to be read again.
[[nodiscard]] Error past_error(Revision asked);
[[nodiscard]] Error future_error(Revision asked, Revision newest);

/// The entries cut to the limits of a request, with `more` and `total` as RangeResult has them.
[[nodiscard]] RangeResult limited(std::vector<Entry> entries, std::size_t total, const RangeRequest& request);

} // namespace signpost::store
