// Any text as a manifest, and each of its objects as YAML and back.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "discovery/model/manifest.hpp"

using namespace signpost::model;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)read_manifest({reinterpret_cast<const char*>(data), size}, "input", [](Json&& object) {
    if (to_yaml(object).empty()) std::abort();
    return tl::expected<void, ManifestError>{};
  });
  return 0;
}
