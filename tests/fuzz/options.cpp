// Any octets as the rdata of a query's OPT record, and as options of a reply's: what is accepted fills the rdata, and
// what is written reads back.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "zone/wire/edns.hpp"
#include "zone/wire/query.hpp"

using namespace signpost;

namespace {

/// Whether options follow each other to the very end.
bool fills(std::span<const std::uint8_t> rdata) {
  std::size_t at = 0;
  while (rdata.size() - at >= 4) {
    const std::size_t length = wire::load16(&rdata[at + 2]);
    if (rdata.size() - at - 4 < length) return false;
    at += 4 + length;
  }
  return at == rdata.size();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> rdata(data, std::min<std::size_t>(size, 65535));
  wire::Query query;
  if (wire::read_options(rdata, query) && !fills(rdata)) std::abort();

  wire::ReplyOptions options;
  for (std::size_t at = 0; at < rdata.size();) {
    const std::size_t length = std::min<std::size_t>(rdata[at] % 80, rdata.size() - at - 1);
    options.add(static_cast<std::uint16_t>(0x8000 | rdata[at]), rdata.subspan(at + 1, length));
    at += 1 + length;
  }
  if (options.size() > 127 || !fills(options.span())) std::abort();
  for (const auto error : {wire::ExtendedError::none, wire::ExtendedError::other, wire::ExtendedError::stale_answer}) {
    std::array<std::uint8_t, 512> buffer{};
    const std::size_t length = wire::write_opt(buffer.data(), 16, true, error, options.span());
    if (length != wire::opt_size + wire::extended_error_size(error) + options.size()) std::abort();
    const std::span<const std::uint8_t> written(buffer.data() + wire::opt_size, length - wire::opt_size);
    if (wire::load16(&buffer[9]) != written.size() || !fills(written)) std::abort();
    wire::Query again;
    if (!wire::read_options(written, again)) std::abort();
  }
  return 0;
}
