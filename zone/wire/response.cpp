#include "zone/wire/response.hpp"

#include <algorithm>
#include <bitset>
#include <cstring>
#include <optional>

#include "zone/wire/edns.hpp"
#include "zone/wire/octets.hpp"

namespace signpost::wire::upstream {

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr int max_hops = 64; // pointers followed in one name: more than any writer makes, few enough to cost nothing
// What one response may cost, in looks at a record; comparing names counts as many. Sound chains of a thousand links
// stay below it, and nothing takes more than a few milliseconds.
constexpr std::size_t most_work = 1u << 20, name_work = 16, most_additional_work = 1u << 22;

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

/// Equal names in any letters have equal hashes; 0: it is no name.
std::uint32_t hash_name(Bytes message, std::size_t offset) noexcept {
  std::uint32_t hash = 2166136261u;
  const bool walked = walk_name(message, offset, [&](std::size_t from, std::uint8_t length) {
    for (std::size_t i = 0; i <= length; ++i) hash = (hash ^ lower(message[from + i])) * 16777619u;
    return true;
  });
  return walked ? hash | 1u : 0;
}

/// Notes the extended errors among the options of an OPT record.
void read_errors(Bytes message, const Record& opt, Response& response) noexcept {
  std::size_t at = opt.rdata;
  const std::size_t end = at + opt.rdata_length;
  while (end - at >= 4) {
    const std::uint16_t code = load16(&message[at]), length = load16(&message[at + 2]);
    at += 4;
    if (end - at < length) return;
    if (code == option::extended_error && length >= 2 && response.error_count < max_errors)
      response.errors[response.error_count++] = {.code = load16(&message[at]),
                                                 .text = static_cast<std::uint16_t>(at + 2),
                                                 .text_length = static_cast<std::uint16_t>(length - 2)};
    at += length;
  }
}

/// What the additional section says that may matter: the OPT record, and addresses.
void note_additional(Bytes message, const Record& record, std::uint16_t klass, Response& response) noexcept {
  if (record.type == type::opt) {
    response.edns = true;
    response.rcode = static_cast<std::uint16_t>((response.rcode & 0xf) | (record.ttl >> 24) << 4);
    read_errors(message, record, response);
    return;
  }
  if (klass != class_in || (record.type != type::a && record.type != type::aaaa)) return;
  response.owner_hash[response.scanned] = hash_name(message, record.owner);
  response.seen[response.scanned++] = record;
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
        if (record.type != type::opt && (record.ttl & 0x80000000u)) record.ttl = 0;
        note_additional(message, record, klass, response);
        continue;
      }
      if (klass != class_in || record.type == type::opt) continue;
      if (record.ttl & 0x80000000u) record.ttl = 0;
      response.seen[response.scanned++] = record;
      if (section == 0) response.scanned_answers = response.scanned;
      response.scanned_additionals = response.scanned;
    }
  }
  return Fault::none;
}

class Believe {
public:
  Believe(Bytes message, const Asked& asked, Response& response)
      : message_(message), asked_(asked), response_(response) {
    for (std::size_t i = 0; i < response.scanned_answers; ++i)
      has_dname_ = has_dname_ || response.seen[i].type == rrtype::dname;
  }

  void follow_chain() noexcept {
    Name& name = response_.end;
    for (;;) {
      const std::size_t before = response_.answers;
      if (const std::size_t found = add_set(name, asked_.type); found > 0) {
        response_.kind = Kind::answer;
        response_.set_at = before;
        response_.set_size = found;
        return;
      }
      const auto link = find_link(name);
      if (!link) return;
      if (followed_.test(*link)) return fail(Fault::chain);
      followed_.set(*link);
      add_dname(name);
      const Record& record = response_.seen[*link];
      if (!sound() || !add_answer(record)) return;
      add_signatures(name, type::cname);
      if (!sound()) return;
      if (!expand_lower(message_, record.rdata, name)) return fail(Fault::record);
      ++response_.chain_length;
    }
  }

