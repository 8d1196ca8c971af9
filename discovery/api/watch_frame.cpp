#include "discovery/api/watch_frame.hpp"

#include "discovery/api/reply_format.hpp"
#include "discovery/api/status_json.hpp"
#include "discovery/model/protobuf_wire.hpp"

namespace signpost::api {

void append_watch_frame(Format format, std::string_view type, std::string_view object, std::string& out) {
  if (format == Format::json) {
    out += "{\"type\":\"";
    out += type;
    out += "\",\"object\":";
    out += object;
    out += "}\n";
    return;
  }
  std::string extension, message;
  auto enveloped = to_protobuf(object);
  if (!enveloped) {
    type = "ERROR";
    enveloped = to_protobuf(status_json(registry::internal_error("a stored object cannot be read")));
  }
  model::append_bytes_field(1, enveloped.value_or(std::string()), extension);
  model::append_bytes_field(1, type, message);
  model::append_bytes_field(2, extension, message);
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(message.size() >> shift & 255);
  out += message;
}

std::string_view watch_type(Format format) {
  return format == Format::json ? "application/json" : "application/vnd.kubernetes.protobuf;stream=watch";
}

} // namespace signpost::api
