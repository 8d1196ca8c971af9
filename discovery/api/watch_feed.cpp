#include "discovery/api/watch_feed.hpp"

#include <ctime>

#include "discovery/api/status_json.hpp"
#include "discovery/api/watch_frame.hpp"
#include "discovery/model/text.hpp"

namespace signpost::api {
namespace {

constexpr std::size_t events_a_step = 128;

void append_revision(std::string& out, store::Revision revision) {
  out += "\"resourceVersion\":\"";
  out += std::to_string(revision);
  out += '"';
}

} // namespace

void append_watch_event(std::string_view type, const WatchSettings& settings, const registry::Stored& object,
                        bool with_columns, std::string& out) {
  std::string text;
  switch (settings.encoding.shape) {
  case Shape::object: object.write(text); break;
  case Shape::metadata: append_partial(object.json(), settings.encoding.version, text); break;
  case Shape::table:
    text += "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/";
    text += settings.encoding.version;
    text += "\",\"metadata\":{";
    append_revision(text, object.revision);
    text += "},";
    if (with_columns)
      append_columns(settings.kind, text);
    else
      text += "\"columnDefinitions\":null";
    text += ",\"rows\":[";
    append_row(settings.kind, object.json(), settings.include, settings.encoding.version, std::time(nullptr), text);
    text += "]}";
    break;
  }
  append_watch_frame(settings.encoding.format, type, text, out);
}

WatchFeed::WatchFeed(WatchSettings settings, Hub& hub, std::unique_ptr<Channel::Position> position,
                     store::Revision after)
    : settings_(std::move(settings)), hub_(hub), phase_(Phase::following), position_(std::move(position)),
      revision_(after) {}

WatchFeed::WatchFeed(WatchSettings settings, Hub& hub, std::unique_ptr<Stream> initial, store::Revision at)
    : settings_(std::move(settings)), hub_(hub), phase_(Phase::initial), initial_(std::move(initial)), revision_(at) {}

WatchFeed::~WatchFeed() = default;

WatchFeed::Step WatchFeed::next(Frames& frames) {
  switch (phase_) {
  case Phase::initial: next_initial(frames); return Step::sent;
  case Phase::joining: join(frames); return Step::sent;
  case Phase::following: return next_changes(frames);
  case Phase::ended: break;
  }
  return Step::ended;
}

void WatchFeed::next_initial(Frames& frames) {
  std::string events;
  const Stream::Step step = initial_->next(events);
  columns_sent_ = columns_sent_ || !events.empty();
  if (step == Stream::Step::failed)
    return add_error(registry::expired("what there is could not be read to its end; list again"), frames);
  if (step == Stream::Step::done) {
    initial_.reset();
    phase_ = Phase::joining;
    if (settings_.end_of_initial) events += bookmark_event(revision_, true);
  }
  if (!events.empty()) frames.push_back(std::make_shared<const std::string>(to_chunk(events)));
}

void WatchFeed::join(Frames& frames) {
  auto position = hub_.join(settings_.kind, revision_);
  if (!position) return add_error(position.error(), frames);
  position_ = std::move(*position);
  phase_ = Phase::following;
}

WatchFeed::Step WatchFeed::next_changes(Frames& frames) {
  const Channel::Position::Read read = position_->read(events_a_step);
  if (read.behind) return Step::cut;
  if (read.lost) {
    add_error(registry::expired("the history of changes was lost; list again"), frames);
    return Step::sent;
  }
  if (read.events.empty()) {
    revision_ = std::max(revision_, read.revision);
    settled_ = settled_ || hub_.settle(settings_.kind, revision_, position_);
    return Step::idle;
  }
  for (const auto& event : read.events) add_event(*event, frames);
  revision_ = std::max(revision_, read.events.back()->revision() - 1);
  return Step::sent;
}

bool WatchFeed::lets_through(const ObjectSummary& summary, const store::Value& text) const {
  if (!settings_.name_space.empty() && summary.name_space != settings_.name_space) return false;
  if (settings_.selector.empty()) return true;
  if (settings_.selector.fields.needs_whole()) return settings_.selector.matches(read_whole_summary(*text));
  return settings_.selector.matches(summary);
}

void WatchFeed::add_event(const WatchEvent& event, Frames& frames) {
  if (event.revision() <= revision_) return; // a watch from a revision that was not announced yet
  using Line = WatchEvent::Line;
  const registry::Event& change = event.event();
  const bool everything = settings_.name_space.empty() && settings_.selector.empty();
  const bool now = everything || lets_through(event.summary(), change.object.text);
  if (change.deleted) {
    if (now) add_line(event, Line::deleted, frames);
    return;
  }
  const bool before =
      change.previous != nullptr && (everything || lets_through(event.previous_summary(), change.previous));
  if (now)
    add_line(event, before ? Line::modified : Line::added, frames);
  else if (before)
    add_line(event, Line::left, frames);
}

void WatchFeed::add_line(const WatchEvent& event, WatchEvent::Line line, Frames& frames) {
  ++events_;
  if (settings_.encoding.shape == Shape::object) {
    frames.push_back(event.frame(settings_.encoding.format, line));
    return;
  }
  std::string text;
  append_watch_event(WatchEvent::types[static_cast<std::size_t>(line)], settings_,
                     line == WatchEvent::Line::left ? event.previous() : event.event().object, !columns_sent_, text);
  columns_sent_ = true;
  frames.push_back(std::make_shared<const std::string>(to_chunk(text)));
}

void WatchFeed::add_error(const registry::Status& status, Frames& frames) {
  phase_ = Phase::ended;
  std::string text;
  append_watch_frame(settings_.encoding.format, "ERROR", status_json(status), text);
  frames.push_back(std::make_shared<const std::string>(to_chunk(text)));
}

std::string WatchFeed::bookmark_event(store::Revision revision, bool end_of_initial) const {
  const model::KindInfo& kind = model::info(settings_.kind);
  std::string object = "{\"kind\":", out;
  const bool plain = settings_.encoding.shape == Shape::object;
  if (plain)
    model::append_json_string(object, kind.name);
  else
    object += settings_.encoding.shape == Shape::table ? "\"Table\"" : "\"PartialObjectMetadata\"";
  object += ",\"apiVersion\":";
  if (plain)
    model::append_json_string(object, kind.api_version());
  else
    model::append_json_string(object, std::string("meta.k8s.io/") + std::string(settings_.encoding.version));
  object += ",\"metadata\":{";
  append_revision(object, revision);
  if (end_of_initial) object += ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}";
  object += settings_.encoding.shape == Shape::table ? "},\"columnDefinitions\":null,\"rows\":[]}" : "}}";
  append_watch_frame(settings_.encoding.format, "BOOKMARK", object, out);
  return out;
}

void WatchFeed::bookmark(Frames& frames) {
  if (!settings_.bookmarks || phase_ != Phase::following || revision_ == 0) return;
  frames.push_back(std::make_shared<const std::string>(to_chunk(bookmark_event(revision_, false))));
}

} // namespace signpost::api
