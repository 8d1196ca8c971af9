// Any text as a label or field selector.
#include "discovery/api/selector.hpp"

using namespace signpost;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto labels = api::LabelSelector::parse(text)) (void)labels->matches({{"app", "web"}, {"tier", "front"}});
  (void)api::FieldSelector::parse(text, model::Kind::service);
  return 0;
}
