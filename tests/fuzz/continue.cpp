// Any text as the token with which a list goes on. One that is taken says the same when it is written again.
#include <cstdlib>

#include "discovery/api/list.hpp"

using namespace signpost;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto token = api::decode_continue({reinterpret_cast<const char*>(data), size});
  if (!token) return 0;
  const auto again = api::decode_continue(api::encode_continue(*token));
  // Octets that are no UTF-8 are replaced when they are written: then it is another key, but a token all the same.
  if (!again || again->revision != token->revision) std::abort();
  return 0;
}
