// Any text as a Corefile: settings, or lines that say where and what, one for each thing that is wrong.
#include <algorithm>
#include <cstdlib>

#include "server/config/reader.hpp"

using namespace signpost;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const server::Host host{.interfaces = {{"lo", {*model::Address::parse("127.0.0.1")}}},
                                 .environment = [](const std::string&) { return std::optional<std::string>("x"); }};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.find("import") != text.npos || text.find('/') != text.npos) return 0; // no files of this machine
  const auto corefile = server::read_corefile_text(text, "Corefile", host);
  if (corefile) return 0;
  std::string_view rest = corefile.error();
  do {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (!rest.starts_with("Corefile:") || end == 0) std::abort();
    rest.remove_prefix(std::min(end + 1, rest.size()));
  } while (!rest.empty());
  return 0;
}
