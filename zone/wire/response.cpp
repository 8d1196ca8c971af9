#include "zone/wire/response.hpp"

#include <algorithm>
#include <cstring>

#include "zone/wire/octets.hpp"

namespace signpost::wire::upstream {

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr int max_hops = 64; // pointers followed in one name: more than any writer makes, few enough to cost nothing

/// Calls `label(offset, length)` for every label until the root; false: not a name, or `label` said stop.
template <class Label>
bool walk_name(Bytes message, std::size_t offset, Label&& label) noexcept {
  std::size_t limit = offset; // pointers lead before this
  std::size_t length = 1;
  int hops = 0;
  while (offset < message.size()) {
    const std::uint8_t octet = message[offset];
    if (octet == 0) return true;
    if (octet < 0x40) {
      length += octet + 1u;
      if (length > max_name || offset + 1 + octet >= message.size()) return false;
      if (!label(offset, octet)) return false;
      offset += octet + 1u;
    } else if (octet >= 0xc0) {
      if (offset + 1 >= message.size() || ++hops > max_hops) return false;
      const std::size_t to = load16(&message[offset]) & 0x3fffu;
      if (to >= limit || to < header_size) return false;
      limit = offset = to;
    } else {
      return false;
    }
  }
  return false;
}

bool expand_lower(Bytes message, std::size_t offset, Name& name) noexcept {
  const std::size_t length = expand_name(message, offset, name.octets);
  name.length = static_cast<std::uint8_t>(length);
  for (std::size_t i = 0; i < length; ++i) name.octets[i] = lower(name.octets[i]);
  return length != 0;
}

/// Whether the rdata has the shape of its type, with every name in it sound.
bool sound_rdata(Bytes message, const Record& record) noexcept {
  const std::size_t end = record.rdata + std::size_t{record.rdata_length};
  if (record.type == type::a) return record.rdata_length == 4;
  if (record.type == type::aaaa) return record.rdata_length == 16;
  const RdataShape shape = rdata_shape(record.type);
  if (shape.names == 0) return true;
  const Bytes upto = message.first(end);
  std::size_t at = record.rdata + std::size_t{shape.before};
  for (int i = 0; shape.strings && i < 3; ++i) {
    if (at >= end) return false;
    at += 1u + message[at];
  }
  for (int i = 0; i < shape.names; ++i) {
    const std::size_t taken = at < end ? skip_name(upto, at) : 0;
    if (taken == 0 || !walk_name(upto, at, [](std::size_t, std::uint8_t) { return true; })) return false;
    at += taken;
  }
  return at + shape.after == end;
}

/// Reads the record at `at` and moves behind it. What it is not worth believing is left for later.
Fault scan_record(Bytes message, std::size_t& at, Record& record, std::uint16_t& klass) noexcept {
  const std::size_t owner = skip_name(message, at);
  if (owner == 0) return Fault::name;
  if (message.size() - at < owner + 10) return Fault::record;
  const std::uint8_t* fixed = &message[at + owner];
  record.owner = static_cast<std::uint16_t>(at);
  record.type = load16(fixed);
  klass = load16(fixed + 2);
  record.ttl = load32(fixed + 4);
  record.rdata_length = load16(fixed + 8);
  at += owner + 10;
  record.rdata = static_cast<std::uint16_t>(at);
  if (message.size() - at < record.rdata_length) return Fault::record;
  at += record.rdata_length;
  return Fault::none;
}

/// Walks all sections; records of class IN in the answer and authority sections are noted in `seen`.
Fault scan(Bytes message, std::size_t at, Response& response) noexcept {
  const std::size_t counts[3] = {load16(&message[6]), load16(&message[8]), load16(&message[10])};
  response.scanned = 0;
  std::size_t total = 0;
  for (int section = 0; section < 3; ++section) {
    for (std::size_t i = 0; i < counts[section]; ++i) {
      if (++total > max_records) return Fault::too_many;
      Record record;
      std::uint16_t klass = 0;
      if (const Fault fault = scan_record(message, at, record, klass); fault != Fault::none) return fault;
      if (section == 2) {
        if (record.type == type::opt) {
          response.edns = true;
          response.rcode = static_cast<std::uint16_t>((response.rcode & 0xf) | (record.ttl >> 24) << 4);
        }
        continue;
      }
      if (klass != 1 || record.type == type::opt) continue;
      if (record.ttl & 0x80000000u) record.ttl = 0;
      response.seen[response.scanned++] = record;
    }
    if (section == 0) response.scanned_answers = response.scanned;
  }
  return Fault::none;
}

struct Believe {
  Bytes message;
  const Asked& asked;
  Response& response;

  [[nodiscard]] bool add(const Record& record) const noexcept {
    if (response.answers + response.authorities == max_records || !sound_rdata(message, record)) return false;
    response.records[response.answers + response.authorities] = record;
    response.ttl = std::min(response.ttl, record.ttl);
    return true;
  }

