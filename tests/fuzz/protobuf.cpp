// Any bytes as a protobuf request body; what could be read is written and read again.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "discovery/model/protobuf.hpp"

using namespace signpost::model;

namespace {

void read_as(const WireMessage& message, std::span<const std::uint8_t> raw) {
  const auto document = read_protobuf(message, raw);
  if (!document) return;
  std::string bytes;
  write_protobuf(message, *document, bytes);
  const auto again = read_protobuf(message, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  if (!again || *again != *document) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span<const std::uint8_t> raw{data, size};
  if (const auto envelope = read_envelope(raw)) raw = envelope->raw;
  for (const KindInfo& kind : kinds()) {
    read_as(wire_message(kind.kind), raw);
    if (const auto document = read_protobuf(wire_message(kind.kind), raw)) {
      const auto object = decode_object(kind.kind, *document);
      if (object && encode(*object).empty()) std::abort();
    }
  }
  for (const std::string_view kind : {"DeleteOptions", "Status"}) read_as(*find_wire_message("v1", kind), raw);
  return 0;
}
