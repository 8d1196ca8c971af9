// Any bytes as a protobuf request body.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "discovery/model/protobuf.hpp"

using namespace signpost::model;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span<const std::uint8_t> raw{data, size};
  if (const auto envelope = read_envelope(raw)) raw = envelope->raw;
  for (const KindInfo& kind : kinds()) {
    const auto object = decode_protobuf(kind.kind, raw);
    if (object && encode(*object).empty()) std::abort();
  }
  (void)decode_delete_options(raw);
  return 0;
}
