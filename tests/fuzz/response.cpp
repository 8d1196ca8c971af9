// Any message as an upstream's response to one question: what is believed lies inside the message.
#include <cstdlib>

#include "zone/wire/response.hpp"

using namespace signpost::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr std::uint8_t qname[] = "\3www\7example\3com";
  static upstream::Response response;
  if (size < 2) return 0;
  for (const std::uint16_t type : {std::uint16_t{1}, std::uint16_t{28}, std::uint16_t{33}}) {
    const upstream::Asked asked{.qname = {qname, sizeof qname},
                                .type = type,
                                .id = static_cast<std::uint16_t>(data[0] << 8 | data[1]),
                                .dnssec_ok = (size & 1) != 0};
    upstream::read_response({data, size}, asked, response);
    if (response.fault != upstream::Fault::none) continue;
    const std::size_t believed = response.answers + response.authorities + response.additionals;
    if (believed > upstream::max_records || response.set_at + response.set_size > response.answers) std::abort();
    for (std::size_t i = 0; i < response.error_count; ++i)
      if (std::size_t{response.errors[i].text} + response.errors[i].text_length > size) std::abort();
    for (std::size_t i = 0; i < believed; ++i) {
      const upstream::Record& record = response.records[i];
      if (std::size_t{record.rdata} + record.rdata_length > size || record.owner >= size) std::abort();
    }
  }
  return 0;
}
