// Any octets as a name on the wire and as a name in text: what is read is sound, and comes back from both forms.
#include <cstdlib>
#include <cstring>
#include <string>

#include "zone/wire/name.hpp"

using namespace signpost;

namespace {

void check_sound(const wire::WireName& name) {
  if (name.length == 0 || name.length > wire::max_name || name.octets[name.length - 1u] != 0) std::abort();
  std::size_t at = 0;
  for (unsigned label = 0; label < name.labels; ++label) {
    if (name.label_offset[label] != at) std::abort();
    const std::size_t length = name.octets[at];
    if (length == 0 || length > wire::max_label) std::abort();
    at += length + 1;
  }
  if (name.label_offset[name.labels] != at || at + 1u != name.length) std::abort();
  for (std::size_t i = name.length; i < name.octets.size(); ++i)
    if (name.octets[i] != 0) std::abort();
}

void check_both_forms(const wire::WireName& name) {
  check_sound(name);
  const std::string text = wire::name_to_text(name.span());
  const auto from_text = wire::name_from_text(text);
  const auto from_wire = wire::name_from_wire(name.span());
  if (!from_text || !(*from_text == name) || !from_wire || !(*from_wire == name)) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (const auto name = wire::name_from_wire({data, size})) check_both_forms(*name);
  if (auto name = wire::name_from_text({reinterpret_cast<const char*>(data), size})) {
    check_both_forms(*name);
    const wire::WireName before = *name;
    const std::string_view label(reinterpret_cast<const char*>(data), size < 70 ? size : 70);
    if (wire::append_label(*name, label))
      check_sound(*name);
    else if (!(*name == before))
      std::abort();
  }
  return 0;
}
