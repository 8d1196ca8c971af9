// What one watch sends: first what there is, if it asked for that, then every change that its namespace and selectors
// let through, bookmarks between them, and an error where it cannot go on.
//
// The session pulls; nothing is pushed into it. Frames are complete chunks of the chunked coding.
//
// Threads: one at a time, but for pending().
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "discovery/api/channel.hpp"
#include "discovery/api/negotiation.hpp"
#include "discovery/api/request.hpp"
#include "discovery/api/selector.hpp"
#include "discovery/api/table.hpp"

namespace signpost::api {

struct WatchSettings {
  model::Kind kind = model::Kind::service;
  std::string name_space; // empty: all
  Selector selector;
  Encoding encoding;
  IncludeObject include = IncludeObject::metadata;
  bool bookmarks = false;
  bool end_of_initial = false; // say with a bookmark that what there was has been sent
  std::chrono::seconds timeout{1800};
};

class WatchFeed {
public:
  using Frames = std::vector<std::shared_ptr<const std::string>>;
  enum class Step : std::uint8_t {
    sent,  // frames were appended (or events passed over); ask again
    idle,  // nothing now
    ended, // append nothing more: send the last chunk and end
    cut,   // the client is too slow: close the connection as it is
  };

  /// Changes after a revision. `initial`, if there is one, comes first: events of what there is at that revision.
  WatchFeed(WatchSettings settings, Hub& hub, std::unique_ptr<Channel::Position> position, store::Revision after);
  WatchFeed(WatchSettings settings, Hub& hub, std::unique_ptr<Stream> initial, store::Revision at);
  ~WatchFeed();

  /// The next step may read the database; it is then better taken elsewhere than on an event loop.
  [[nodiscard]] bool reads_database() const { return phase_ == Phase::initial || phase_ == Phase::joining; }
  Step next(Frames& frames);
  /// A bookmark of how far the watch is, if it asked for them.
  void bookmark(Frames& frames);
  /// The reader has stopped: lets go of what can be made again. held(): octets of what is kept nevertheless.
  void rest() {
    if (initial_) initial_->rest();
  }
  [[nodiscard]] std::size_t held() const { return initial_ ? initial_->held() : 0; }
  [[nodiscard]] bool pending() const { return phase_ != Phase::following || position_->pending(); }
  [[nodiscard]] std::chrono::seconds timeout() const { return settings_.timeout; }
  /// Events sent so far.
  [[nodiscard]] std::uint64_t events() const { return events_; }

private:
  enum class Phase : std::uint8_t {
    initial,   // sends what there is: initial_
    joining,   // has sent it, and has no place among the changes yet
    following, // sends changes: position_
    ended,     // has sent its last event, an error
  };

  void next_initial(Frames& frames);
  void join(Frames& frames);
  Step next_changes(Frames& frames);
  void add_event(const WatchEvent& event, Frames& frames);
  void add_line(const WatchEvent& event, WatchEvent::Line line, Frames& frames);
  void add_error(const registry::Status& status, Frames& frames);
  [[nodiscard]] std::string bookmark_event(store::Revision revision, bool end_of_initial) const;
  [[nodiscard]] bool lets_through(const ObjectSummary& summary, const store::Value& text) const;

  const WatchSettings settings_;
  Hub& hub_;
  std::atomic<Phase> phase_;                    // is asked for by pending() from another thread while next() runs
  std::unique_ptr<Stream> initial_;             // of Phase::initial
  std::unique_ptr<Channel::Position> position_; // of Phase::following
  bool settled_ = false;                        // … in the common channel
  store::Revision revision_ = 0;                // sent up to here
  std::uint64_t events_ = 0;
  bool columns_sent_ = false;
};

/// Appends one event of a watch for an object, in the shape asked for.
void append_watch_event(std::string_view type, const WatchSettings& settings, const registry::Stored& object,
                        bool with_columns, std::string& out);

} // namespace signpost::api
