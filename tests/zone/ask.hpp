// Asks a zone a question as a packet and reads the reply with ldns, which shares no code with us.
//
// Replies come as zone-file text, one record a line, single blanks; an OPT record is told apart.
#pragma once

#include <ldns/ldns.h>
// ldns brings its own for compilers without stdbool.h.
#undef bool
#undef true
#undef false

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "zone/authority/authority.hpp"
#include "zone/wire/octets.hpp"
#include "zone/wire/query.hpp"
#include "zone/zone.hpp"

namespace signpost::test {

using Bytes = std::vector<std::uint8_t>;

struct How {
  wire::Transport transport = wire::Transport::udp;
  bool edns = false;
  std::uint16_t size = 1232;
  bool dnssec_ok = false;
  std::uint16_t flags = 0x0100;
  std::uint16_t klass = 1;
  Bytes options{}; // rdata of the query's OPT record
};

struct Reply {
  zone::Verdict verdict = zone::Verdict::reply;
  bool sound = false; // ldns took it, nothing was left over, and question, ID and QR are right
  std::string rcode;
  std::uint16_t flags = 0;
  std::vector<std::string> answer, authority, additional;
  bool edns = false;
  int extended_error = -1;
  Bytes options; // rdata of the OPT record
  std::size_t length = 0;
  std::string target; // for Verdict::chase
  Bytes octets;

  [[nodiscard]] bool truncated() const { return (flags & 0x0200) != 0; }
  [[nodiscard]] bool authoritative() const { return (flags & 0x0400) != 0; }
};

inline void put16(Bytes& bytes, unsigned value) {
  bytes.push_back(static_cast<std::uint8_t>(value >> 8));
  bytes.push_back(static_cast<std::uint8_t>(value));
}

inline Bytes name_octets(const std::string& name) {
  ldns_rdf* dname = ldns_dname_new_frm_str(name.c_str());
  if (dname == nullptr) return {};
  Bytes bytes(ldns_rdf_data(dname), ldns_rdf_data(dname) + ldns_rdf_size(dname));
  ldns_rdf_deep_free(dname);
  return bytes;
}

inline Bytes query_octets(const std::string& name, unsigned type, const How& how) {
  Bytes bytes;
  put16(bytes, 0x1234);
  put16(bytes, how.flags);
  for (const unsigned count : {1u, 0u, 0u, how.edns ? 1u : 0u}) put16(bytes, count);
  const Bytes owner = name_octets(name);
  bytes.insert(bytes.end(), owner.begin(), owner.end());
  put16(bytes, type);
  put16(bytes, how.klass);
  if (how.edns) {
    bytes.push_back(0);
    for (const unsigned word : {41u, unsigned{how.size}, 0u, how.dnssec_ok ? 0x8000u : 0u}) put16(bytes, word);
    put16(bytes, static_cast<unsigned>(how.options.size()));
    bytes.insert(bytes.end(), how.options.begin(), how.options.end());
  }
  return bytes;
}

inline std::vector<std::string> lines_of(const ldns_rr_list* list) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
    char* text = ldns_rr2str(ldns_rr_list_rr(list, i));
    std::string line(text);
    std::free(text);
    while (!line.empty() && line.back() == '\n') line.pop_back();
    std::replace(line.begin(), line.end(), '\t', ' ');
    lines.push_back(line);
  }
  return lines;
}

/// Octets that the message's records take, walked without ldns; 0: it does not end where it should.
inline std::size_t walk(const Bytes& message) {
  std::size_t at = 12;
  const auto skip_name = [&] {
    while (at < message.size() && message[at] != 0 && message[at] < 0xc0) at += 1u + message[at];
    at += at < message.size() && message[at] >= 0xc0 ? 2 : 1;
  };
  unsigned records = 0;
  for (const std::size_t count : {6u, 8u, 10u}) records += wire::load16(&message[count]);
  if (wire::load16(&message[4]) == 1) {
    skip_name();
    at += 4;
  }
  for (; records > 0; --records) {
    skip_name();
    if (at + 10 > message.size()) return 0;
    at += 10u + wire::load16(&message[at + 8]);
  }
  return at;
}

