// The changes of one kind, kept once for everybody who watches it.
//
// A watch is no queue of its own but a position in a common, bounded backlog: an event is encoded when the first
// watcher sends it, and then shared. Whoever falls behind the backlog's beginning is cut, so a client that does not
// read costs nothing but itself. Events that every watcher has seen are dropped but for a short tail, which lets the
// next list-then-watch join without asking the store.
//
// Whoever asks for older events holds them before they are read: a channel is opened together with its first position,
// so nothing of the history can count as seen by everybody while it comes in. There is one common channel of a kind,
// and as many deeper ones as are needed for a while by those who come from further back; they move to the common one
// when they have caught up.
//
// Threads: everything may be called from any; events come on the registry's.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "discovery/api/negotiation.hpp"
#include "discovery/api/object_summary.hpp"
#include "discovery/registry/registry.hpp"

namespace signpost::api {

/// One change, with what watchers get.
class WatchEvent {
public:
  explicit WatchEvent(const registry::Event& event);

  [[nodiscard]] const registry::Event& event() const { return event_; }
  [[nodiscard]] store::Revision revision() const { return event_.object.revision; }
  [[nodiscard]] std::size_t bytes() const;

  /// Names and labels of the object, and of what it was before (empty when it is new).
  [[nodiscard]] const ObjectSummary& summary() const;
  [[nodiscard]] const ObjectSummary& previous_summary() const;
  /// The state before, as a watcher gets it whose selector the object left: with the revision of the change.
  [[nodiscard]] registry::Stored previous() const { return {event_.previous, event_.object.revision}; }

  enum class Line : std::uint8_t { added, modified, deleted, left };
  static constexpr std::string_view types[] = {"ADDED", "MODIFIED", "DELETED", "DELETED"};
  /// As one HTTP chunk, encoded once.
  [[nodiscard]] std::shared_ptr<const std::string> frame(Format format, Line line) const;

private:
  registry::Event event_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const std::string> frames_[2][4]; // JSON and protobuf, by line
  mutable std::unique_ptr<ObjectSummary> summary_, previous_summary_;
};

/// Wraps text as one chunk of the chunked coding.
[[nodiscard]] std::string to_chunk(std::string_view text);

struct BacklogLimits {
  std::size_t events = 16'384;
  std::size_t bytes = 64 << 20; // of object texts
  std::size_t deeper = 4;       // channels of a kind beside the common one
};

class Channel {
public:
  /// A watcher's place. Destroyed: it no longer holds events.
  class Position {
  public:
    ~Position();
    Position(const Position&) = delete;
    Position& operator=(const Position&) = delete;

    struct Read {
      std::vector<std::shared_ptr<const WatchEvent>> events;
      store::Revision revision = 0; // everything up to here has been read, when `events` is empty
      bool behind = false;          // fell out of the backlog
      bool lost = false;            // the source has lost its history: list again
    };
    [[nodiscard]] Read read(std::size_t max_events);
    /// There may be something to read.
    [[nodiscard]] bool pending() const;
    [[nodiscard]] const std::shared_ptr<Channel>& channel() const { return channel_; }

  private:
    friend class Channel;
    Position(std::shared_ptr<Channel> channel, std::uint64_t next); // with the channel's mutex held
    std::shared_ptr<Channel> channel_;
    std::atomic<std::uint64_t> next_;
    std::list<Position*>::iterator place_;
  };

  /// A channel of everything after the revision, and the place at its beginning. `wake` is called, from the registry's
  /// thread, when there is something new. Fails with 410 when the history does not reach back that far, or when there
  /// is more of it than a backlog holds.
  [[nodiscard]] static registry::Result<std::unique_ptr<Position>> open(registry::Registry& registry, model::Kind kind,
                                                                        store::Revision after, BacklogLimits limits,
                                                                        std::function<void()> wake);
  ~Channel();

  /// nullopt: that revision is no longer in the backlog.
  [[nodiscard]] static std::optional<std::unique_ptr<Position>> join(const std::shared_ptr<Channel>& channel,
                                                                     store::Revision after);
  [[nodiscard]] bool lost() const { return lost_.load(std::memory_order_acquire); }

private:
  Channel(store::Revision after, BacklogLimits limits, std::function<void()> wake);
  void take(const std::shared_ptr<const registry::EventBatch>& batch);
  void trim();

  const BacklogLimits limits_;
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::deque<std::shared_ptr<const WatchEvent>> backlog_;
  std::uint64_t first_ = 0;  // sequence number of the backlog's first event
  std::size_t bytes_ = 0;    // of the backlog
  store::Revision floor_;    // everything after this is in the backlog
  store::Revision revision_; // everything up to this has come
  std::list<Position*> positions_;
  std::atomic<std::uint64_t> end_{0}; // first_ + backlog_.size()
  std::atomic<bool> lost_{false};
  std::unique_ptr<registry::EventStream> stream_; // ends first
};

/// The channels of all kinds, opened when first asked for.
class Hub {
public:
  Hub(registry::Registry& registry, BacklogLimits limits, std::function<void()> wake);

  /// A place behind the revision (never nullptr), in the common channel if it reaches back that far, else in a deeper
  /// one. Fails with 410 when nothing does. May read the history.
  [[nodiscard]] registry::Result<std::unique_ptr<Channel::Position>> join(model::Kind kind, store::Revision after);
  /// For a watcher that has read everything up to the revision: moves its place from a deeper channel to the common
  /// one, if that is possible now. Whether it is in the common one.
  bool settle(model::Kind kind, store::Revision read, std::unique_ptr<Channel::Position>& position);
  /// Ends all channels' streams; the registry is not touched afterwards.
  void close();

private:
  struct Channels {
    std::shared_ptr<Channel> common;
    std::vector<std::weak_ptr<Channel>> deeper; // held by who reads them
  };

  registry::Registry& registry_;
  const BacklogLimits limits_;
  const std::function<void()> wake_;
  std::mutex mutex_;
  bool closed_ = false;
  std::map<model::Kind, Channels> channels_;
};

} // namespace signpost::api
