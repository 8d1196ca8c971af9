// Any octets as the body of a POST, through all that a registry does with it short of storing it. The first octet
// chooses the kind, the second the format.
#include <cstdlib>

#include "discovery/api/body.hpp"
#include "discovery/registry/registry.hpp"
#include "discovery/store/memory_store.hpp"

using namespace signpost;

namespace {

struct Cluster {
  Cluster()
      : registry(store, registry::Settings{
                            .vips = {*model::Prefix::parse("10.96.0.0/16"), *model::Prefix::parse("fd00:96::/112")}}) {
    if (!registry.open()) std::abort();
  }
  store::MemoryStore store;
  registry::Registry registry;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Cluster cluster;
  constexpr api::BodyFormat formats[] = {api::BodyFormat::json, api::BodyFormat::yaml, api::BodyFormat::protobuf};
  if (size < 2) return 0;
  const auto kind = static_cast<model::Kind>(data[0] % std::variant_size_v<model::Object>);
  auto body = api::decode_body(kind, formats[data[1] % 3], {reinterpret_cast<const char*>(data + 2), size - 2},
                               api::FieldValidation::warn);
  if (!body) {
    if (body.error().code < 400 || body.error().message.empty()) std::abort();
    return 0;
  }
  const std::string name_space = model::info(kind).namespaced ? "default" : "";
  cluster.registry.create(kind, name_space, std::move(body->object), {.dry_run = true},
                          [](const registry::Result<registry::Stored>& result) {
                            // Bad input is never our own failure.
                            if (!result && result.error().code >= 500) std::abort();
                          });
  return 0;
}