  [[nodiscard]] bool covers(const Record& signature, std::uint16_t type) const noexcept {
    return signature.rdata_length > 18 && load16(&message[signature.rdata]) == type;
  }

  /// The records of `type` at `name` in the answer section, then their signatures. Returns how many records there were
  /// without the signatures; a fault goes to the response.
  std::size_t add_set(const Name& name, std::uint16_t type, std::size_t most) const noexcept {
    std::size_t found = 0;
    for (int pass = 0; pass < (asked.dnssec_ok ? 2 : 1); ++pass) {
      for (std::size_t i = 0; i < response.scanned_answers; ++i) {
        const Record& record = response.seen[i];
        const bool wanted =
            pass == 0 ? record.type == type && found < most
                      : record.type == rrtype::rrsig && type != rrtype::rrsig && found > 0 && covers(record, type);
        if (!wanted || !is_name(message, record.owner, name.span())) continue;
        if (!add(record)) {
          response.fault = Fault::record;
          return 0;
        }
        ++response.answers;
        if (pass == 0) ++found;
      }
    }
    return found;
  }

  /// DNAMEs above a name of the chain: what its CNAME was made of (RFC 6672 3.1).
  void add_dname(const Name& name) const noexcept {
    for (std::size_t i = 0; i < response.scanned_answers; ++i) {
      const Record& record = response.seen[i];
      if (record.type != rrtype::dname) continue;
      Name owner;
      if (!expand_lower(message, record.owner, owner) || owner.length >= name.length ||
          !below_or_same(name.span(), owner.span()))
        continue;
      if (add_set(owner, rrtype::dname, 1) == 0) return;
      return;
    }
  }

  void follow_chain() const noexcept {
    response.chain_length = 0;
    for (;;) {
      const Name& name = response.chain[response.chain_length];
      if (add_set(name, asked.type, max_records) > 0) {
        response.kind = Kind::answer;
        return;
      }
      if (response.fault != Fault::none) return;
      const std::size_t link = response.answers;
      add_dname(name);
      const std::size_t before = response.answers;
      if (response.fault != Fault::none || add_set(name, type::cname, 1) == 0) {
        response.answers = link;
        return;
      }
      if (response.chain_length == max_chain) {
        response.fault = Fault::chain;
        return;
      }
      if (!expand_lower(message, response.records[before].rdata, response.chain[response.chain_length + 1])) {
        response.fault = Fault::record;
        return;
      }
      ++response.chain_length;
    }
  }

  [[nodiscard]] const Record* find_soa() const noexcept {
    const Name& end = response.chain[response.chain_length];
    for (std::size_t i = response.scanned_answers; i < response.scanned; ++i) {
      const Record& record = response.seen[i];
      Name owner;
      if (record.type == type::soa && expand_lower(message, record.owner, owner) &&
          below_or_same(end.span(), owner.span()) && sound_rdata(message, record))
        return &record;
    }
    return nullptr;
  }

  void add_authority() const noexcept {
    const bool denial = response.kind != Kind::answer;
    const Record* soa = denial ? find_soa() : nullptr;
    if (soa != nullptr) {
      response.soa_ttl = std::min(soa->ttl, load32(&message[soa->rdata + soa->rdata_length - 4u]));
      if (response.soa_ttl & 0x80000000u) response.soa_ttl = 0;
      if (add(*soa)) ++response.authorities;
      response.ttl = std::min(response.ttl, response.soa_ttl);
    }
    for (std::size_t i = response.scanned_answers; asked.dnssec_ok && i < response.scanned; ++i) {
      const Record& record = response.seen[i];
      const bool proof =
          record.type == rrtype::nsec || record.type == rrtype::nsec3 ||
          (record.type == rrtype::rrsig && (covers(record, rrtype::nsec) || covers(record, rrtype::nsec3) ||
                                            (soa != nullptr && covers(record, type::soa))));
      if (proof && add(record)) ++response.authorities;
    }
    const bool contradiction = response.kind == Kind::answer && response.rcode == 3;
    if ((denial && soa == nullptr) || contradiction) response.ttl = 0;
  }
};

Fault check_question(Bytes message, const Asked& asked, std::uint16_t rcode, std::size_t& end) noexcept {
  const std::uint16_t questions = load16(&message[4]);
  // Servers from before EDNS refuse a query with an OPT by a bare header (RFC 6891 7).
  if (questions == 0 && (rcode == 1 || rcode == 4)) {
    end = header_size;
    return Fault::none;
  }
  const std::size_t length = asked.qname.size();
  if (questions != 1 || message.size() < header_size + length + 4) return Fault::question;
  const Bytes qname = message.subspan(header_size, length);
  if (!same_name(qname, asked.qname) || load16(qname.data() + length) != asked.type ||
      load16(qname.data() + length + 2) != 1)
    return Fault::question;
  if (asked.exact_case && !std::equal(qname.begin(), qname.end(), asked.qname.begin())) return Fault::question_case;
  end = header_size + length + 4;
  return Fault::none;
}

} // namespace

