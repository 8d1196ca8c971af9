// Events: what happened to an object, for people (core/v1, as they are stored, and events.k8s.io/v1, as that group
// spells the same).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "discovery/model/object_meta.hpp"

namespace signpost::model {

struct EventSource {
  std::string component;
  std::string host;
  bool operator==(const EventSource&) const = default;
};

struct EventSeries {
  std::int32_t count = 0;
  std::string last_observed_time; // in microseconds, as Lease's times
  bool operator==(const EventSeries&) const = default;
};

struct Event {
  ObjectMeta metadata;
  ObjectReference involved_object;
  std::string reason;
  std::string message;
  EventSource source;
  std::string first_timestamp, last_timestamp; // in seconds
  std::int32_t count = 0;
  std::string type;       // Normal, Warning
  std::string event_time; // in microseconds; empty: one of the old way, with the timestamps above
  std::optional<EventSeries> series;
  std::string action;
  std::optional<ObjectReference> related;
  std::string reporting_component;
  std::string reporting_instance;
  bool operator==(const Event&) const = default;
};

/// The same in the words of events.k8s.io.
struct GroupEvent {
  ObjectMeta metadata;
  std::string event_time;
  std::optional<EventSeries> series;
  std::string reporting_controller;
  std::string reporting_instance;
  std::string action;
  std::string reason;
  ObjectReference regarding;
  std::optional<ObjectReference> related;
  std::string note;
  std::string type;
  EventSource deprecated_source;
  std::string deprecated_first_timestamp, deprecated_last_timestamp;
  std::int32_t deprecated_count = 0;
  bool operator==(const GroupEvent&) const = default;
};

[[nodiscard]] GroupEvent to_group(Event event);
[[nodiscard]] Event to_core(GroupEvent event);

} // namespace signpost::model
