// Any JSON as a patch of a service: the first octet chooses the kind of patch, the rest is its text.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "discovery/api/body.hpp"
#include "discovery/api/patch.hpp"

using namespace signpost;

namespace {

const model::Json& stored() {
  static const model::Json document = *model::parse_json(
      R"({"kind":"Service","apiVersion":"v1","metadata":{"name":"web","namespace":"default","labels":{"app":"web"},)"
      R"("finalizers":["example.com/a","example.com/b"],"ownerReferences":[{"apiVersion":"v1","kind":"Node","name":"n",)"
      R"("uid":"u"}]},"spec":{"ports":[{"name":"http","protocol":"TCP","port":80,"targetPort":8080},{"name":"dns",)"
      R"("protocol":"UDP","port":53,"targetPort":"dns"}],"selector":{"app":"web"},"clusterIP":"10.96.0.7",)"
      R"("clusterIPs":["10.96.0.7"],"type":"ClusterIP"},"status":{"loadBalancer":{}}})");
  return document;
}

api::Patched<model::Json> apply(std::uint8_t which, const model::Json& patch) {
  switch (which % 3) {
  case 0: return api::apply_json_patch(stored(), patch);
  case 1: return api::apply_merge_patch(stored(), patch);
  default: return api::apply_strategic_patch(model::Kind::service, stored(), patch);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto patch = model::parse_json(text);
  if (!patch) return 0;
  const auto patched = apply(data[0], *patch);
  if (!patched) {
    if (patched.error().message.empty()) std::abort();
    return 0;
  }
  for (const auto validation : {api::FieldValidation::ignore, api::FieldValidation::strict})
    (void)api::decode_patched(model::Kind::service, *patched, text, validation);
  return 0;
}