inline void decode(const Bytes& octets, Reply& reply) {
  reply.octets = octets;
  reply.length = octets.size();
  ldns_pkt* packet = nullptr;
  if (ldns_wire2pkt(&packet, octets.data(), octets.size()) != LDNS_STATUS_OK) return;
  const std::unique_ptr<ldns_pkt, void (*)(ldns_pkt*)> owner(packet, ldns_pkt_free);
  reply.flags = wire::load16(&octets[2]);
  reply.edns = ldns_pkt_edns(packet);
  const unsigned code = ldns_pkt_get_rcode(packet) | (reply.edns ? ldns_pkt_edns_extended_rcode(packet) << 4 : 0u);
  char* rcode = ldns_pkt_rcode2str(static_cast<ldns_pkt_rcode>(code));
  reply.rcode = code == 16 ? "BADVERS" : rcode != nullptr ? rcode : std::to_string(code);
  std::free(rcode);
  reply.answer = lines_of(ldns_pkt_answer(packet));
  reply.authority = lines_of(ldns_pkt_authority(packet));
  reply.additional = lines_of(ldns_pkt_additional(packet));
  if (const ldns_rdf* data = reply.edns ? ldns_pkt_edns_data(packet) : nullptr; data != nullptr) {
    const std::uint8_t* option = ldns_rdf_data(data);
    reply.options.assign(option, option + ldns_rdf_size(data));
    if (ldns_rdf_size(data) >= 6 && wire::load16(option) == 15) reply.extended_error = wire::load16(option + 4);
  }
  reply.sound = ldns_pkt_qr(packet) && walk(octets) == octets.size();
}

/// What a listener does with one packet. Empty octets: no reply.
inline Reply exchange(const zone::Zone& zone, const Bytes& packet, wire::Transport transport) {
  static wire::Query query; // reused, as a worker does
  Reply reply;
  wire::read_query(packet, query);
  if (query.check == wire::Check::drop) return reply;
  Bytes buffer(transport == wire::Transport::udp ? 1232 : 65535);
  std::copy_n(packet.begin(), std::min(packet.size(), buffer.size()), buffer.begin());
  std::size_t length = 0;
  if (query.check == wire::Check::error) {
    length = wire::write_error(buffer, query, query.rcode);
  } else {
    zone::Onward onward;
    const zone::Outcome outcome = zone::answer(zone, query, transport, buffer, onward);
    reply.verdict = outcome.verdict;
    length = outcome.length;
    if (outcome.verdict == zone::Verdict::outside)
      length = wire::write_error(buffer, query, wire::Rcode::refused, wire::ExtendedError::not_authoritative);
    if (outcome.verdict == zone::Verdict::chase) {
      const auto target = onward.name();
      for (std::size_t at = 0; target[at] != 0; at += 1u + target[at]) {
        reply.target.append(target.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                            target.begin() + static_cast<std::ptrdiff_t>(at + 1u + target[at]));
        reply.target += '.';
      }
    }
  }
  buffer.resize(length);
  decode(buffer, reply);
  if (reply.sound && buffer.size() >= 2) reply.sound = buffer[0] == packet[0] && buffer[1] == packet[1];
  return reply;
}

inline Reply ask(const zone::Zone& zone, const std::string& name, std::string_view type, const How& how = {}) {
  const unsigned number = type.starts_with("TYPE") ? static_cast<unsigned>(std::stoul(std::string(type.substr(4))))
                                                   : unsigned{ldns_get_rr_type_by_name(std::string(type).c_str())};
  const Bytes packet = query_octets(name, number, how);
  Reply reply = exchange(zone, packet, how.transport);
  const std::size_t question = 12 + name_octets(name).size() + 4;
  if (reply.sound) {
    reply.sound = reply.octets.size() >= question &&
                  std::equal(packet.begin() + 12, packet.begin() + static_cast<std::ptrdiff_t>(question),
                             reply.octets.begin() + 12);
  }
  return reply;
}

inline std::vector<std::string> sorted(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

} // namespace signpost::test