  void add_authority() noexcept {
    const bool denial = response_.kind != Kind::answer;
    const Record* soa = denial ? find_soa() : nullptr;
    if (soa != nullptr) {
      response_.soa_ttl = std::min(soa->ttl, load32(&message_[soa->rdata + soa->rdata_length - 4u]));
      if (response_.soa_ttl & 0x80000000u) response_.soa_ttl = 0;
      if (add(*soa)) ++response_.authorities;
      response_.ttl = std::min(response_.ttl, response_.soa_ttl);
    }
    for (std::size_t i = response_.scanned_answers; asked_.dnssec_ok && i < response_.scanned_additionals; ++i) {
      const Record& record = response_.seen[i];
      const bool proof =
          record.type == rrtype::nsec || record.type == rrtype::nsec3 ||
          (record.type == rrtype::rrsig && (covers(record, rrtype::nsec) || covers(record, rrtype::nsec3) ||
                                            (soa != nullptr && covers(record, type::soa))));
      if (proof && add(record)) ++response_.authorities;
    }
    const bool contradiction = response_.kind == Kind::answer && response_.rcode == 3;
    if ((denial && soa == nullptr) || contradiction) response_.ttl = 0;
  }

  /// The addresses of the hosts that SRV and MX records name (RFC 2782, RFC 1035 3.3.9), each once. Not every host is
  /// one to be believed of: how long the others live is not counted here.
  void add_additional() noexcept {
    const bool names_hosts = asked_.type == type::srv || asked_.type == rrtype::mx;
    if (response_.kind != Kind::answer || !names_hosts || response_.scanned == response_.scanned_additionals) return;
    const std::size_t before = rdata_shape(asked_.type).before;
    std::bitset<max_records> taken;
    std::size_t work = 0;
    for (std::size_t i = response_.set_at; i < response_.set_at + response_.set_size; ++i) {
      const std::size_t host = response_.records[i].rdata + before;
      Name name;
      if (!expand_lower(message_, host, name)) continue;
      const std::uint32_t hash = hash_name(message_, host);
      for (std::size_t k = response_.scanned_additionals; k < response_.scanned; ++k) {
        if (++work > most_additional_work) return;
        if (taken.test(k) || response_.owner_hash[k] != hash) continue;
        work += name_work;
        const Record& record = response_.seen[k];
        if (!is_name(message_, record.owner, name.span())) continue;
        taken.set(k);
        const std::uint32_t kept = response_.ttl;
        if (add(record)) ++response_.additionals;
        response_.ttl = kept;
      }
    }
  }

private:
  [[nodiscard]] bool sound() const noexcept { return response_.fault == Fault::none; }
  void fail(Fault fault) noexcept { response_.fault = fault; }

  /// Pays for some looks at records; false, and a fault, once the response has cost too much.
  bool spend(std::size_t work) noexcept {
    work_ += work;
    if (work_ > most_work && sound()) fail(Fault::too_many);
    return sound();
  }

  [[nodiscard]] bool is_owner(const Record& record, const Name& name) noexcept {
    return spend(name_work) && is_name(message_, record.owner, name.span());
  }

  [[nodiscard]] bool add(const Record& record) noexcept {
    const std::size_t believed = response_.answers + response_.authorities + response_.additionals;
    if (believed == max_records || !sound_rdata(message_, record)) return false;
    response_.records[believed] = record;
    response_.ttl = std::min(response_.ttl, record.ttl);
    return true;
  }

  bool add_answer(const Record& record) noexcept {
    if (!add(record)) {
      fail(Fault::record);
      return false;
    }
    ++response_.answers;
    return true;
  }

  [[nodiscard]] bool covers(const Record& signature, std::uint16_t type) const noexcept {
    return signature.rdata_length > 18 && load16(&message_[signature.rdata]) == type;
  }

  /// The records of `type` at `name` in the answer section, then their signatures. Returns how many records there were
  /// without the signatures; a fault goes to the response.
  std::size_t add_set(const Name& name, std::uint16_t type) noexcept {
    std::size_t found = 0;
    if (!spend(response_.scanned_answers)) return 0;
    for (std::size_t i = 0; i < response_.scanned_answers; ++i) {
      const Record& record = response_.seen[i];
      if (record.type != type || !is_owner(record, name)) continue;
      if (!add_answer(record)) return 0;
      ++found;
    }
    if (found > 0 && type != rrtype::rrsig) add_signatures(name, type);
    return sound() ? found : 0;
  }

