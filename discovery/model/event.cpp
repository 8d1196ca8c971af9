#include "discovery/model/event.hpp"

#include <utility>

namespace signpost::model {

GroupEvent to_group(Event event) {
  return {.metadata = std::move(event.metadata),
          .event_time = std::move(event.event_time),
          .series = std::move(event.series),
          .reporting_controller = std::move(event.reporting_component),
          .reporting_instance = std::move(event.reporting_instance),
          .action = std::move(event.action),
          .reason = std::move(event.reason),
          .regarding = std::move(event.involved_object),
          .related = std::move(event.related),
          .note = std::move(event.message),
          .type = std::move(event.type),
          .deprecated_source = std::move(event.source),
          .deprecated_first_timestamp = std::move(event.first_timestamp),
          .deprecated_last_timestamp = std::move(event.last_timestamp),
          .deprecated_count = event.count};
}

Event to_core(GroupEvent event) {
  return {.metadata = std::move(event.metadata),
          .involved_object = std::move(event.regarding),
          .reason = std::move(event.reason),
          .message = std::move(event.note),
          .source = std::move(event.deprecated_source),
          .first_timestamp = std::move(event.deprecated_first_timestamp),
          .last_timestamp = std::move(event.deprecated_last_timestamp),
          .count = event.deprecated_count,
          .type = std::move(event.type),
          .event_time = std::move(event.event_time),
          .series = std::move(event.series),
          .action = std::move(event.action),
          .related = std::move(event.related),
          .reporting_component = std::move(event.reporting_controller),
          .reporting_instance = std::move(event.reporting_instance)};
}

} // namespace signpost::model
