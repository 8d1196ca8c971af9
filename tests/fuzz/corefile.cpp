// Any text as a Corefile: settings, or one line that says where and what.
#include <cstdlib>

#include "server/config/reader.hpp"

using namespace signpost;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const server::Host host{.interfaces = {{"lo", {*model::Address::parse("127.0.0.1")}}},
                                 .environment = [](const std::string&) { return std::optional<std::string>("x"); }};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.find("import") != text.npos || text.find('/') != text.npos) return 0; // no files of this machine
  const auto corefile = server::read_corefile_text(text, "Corefile", host);
  if (!corefile && (corefile.error().empty() || corefile.error().find('\n') != std::string::npos)) std::abort();
  return 0;
}
