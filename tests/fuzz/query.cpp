// Any packet to a server with a small zone: no crash, replies within bounds that ldns reads, none to what is no query.
#include <array>
#include <cstdlib>
#include <cstring>

#include "zone/authority/authority.hpp"
#include "zone/index/epoch.hpp"
#include "zone/wire/octets.hpp"
#include "zone/zone.hpp"

#include <ldns/ldns.h> // last: it defines min and max

using namespace signpost;

namespace {

zone::Zone& zone_with_services() {
  static zone::Zone zone({.server_addresses = {*model::Address::parse("127.0.0.1"), *model::Address::parse("::1")}});
  static const bool filled = [] {
    zone.put_namespace("default");
    zone.put({.key = {"default", "web"},
              .cluster_ips = {*model::Address::parse("10.96.0.10"), *model::Address::parse("fd00::10")},
              .ports = {{"http", model::Protocol::tcp, 80}}});
    model::ServiceView big{.key = {"default", "big"}, .form = model::ServiceView::Form::headless};
    big.groups.emplace_back();
    for (int i = 1; i <= 80; ++i)
      big.groups[0].endpoints.push_back({{*model::Address::parse("10.244.2." + std::to_string(i))}, "", true});
    zone.put(big);
    zone.put({.key = {"default", "ext"},
              .form = model::ServiceView::Form::external_name,
              .external_name = "target.example.com"});
    zone.put({.key = {"default", "inside"},
              .form = model::ServiceView::Form::external_name,
              .external_name = "web.default.svc.cluster.local"});
    zone.publish();
    zone.set_ready();
    return true;
  }();
  (void)filled;
  return zone;
}

std::size_t after_name(std::span<const std::uint8_t> reply, std::size_t at) {
  while (at < reply.size() && reply[at] != 0) {
    if (reply[at] >= 0xC0) return at + 2;
    at += reply[at] + 1u;
  }
  return at + 1;
}

/// The reply is a whole message and nothing behind it, and another's parser takes it.
void check_reads_back(std::span<const std::uint8_t> reply) {
  std::size_t at = 12;
  for (std::size_t section = 0; section < 4; ++section)
    for (unsigned left = wire::load16(&reply[4 + 2 * section]); left > 0; --left) {
      at = after_name(reply, at) + (section == 0 ? 4 : 10);
      if (at > reply.size()) std::abort();
      if (section > 0) at += wire::load16(&reply[at - 2]);
    }
  if (at != reply.size() || (reply[2] & 0x80) == 0) std::abort();
  ldns_pkt* packet = nullptr;
  if (ldns_wire2pkt(&packet, reply.data(), reply.size()) != LDNS_STATUS_OK) std::abort();
  ldns_pkt_free(packet);
}

void answer_as(wire::Transport transport, std::span<const std::uint8_t> packet) {
  static std::array<std::uint8_t, 65535> buffer;
  const std::size_t limit = transport == wire::Transport::udp ? 1232 : buffer.size();
  if (packet.size() > limit) return;
  if (!packet.empty()) std::memcpy(buffer.data(), packet.data(), packet.size());
  wire::Query query;
  wire::read_query({buffer.data(), packet.size()}, query);
  std::size_t length = 0;
  if (query.check == wire::Check::drop) return;
  if (packet.size() < 12 || (packet[2] & 0x80) != 0) std::abort();
  if (query.check == wire::Check::error) {
    length = wire::write_error({buffer.data(), limit}, query, query.rcode);
    if (length > packet.size() + 11) std::abort();
  } else {
    zone::Onward onward;
    length = zone::answer(zone_with_services(), query, transport, {buffer.data(), limit}, onward).length;
  }
  if (length > limit || (length != 0 && (length < 12 || std::memcmp(buffer.data(), packet.data(), 2) != 0)))
    std::abort();
  if (length != 0) check_reads_back({buffer.data(), length});
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static zone::ReaderThread* reader = [] {
    zone_with_services(); // a writer is no reader
    return new zone::ReaderThread;
  }();
  answer_as(wire::Transport::udp, {data, size});
  answer_as(wire::Transport::tcp, {data, size});
  reader->quiescent();
  return 0;
}
