// Any JSON as each kind of object: what decodes encodes to a text that decodes to the same.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "discovery/model/json.hpp"

using namespace signpost::model;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  DecodeNotes notes;
  const auto json = parse_json({reinterpret_cast<const char*>(data), size}, &notes);
  if (!json) return 0;
  for (const KindInfo& kind : kinds()) {
    const auto object = decode_object(kind.kind, *json, &notes);
    if (!object) continue;
    const std::string text = encode(*object);
    const auto again = parse_json(text);
    if (!again) std::abort();
    const auto same = decode_object(kind.kind, *again);
    if (!same || *same != *object || encode(*same) != text) std::abort();
  }
  return 0;
}
