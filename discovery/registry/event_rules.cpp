#include "discovery/registry/event_rules.hpp"

#include "discovery/registry/metadata_rules.hpp"

namespace signpost::registry {
namespace {

constexpr std::size_t most_in_a_word = 128, most_in_a_note = 1024;

Complaints any_name(std::string_view) { return {}; }

/// An event is where its object is; one of a cluster-scoped object is in default.
void check_place(const model::ObjectMeta& metadata, const std::string& of_object, std::string_view field,
                 FieldErrors& errors) {
  const bool fits = of_object.empty() ? metadata.name_space == "default" : metadata.name_space == of_object;
  if (!fits) errors.invalid_text(std::string(field), of_object, "does not match event.namespace");
}

void check_length(std::string_view field, const std::string& text, std::size_t most, FieldErrors& errors) {
  if (text.size() > most) {
    errors.invalid(std::string(field), "\"\"", "can have at most " + std::to_string(most) + " characters");
  }
}

void check_word(std::string_view field, const std::string& text, FieldErrors& errors) {
  if (text.empty()) errors.required(std::string(field));
  check_length(field, text, most_in_a_word, errors);
}

/// Events with an eventTime.
void check_words(const std::string& reporter, const std::string& instance, const std::string& action,
                 const std::string& reason, FieldErrors& errors) {
  if (reporter.empty()) errors.required("reportingComponent");
  for (const std::string& complaint : check_qualified_name(reporter)) {
    errors.invalid_text("reportingComponent", reporter, complaint);
  }
  check_word("reportingInstance", instance, errors);
  check_word("action", action, errors);
  check_word("reason", reason, errors);
}

} // namespace

void check_event(const model::Event& event, FieldErrors& errors) {
  check_metadata(event.metadata, any_name, errors);
  check_place(event.metadata, event.involved_object.name_space, "involvedObject.namespace", errors);
  if (event.event_time.empty()) return;
  check_words(event.reporting_component, event.reporting_instance, event.action, event.reason, errors);
  check_length("message", event.message, most_in_a_note, errors);
}

void check_event_update(const model::Event& event, const model::Event& current, FieldErrors& errors) {
  check_metadata_update(event.metadata, current.metadata, errors);
  check_event(event, errors);
}

void check_group_event(const model::GroupEvent& event, FieldErrors& errors) {
  const model::ObjectMeta& metadata = event.metadata;
  check_generate_name(metadata, check_dns1123_subdomain, errors);
  for (const std::string& complaint : metadata.name.empty() ? Complaints{} : check_dns1123_subdomain(metadata.name)) {
    errors.invalid_text("metadata.name", metadata.name, complaint);
  }
  if (event.event_time.empty()) errors.required("eventTime");
  if (event.type != "Normal" && event.type != "Warning") {
    errors.invalid("type", "\"\"", "has invalid value: " + event.type);
  }
  if (event.series && event.series->count < 2) {
    errors.invalid("series.count", "\"\"", "should be at least 2");
  }
  if (event.series && event.series->last_observed_time.empty()) errors.required("series.lastObservedTime");
  if (!event.deprecated_first_timestamp.empty()) errors.invalid("firstTimestamp", "\"\"", "needs to be unset");
  if (!event.deprecated_last_timestamp.empty()) errors.invalid("lastTimestamp", "\"\"", "needs to be unset");
  if (event.deprecated_count != 0) errors.invalid("count", "\"\"", "needs to be unset");
}

void check_group_event_update(const model::GroupEvent& event, const model::GroupEvent& current, FieldErrors& errors) {
  const auto fixed = [&](std::string_view field, const auto& now, const auto& before) {
    if (now == before) return;
    if constexpr (std::is_same_v<decltype(now), const std::string&>)
      errors.invalid_text(std::string(field), now, "field is immutable");
    else
      errors.invalid(std::string(field), "\"\"", "field is immutable");
  };
  fixed("involvedObject", event.regarding, current.regarding);
  fixed("eventTime", event.event_time, current.event_time);
  fixed("reportingController", event.reporting_controller, current.reporting_controller);
  fixed("reportingInstance", event.reporting_instance, current.reporting_instance);
  fixed("action", event.action, current.action);
  fixed("reason", event.reason, current.reason);
  fixed("related", event.related, current.related);
  fixed("message", event.note, current.note);
  fixed("type", event.type, current.type);
  check_group_event(event, errors);
}

} // namespace signpost::registry
