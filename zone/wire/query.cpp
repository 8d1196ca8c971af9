#include "zone/wire/query.hpp"

#include <algorithm>

#include "zone/wire/edns.hpp"
#include "zone/wire/octets.hpp"
#include "zone/wire/types.hpp"

namespace signpost::wire {
namespace {

constexpr std::size_t max_plain_label = 63;

/// Offset behind the name at `at`, or 0. A pointer ends a name; where it points to is of no interest here.
std::size_t skip_name(std::span<const std::uint8_t> packet, std::size_t at) noexcept {
  const std::size_t start = at;
  while (at < packet.size() && at - start < max_name) {
    const std::uint8_t length = packet[at];
    if (length == 0) return at + 1;
    if (length >= 0xc0) return at + 2 <= packet.size() ? at + 2 : 0;
    if (length > 63) return 0;
    at += 1 + length;
  }
  return 0;
}

struct Record {
  std::size_t owner = 0, end = 0;
  std::uint16_t type = 0, klass = 0;
  std::uint32_t ttl = 0;
  std::span<const std::uint8_t> rdata;
};

bool read_record(std::span<const std::uint8_t> packet, std::size_t at, Record& record) noexcept {
  record.owner = at;
  at = skip_name(packet, at);
  if (at == 0 || packet.size() - at < 10) return false;
  record.type = load16(&packet[at]);
  record.klass = load16(&packet[at + 2]);
  record.ttl = load32(&packet[at + 4]);
  const std::size_t length = load16(&packet[at + 8]);
  at += 10;
  if (packet.size() - at < length) return false;
  record.rdata = packet.subspan(at, length);
  record.end = at + length;
  return true;
}

/// RFC 8945 4.2: algorithm name, time (6), fudge (2), MAC, original ID (2), error (2), other data.
bool tsig_is_sound(const Record& record) noexcept {
  if (record.klass != class_any || record.ttl != 0) return false;
  std::size_t at = skip_name(record.rdata, 0);
  if (at == 0 || record.rdata.size() - at < 10) return false;
  const std::size_t mac = load16(&record.rdata[at + 8]);
  at += 10;
  if (record.rdata.size() - at < mac + 6) return false;
  at += mac + 4;
  return load16(&record.rdata[at]) == record.rdata.size() - at - 2;
}

Rcode read_opt(const std::span<const std::uint8_t> packet, const Record& record, Query& query) noexcept {
  if (query.edns || packet[record.owner] != 0) return Rcode::formerr;
  query.edns = true;
  query.udp_size = std::clamp(record.klass, min_udp, max_udp);
  query.edns_version = static_cast<std::uint8_t>(record.ttl >> 16);
  query.dnssec_ok = (record.ttl & 0x8000) != 0;
  if (query.edns_version != 0) return Rcode::badvers;
  return read_options(record.rdata, query) ? Rcode::noerror : Rcode::formerr;
}

/// Everything behind the question: at most one OPT, then at most one TSIG (which we hold no key for), and for IXFR one
/// authority record (RFC 1995 3); nothing behind them.
[[gnu::noinline]] Rcode read_sections(std::span<const std::uint8_t> packet, std::size_t at, Query& query) noexcept {
  const unsigned answers = load16(&packet[6]), authority = load16(&packet[8]), additional = load16(&packet[10]);
  if (answers != 0 || authority > (query.type == type::ixfr ? 1u : 0u) || additional > 2) return Rcode::formerr;
  Rcode verdict = Rcode::noerror;
  Record record;
  for (unsigned i = 0; i < authority + additional; ++i) {
    if (!read_record(packet, at, record)) return Rcode::formerr;
    at = record.end;
    if (i < authority) {
      if (record.type != type::soa) return Rcode::formerr;
    } else if (verdict == Rcode::notauth) {
      return Rcode::formerr;
    } else if (record.type == type::opt) {
      const Rcode of_opt = read_opt(packet, record, query);
      if (of_opt == Rcode::formerr) return of_opt;
      verdict = of_opt;
    } else if (record.type == type::tsig) {
      if (!tsig_is_sound(record)) return Rcode::formerr;
      if (verdict == Rcode::noerror) verdict = Rcode::notauth;
    } else {
      return Rcode::formerr;
    }
  }
  return at == packet.size() ? verdict : Rcode::formerr;
}

/// Copies the name in lower case, sixteen octets at a time; the last sixteen overlap the ones before.
inline void lower_name(const std::uint8_t* from, std::size_t length, std::uint8_t* to) noexcept {
  if (length >= 16) {
    const std::size_t last = length - 16;
    for (std::size_t i = 0; i < last; i += 16) lower_sixteen(from + i, to + i);
    lower_sixteen(from + last, to + last);
  } else if (length >= 8) {
    store_word(to, lower_word(load_word(from)));
    store_word(to + length - 8, lower_word(load_word(from + length - 8)));
  } else {
    for (std::size_t i = 0; i < length; ++i) {
      to[i] = from[i] >= 'A' && from[i] <= 'Z' ? static_cast<std::uint8_t>(from[i] | 0x20) : from[i];
    }
  }
  store_word(to + length, 0);
}

/// Reads the question; false: it is not whole, or its name is none.
inline bool read_question(std::span<const std::uint8_t> packet, Query& query) noexcept {
  const std::uint8_t* name = packet.data() + header_size;
  const std::size_t limit = std::min(packet.size() - header_size, max_name);
  std::size_t at = 0, labels = 0;
  for (;;) {
    if (at >= limit) return false;
    const std::size_t length = name[at];
    query.label_offset[labels] = static_cast<std::uint8_t>(at);
    if (length - 1 >= max_plain_label) {
      if (length != 0) return false;
      break;
    }
    ++labels;
    at += length + 1;
  }
  const std::size_t length = at + 1;
  if (packet.size() - header_size - length < 4) return false;
  lower_name(name, length, query.name.data());
  query.labels = static_cast<std::uint8_t>(labels);
  query.name_length = static_cast<std::uint16_t>(length);
  query.question_length = static_cast<std::uint16_t>(length + 4);
  query.type = load16(name + length);
  query.klass = load16(name + length + 2);
  return true;
}

Rcode type_verdict(std::uint16_t type) noexcept {
  if (type == type::opt || type == type::tsig) return Rcode::formerr;
  return type == type::tkey ? Rcode::notimp : Rcode::noerror;
}

/// The common query: QUERY, one question, nothing behind it or an OPT without options.
inline bool is_plain(std::span<const std::uint8_t> packet, Query& query) noexcept {
  if ((query.flags & flag::opcode) != 0 || type_verdict(query.type) != Rcode::noerror) return false;
  const std::uint64_t counts = load_word(packet.data() + 4);
  const std::uint8_t* rest = packet.data() + header_size + query.question_length;
  const std::size_t left = packet.size() - header_size - query.question_length;
  if (counts == std::bit_cast<std::uint64_t>(std::array<std::uint8_t, 8>{0, 1, 0, 0, 0, 0, 0, 0})) return left == 0;
  if (counts != std::bit_cast<std::uint64_t>(std::array<std::uint8_t, 8>{0, 1, 0, 0, 0, 0, 0, 1})) return false;
  if (left != opt_size || rest[0] != 0 || load16(rest + 1) != type::opt) return false;
  if (rest[6] != 0 || load16(rest + 9) != 0) return false;
  query.edns = true;
  query.udp_size = std::clamp(load16(rest + 3), min_udp, max_udp);
  query.dnssec_ok = (rest[7] & 0x80) != 0;
  return true;
}

/// What every other packet deserves; its question, if it has one, has been read.
[[gnu::noinline]] void judge(std::span<const std::uint8_t> packet, Query& query) noexcept {
  const bool asked = query.question_length != 0;
  query.check = Check::error;
  query.rcode = Rcode::formerr;
  if ((query.flags & flag::opcode) != 0) {
    if (asked) read_sections(packet, header_size + query.question_length, query);
    query.rcode = Rcode::notimp;
  } else if (asked) {
    query.rcode = type_verdict(query.type);
    if (query.rcode != Rcode::noerror) return;
    query.rcode = read_sections(packet, header_size + query.question_length, query);
    if (query.rcode == Rcode::noerror) query.check = Check::ok;
  } else if (load16(packet.data() + 4) == 0) { // only to get a cookie (RFC 7873 5.4)
    const Rcode verdict = read_sections(packet, header_size, query);
    if (verdict != Rcode::noerror || (query.asked & Query::cookie) != 0) query.rcode = verdict;
  }
}

} // namespace

void read_query(std::span<const std::uint8_t> packet, Query& query) noexcept {
  query.check = Check::drop;
  query.rcode = Rcode::noerror;
  query.question_length = 0;
  query.name_length = 0;
  query.labels = 0;
  query.edns = query.dnssec_ok = false;
  query.edns_version = query.asked = 0;
  query.udp_size = min_udp;
  query.length = static_cast<std::uint16_t>(packet.size());
  query.options.clear();
  query.type = query.klass = 0;
  if (packet.size() < header_size) return;
  query.id = load16(packet.data());
  query.flags = load16(packet.data() + 2);
  if ((query.flags & flag::qr) != 0) return;
  if (load16(packet.data() + 4) == 1 && read_question(packet, query) && is_plain(packet, query)) [[likely]] {
    query.check = Check::ok;
    return;
  }
  judge(packet, query);
}

std::size_t write_error(std::span<std::uint8_t> buffer, const Query& query, Rcode rcode, ExtendedError error) noexcept {
  const std::uint16_t code = static_cast<std::uint16_t>(rcode);
  std::size_t length = header_size + query.question_length;
  if (buffer.size() < length) return 0;
  store16(&buffer[2], static_cast<std::uint16_t>(flag::qr | query.reply_flags | (code & flag::rcode) |
                                                 (query.flags & (flag::opcode | flag::rd | flag::cd))));
  store16(&buffer[4], query.question_length > 0 ? 1 : 0);
  store16(&buffer[6], 0);
  store32(&buffer[8], 0);
  const std::size_t room =
      std::min<std::size_t>(buffer.size(), query.length + opt_size + extended_text(error).size()) - length;
  if (!query.edns || room < opt_size) return length;
  if (room - opt_size < extended_error_size(error)) error = ExtendedError::none;
  std::span<const std::uint8_t> options = query.options.span();
  if (room - opt_size - extended_error_size(error) < options.size()) options = {};
  buffer[11] = 1;
  return length + write_opt(&buffer[length], code, query.dnssec_ok, error, options);
}

} // namespace signpost::wire