std::string_view to_string(Fault fault) {
  static constexpr std::string_view names[] = {"none",
                                               "too short",
                                               "not a response",
                                               "wrong id",
                                               "question",
                                               "question's case",
                                               "malformed name",
                                               "malformed record",
                                               "too many records",
                                               "CNAME chain too long"};
  return names[static_cast<std::size_t>(fault)];
}

std::size_t skip_name(Bytes message, std::size_t offset) noexcept {
  const std::size_t start = offset;
  while (offset < message.size()) {
    const std::uint8_t octet = message[offset];
    if (octet >= 0xc0) return offset + 1 < message.size() ? offset + 2 - start : 0;
    if (octet >= 0x40) return 0;
    offset += octet + 1u;
    if (offset - start > max_name) return 0;
    if (octet == 0) return offset - start;
  }
  return 0;
}

std::size_t expand_name(Bytes message, std::size_t offset, std::span<std::uint8_t, max_name> name) noexcept {
  std::size_t at = 0;
  const bool walked = walk_name(message, offset, [&](std::size_t from, std::uint8_t length) {
    std::memcpy(&name[at], &message[from], length + 1u);
    at += length + 1u;
    return true;
  });
  if (!walked) return 0;
  name[at] = 0;
  return at + 1;
}

bool is_name(Bytes message, std::size_t offset, Bytes name) noexcept {
  std::size_t at = 0;
  const bool walked = walk_name(message, offset, [&](std::size_t from, std::uint8_t length) {
    if (at + length + 1u >= name.size() || name[at] != length) return false;
    for (std::size_t i = 1; i <= length; ++i)
      if (lower(message[from + i]) != lower(name[at + i])) return false;
    at += length + 1u;
    return true;
  });
  return walked && at + 1 == name.size();
}

bool same_name(Bytes a, Bytes b) noexcept {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](std::uint8_t x, std::uint8_t y) { return lower(x) == lower(y); });
}

bool below_or_same(Bytes name, Bytes zone) noexcept {
  std::size_t at = 0;
  while (name.size() - at > zone.size()) {
    if (name[at] == 0) return false;
    at += name[at] + 1u;
    if (at >= name.size()) return false;
  }
  return same_name(name.subspan(at), zone);
}

RdataShape rdata_shape(std::uint16_t type) noexcept {
  switch (type) {
  case 2:
  case 3:
  case 4:
  case 5:
  case 7:
  case 8:
  case 9:
  case 12: // NS MD MF CNAME MB MG MR PTR
    return {.names = 1, .compressible = true};
  case 6: return {.names = 2, .after = 20, .compressible = true};  // SOA
  case 14: return {.names = 2, .compressible = true};              // MINFO
  case 15: return {.before = 2, .names = 1, .compressible = true}; // MX
  case 17: return {.names = 2};                                    // RP
  case 18:
  case 21:
  case 36: return {.before = 2, .names = 1};                  // AFSDB RT KX
  case 26: return {.before = 2, .names = 2};                  // PX
  case 33: return {.before = 6, .names = 1};                  // SRV
  case 35: return {.before = 4, .names = 1, .strings = true}; // NAPTR
  case 39: return {.names = 1};                               // DNAME
  default: return {};
  }
}

void read_response(Bytes message, const Asked& asked, Response& response) noexcept {
  response.fault = Fault::none;
  response.kind = Kind::failure;
  response.truncated = response.authentic = response.edns = false;
  response.flags = response.rcode = 0;
  response.ttl = response.soa_ttl = 0;
  response.chain_length = response.answers = response.authorities = response.scanned = response.scanned_answers = 0;

  if (message.size() < header_size || message.size() > 65535) {
    response.fault = Fault::runt;
    return;
  }
  response.flags = load16(&message[2]);
  response.rcode = response.flags & 0xf;
  response.truncated = (response.flags & 0x0200) != 0;
  response.authentic = (response.flags & 0x0020) != 0;
  std::size_t at = 0;
  if ((response.flags & 0xf800) != 0x8000) {
    response.fault = Fault::not_response;
  } else if (load16(message.data()) != asked.id) {
    response.fault = Fault::id;
  } else {
    response.fault = check_question(message, asked, response.rcode, at);
  }
  if (response.fault != Fault::none || response.truncated) return;
  response.fault = scan(message, at, response);
  if (response.fault != Fault::none) return;
  if (response.rcode != 0 && response.rcode != 3) return;

  Name& qname = response.chain[0];
  qname.length = static_cast<std::uint8_t>(asked.qname.size());
  for (std::size_t i = 0; i < qname.length; ++i) qname.octets[i] = lower(asked.qname[i]);
  response.ttl = 0x7fffffff;
  response.kind = response.rcode == 3 ? Kind::nxdomain : Kind::nodata;
  const Believe believe{message, asked, response};
  believe.follow_chain();
  if (response.fault != Fault::none) return;
  believe.add_authority();
}

} // namespace signpost::wire::upstream