  void add_signatures(const Name& name, std::uint16_t type) noexcept {
    if (!asked_.dnssec_ok || !spend(response_.scanned_answers)) return;
    for (std::size_t i = 0; i < response_.scanned_answers; ++i) {
      const Record& record = response_.seen[i];
      if (record.type != rrtype::rrsig || !covers(record, type) || !is_owner(record, name)) continue;
      if (!add_answer(record)) return;
    }
  }

  /// The CNAME at `name`. A chain mostly stands in its order: the search begins behind the last link.
  std::optional<std::size_t> find_link(const Name& name) noexcept {
    const std::size_t count = response_.scanned_answers;
    for (std::size_t n = 0; n < count && spend(1); ++n) {
      const std::size_t i = (search_from_ + n) % count;
      if (response_.seen[i].type != type::cname || !is_owner(response_.seen[i], name)) continue;
      search_from_ = i + 1;
      return i;
    }
    return std::nullopt;
  }

  /// The DNAME above a name of the chain: what its CNAME was made of (RFC 6672 3.1).
  void add_dname(const Name& name) noexcept {
    if (!has_dname_ || !spend(response_.scanned_answers)) return;
    for (std::size_t i = 0; i < response_.scanned_answers; ++i) {
      const Record& record = response_.seen[i];
      if (record.type != rrtype::dname || !spend(name_work)) continue;
      Name owner;
      if (!expand_lower(message_, record.owner, owner) || owner.length >= name.length ||
          !below_or_same(name.span(), owner.span()))
        continue;
      if (add_answer(record)) add_signatures(owner, rrtype::dname);
      return;
    }
  }

  [[nodiscard]] const Record* find_soa() const noexcept {
    for (std::size_t i = response_.scanned_answers; i < response_.scanned_additionals; ++i) {
      const Record& record = response_.seen[i];
      Name owner;
      if (record.type == type::soa && expand_lower(message_, record.owner, owner) &&
          below_or_same(response_.end.span(), owner.span()) && sound_rdata(message_, record))
        return &record;
    }
    return nullptr;
  }

  Bytes message_;
  const Asked& asked_;
  Response& response_;
  bool has_dname_ = false;
  std::size_t work_ = 0, search_from_ = 0;
  std::bitset<max_records> followed_;
};

Fault check_question(Bytes message, const Asked& asked, std::uint16_t rcode, std::size_t& end) noexcept {
  const std::uint16_t questions = load16(&message[4]);
  // A bare header is how some refuse, and servers from before EDNS every query with an OPT (RFC 6891 7).
  if (questions == 0 && rcode != 0 && rcode != 3) {
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
  static constexpr std::string_view names[] = {
      "none",           "too short",        "not a response",   "wrong id",      "question", "question's case",
      "malformed name", "malformed record", "too many records", "loop of CNAMEs"};
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
  response.chain_length = response.answers = response.authorities = response.additionals = 0;
  response.set_at = response.set_size = response.error_count = 0;
  response.scanned = response.scanned_answers = response.scanned_additionals = 0;

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
  if (response.fault != Fault::none) return;
  response.fault = scan(message, at, response);
  // Whoever cuts a message may cut it anywhere: what stands whole before counts.
  if (response.truncated) response.fault = Fault::none;
  if (response.fault != Fault::none) return;
  if (response.rcode != 0 && response.rcode != 3) return;

  response.end.length = static_cast<std::uint8_t>(asked.qname.size());
  for (std::size_t i = 0; i < response.end.length; ++i) response.end.octets[i] = lower(asked.qname[i]);
  response.ttl = 0x7fffffff;
  response.kind = response.rcode == 3 ? Kind::nxdomain : Kind::nodata;
  Believe believe(message, asked, response);
  believe.follow_chain();
  if (response.fault != Fault::none) return;
  believe.add_authority();
  believe.add_additional();
  if (response.truncated) response.ttl = 0;
}

} // namespace signpost::wire::upstream
