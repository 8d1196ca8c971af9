// The rules of Events: what one must say. One of the old way (without eventTime) hardly anything.
// Pure functions, any thread.
#pragma once

#include "discovery/model/event.hpp"
#include "discovery/registry/field_errors.hpp"

namespace signpost::registry {

void check_event(const model::Event& event, FieldErrors& errors);
void check_event_update(const model::Event& event, const model::Event& current, FieldErrors& errors);

/// What events.k8s.io wants beyond that, in its own words; a name that is still to be generated is not looked at.
void check_group_event(const model::GroupEvent& event, FieldErrors& errors);
/// Of an event there only the series goes on.
void check_group_event_update(const model::GroupEvent& event, const model::GroupEvent& current, FieldErrors& errors);

} // namespace signpost::registry
