// How one event of a watch is written: a line of JSON ({"type":…,"object":…}), or the length (four bytes, big-endian)
// and a protobuf message (WatchEvent{1 type, 2 RawExtension{1 object in its envelope}}). Pure.
#pragma once

#include <string>
#include <string_view>

#include "discovery/api/negotiation.hpp"

namespace signpost::api {

/// Appends the event; `object` is JSON.
void append_watch_frame(Format format, std::string_view type, std::string_view object, std::string& out);

/// The Content-Type of a watch.
[[nodiscard]] std::string_view watch_type(Format format);

} // namespace signpost::api
