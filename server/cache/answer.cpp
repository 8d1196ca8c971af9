#include "server/cache/answer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "zone/authority/reply.hpp"
#include "zone/wire/octets.hpp"
#include "zone/wire/types.hpp"

namespace signpost::server {

namespace {

namespace upstream = wire::upstream;
using Bytes = std::span<const std::uint8_t>;

/// Writes records into an Answer, compressing names against what it holds.
class Writer {
public:
  Writer(Answer& answer, Bytes qname, std::uint16_t type) : answer_(answer) {
    answer_.errors.clear();
    static_cast<AnswerShape&>(answer_) = {};
    answer_.ttl_count = 0;
    answer_.length = wire::header_size;
    put_name(qname, true);
    put16(type);
    put16(1);
    answer_.tail_at = answer_.length;
  }

  [[nodiscard]] bool fits() const { return fits_; }

  /// Takes back what did not fit behind `length` octets and `records` records; nothing may follow.
  void end_at(std::size_t length, std::size_t records) {
    answer_.length = length;
    answer_.ttl_count = records;
    fits_ = true;
  }

  /// Whether names may point into the records that follow: not into those that change places.
  void may_be_pointed_to(bool may) { remembers_ = may; }

  /// A record of another message, with this TTL.
  void put_record(Bytes message, const upstream::Record& record, std::uint32_t ttl) {
    std::array<std::uint8_t, wire::max_name> owner;
    const std::size_t length = upstream::expand_name(message, record.owner, owner);
    if (length == 0 || answer_.ttl_count == answer_.ttl_at.size()) {
      fits_ = false;
      return;
    }
    put_name({owner.data(), length}, true);
    put16(record.type);
    put16(1);
    if (!fits_) return;
    answer_.ttl_at[answer_.ttl_count++] = static_cast<std::uint16_t>(answer_.length - answer_.tail_at);
    put16(ttl >> 16);
    put16(ttl & 0xffff);
    const std::size_t at = answer_.length;
    put16(0);
    put_rdata(message, record);
    if (fits_) wire::store16(&answer_.wire[at], static_cast<std::uint16_t>(answer_.length - at - 2));
  }

private:
  void put(Bytes bytes) {
    if (!fits_ || answer_.wire.size() - answer_.length < bytes.size()) {
      fits_ = false;
      return;
    }
    if (!bytes.empty()) std::memcpy(&answer_.wire[answer_.length], bytes.data(), bytes.size());
    answer_.length += bytes.size();
  }

  void put16(std::size_t value) {
    std::uint8_t octets[2];
    wire::store16(octets, static_cast<std::uint16_t>(value));
    put(octets);
  }

  void put_rdata(Bytes message, const upstream::Record& record) {
    const upstream::RdataShape shape = upstream::rdata_shape(record.type);
    const std::size_t end = record.rdata + std::size_t{record.rdata_length};
    std::size_t at = record.rdata;
    if (shape.names > 0) {
      std::size_t before = shape.before;
      for (int i = 0; shape.strings && i < 3; ++i) {
        if (at + before >= end) fits_ = false;
        if (!fits_) return;
        before += 1u + message[at + before];
      }
      if (before > record.rdata_length) fits_ = false;
      if (!fits_) return;
      put(message.subspan(at, before));
      at += before;
    }
    for (int i = 0; i < shape.names; ++i) {
      std::array<std::uint8_t, wire::max_name> name;
      const std::size_t length = upstream::expand_name(message.first(end), at, name);
      if (length == 0) fits_ = false;
      if (!fits_) return;
      put_name({name.data(), length}, shape.compressible);
      at += upstream::skip_name(message, at);
    }
    put(message.subspan(at, end - at));
  }

  void put_name(Bytes name, bool compress) {
    std::array<std::uint8_t, 128> label;
    std::array<std::uint32_t, 128> hash;
    std::size_t labels = 0;
    for (std::size_t at = 0; name[at] != 0; at += name[at] + 1u) label[labels++] = static_cast<std::uint8_t>(at);
    std::uint32_t h = 2166136261u;
    for (std::size_t i = labels; i-- > 0;) {
      for (std::size_t k = 0; k <= name[label[i]]; ++k) h = (h ^ upstream::lower(name[label[i] + k])) * 16777619u;
      hash[i] = h;
    }
    for (std::size_t i = 0; i < labels; ++i) {
      std::uint16_t& known = suffixes_[hash[i] % suffixes_.size()];
      if (compress && known != 0 &&
          upstream::is_name({answer_.wire.data(), answer_.length}, known, name.subspan(label[i]))) {
        put16(0xc000u | known);
        settle();
        return;
      }
      const std::size_t offset = answer_.length;
      put(name.subspan(label[i], name[label[i]] + 1u));
      if (!fits_) return;
      // A suffix is known once the whole name stands; pointers count 14 bits.
      if (offset < 0x4000 && remembers_) pending_[pending_count_++] = {hash[i], static_cast<std::uint16_t>(offset)};
    }
    put(name.last(1));
    settle();
  }

  void settle() {
    for (std::size_t i = 0; i < pending_count_; ++i)
      suffixes_[pending_[i].hash % suffixes_.size()] = pending_[i].offset;
    pending_count_ = 0;
  }

  struct Pending {
    std::uint32_t hash;
    std::uint16_t offset;
  };

  Answer& answer_;
  bool fits_ = true, remembers_ = true;
  std::array<std::uint16_t, 256> suffixes_{}; // by hash: where a suffix stands; the latest wins, 0: none
  std::array<Pending, 128> pending_;
  std::size_t pending_count_ = 0;
};

/// One record of a message of ours (or of write_reply()), and where the next one begins. nullopt: there is none.
struct Walked {
  upstream::Record record;
  std::size_t next = 0;
};
std::optional<Walked> walk_record(Bytes message, std::size_t at) {
  const std::size_t owner = upstream::skip_name(message, at);
  if (owner == 0 || message.size() - at < owner + 10) return std::nullopt;
  const std::uint8_t* fixed = &message[at + owner];
  Walked walked;
  walked.record = {.ttl = wire::load32(fixed + 4),
                   .owner = static_cast<std::uint16_t>(at),
                   .type = wire::load16(fixed),
                   .rdata = static_cast<std::uint16_t>(at + owner + 10),
                   .rdata_length = wire::load16(fixed + 8)};
  walked.next = at + owner + 10 + walked.record.rdata_length;
  if (walked.next > message.size()) return std::nullopt;
  return walked;
}

/// The offset behind the question of a message with one, 0: it has none.
std::size_t behind_question(Bytes message) {
  if (message.size() < wire::header_size || message.size() > 65535 || wire::load16(&message[4]) != 1) return 0;
  const std::size_t qname = upstream::skip_name(message, wire::header_size);
  if (qname == 0 || message.size() < wire::header_size + qname + 4) return 0;
  return wire::header_size + qname + 4;
}

} // namespace

AnswerView Answer::view() const {
  return {*this, errors.span(), {ttl_at.data(), ttl_count}, {wire.data() + tail_at, length - tail_at}};
}

void ErrorOptions::add(wire::ExtendedError code, std::string_view text) noexcept {
  constexpr std::size_t head = 6;
  if (code == wire::ExtendedError::none || octets_.size() - size_ < head) return;
  text = text.substr(0, octets_.size() - size_ - head);
  std::uint8_t* at = &octets_[size_];
  wire::store16(at, wire::option::extended_error);
  wire::store16(at + 2, static_cast<std::uint16_t>(2 + text.size()));
  wire::store16(at + 4, static_cast<std::uint16_t>(code));
  std::transform(text.begin(), text.end(), at + head,
                 [](char c) { return static_cast<std::uint8_t>(c >= ' ' && c <= '~' ? c : '?'); });
  size_ = static_cast<std::uint8_t>(size_ + head + text.size());
}

namespace {

/// The records that the first `links` CNAMEs of a response are made of: DNAMEs, the CNAMEs, their signatures.
std::size_t records_of(const upstream::Response& response, std::size_t links) noexcept {
  std::size_t at = 0;
  for (std::size_t seen = 0; at < response.answers; ++at) {
    const std::uint16_t type = response.records[at].type;
    if (seen == links && type != upstream::rrtype::rrsig) break;
    if (type == wire::type::cname) ++seen;
  }
  return at;
}

/// What a response says up to so many links.
bool compile_open(Bytes message, const upstream::Response& response, std::uint32_t cap, std::size_t links,
                  Writer& writer, Answer& answer) noexcept {
  const std::size_t answers = records_of(response, links);
  answer.open = true;
  answer.lifetime = response.truncated ? 0 : cap;
  for (std::size_t i = 0; i < answers; ++i) {
    const upstream::Record& record = response.records[i];
    answer.lifetime = std::min(answer.lifetime, record.ttl);
    writer.put_record(message, record, std::min(record.ttl, cap));
  }
  answer.answers = static_cast<std::uint16_t>(answers);
  return writer.fits();
}

} // namespace

bool compile(Bytes message, const upstream::Response& response, TtlCaps caps, const Bailiwick& bailiwick,
             std::size_t links, Answer& answer) noexcept {
  std::array<std::uint8_t, wire::max_name> qname{};
  const std::size_t length = upstream::expand_name(message, wire::header_size, qname);
  if (length == 0) return false;
  for (std::uint8_t& octet : qname) octet = upstream::lower(octet);
  Writer writer(answer, {qname.data(), length}, wire::load16(&message[wire::header_size + length]));
  if (links != whole) return compile_open(message, response, caps.positive, links, writer, answer);
  answer.rcode = response.rcode & 0xf;
  answer.authentic = response.authentic;
  answer.truncated = response.truncated;
  const std::uint32_t cap = response.kind == upstream::Kind::answer ? caps.positive : caps.negative;
  answer.lifetime = std::min(response.ttl, cap);
  answer.set_at = static_cast<std::uint16_t>(response.set_at);
  answer.set_size = static_cast<std::uint16_t>(response.set_size);
  const std::size_t additional = response.answers + response.authorities;
  for (std::size_t i = 0; i < additional; ++i) {
    const upstream::Record& record = response.records[i];
    const bool denying = i >= response.answers && record.type == wire::type::soa;
    const bool moves = response.set_size > 1 && i >= response.set_at && i < response.set_at + response.set_size;
    writer.may_be_pointed_to(!moves);
    writer.put_record(message, record, std::min(denying ? response.soa_ttl : record.ttl, cap));
  }
  answer.answers = static_cast<std::uint16_t>(response.answers);
  answer.authorities = static_cast<std::uint16_t>(response.authorities);
  pass_on_errors(message, response, answer);
  if (!writer.fits()) return false;
  writer.may_be_pointed_to(true);
  for (std::size_t i = additional; i < additional + response.additionals; ++i) {
    const upstream::Record& record = response.records[i];
    std::array<std::uint8_t, wire::max_name> owner;
    const auto host = wire::name_from_wire({owner.data(), upstream::expand_name(message, record.owner, owner)});
    if (!host || !bailiwick.holds(*host)) continue;
    const std::size_t before = answer.length, records = answer.ttl_count;
    writer.put_record(message, record, std::min(record.ttl, cap));
    if (!writer.fits()) {
      writer.end_at(before, records);
      break;
    }
    ++answer.additionals;
    answer.lifetime = std::min(answer.lifetime, record.ttl);
  }
  return true;
}

void pass_on_errors(Bytes message, const upstream::Response& response, Answer& answer) noexcept {
  constexpr std::string_view from = "upstream";
  for (std::size_t i = 0; i < response.error_count; ++i) {
    const upstream::ErrorOption& error = response.errors[i];
    std::array<char, 128> text;
    std::size_t length = from.copy(text.data(), from.size());
    if (error.text_length > 0) {
      text[length++] = ':';
      text[length++] = ' ';
      const std::size_t taken = std::min<std::size_t>(error.text_length, text.size() - length);
      std::memcpy(&text[length], &message[error.text], taken);
      length += taken;
    }
    answer.errors.add(wire::ExtendedError{error.code}, {text.data(), length});
  }
}

bool compile_chain(std::span<const std::vector<std::uint8_t>> parts, Answer& answer) noexcept {
  const std::size_t behind = parts.empty() ? 0 : behind_question(parts.front());
  if (behind == 0) return false;
  const Bytes first = parts.front(), last = parts.back();
  std::array<std::uint8_t, wire::max_name> qname;
  const std::size_t length = upstream::expand_name(first, wire::header_size, qname);
  if (length == 0) return false;
  Writer writer(answer, {qname.data(), length}, wire::load16(&first[behind - 4]));
  answer.rcode = wire::load16(&last[2]) & wire::flag::rcode;
  answer.authoritative = (wire::load16(&first[2]) & wire::flag::aa) != 0;
  answer.lifetime = 0;
  for (const Bytes part : parts) {
    std::size_t at = behind_question(part);
    if (at == 0) return false;
    const bool is_last = part.data() == last.data();
    const std::array<std::pair<std::uint16_t*, std::size_t>, 3> sections{
        {{&answer.answers, wire::load16(&part[6])},
         {&answer.authorities, is_last ? wire::load16(&part[8]) : 0},
         {&answer.additionals, is_last ? wire::load16(&part[10]) : 0}}};
    for (const auto& [count, records] : sections) {
      for (std::size_t i = 0; i < records; ++i) {
        const auto walked = walk_record(part, at);
        if (!walked) return false;
        at = walked->next;
        if (walked->record.type == wire::type::opt) continue;
        writer.put_record(part, walked->record, walked->record.ttl);
        ++*count;
      }
    }
  }
  return writer.fits();
}

LastAlias last_alias(Bytes message) noexcept {
  LastAlias last;
  std::size_t at = behind_question(message);
  for (std::size_t i = 0, answers = at == 0 ? 0 : wire::load16(&message[6]); i < answers; ++i) {
    const auto walked = walk_record(message, at);
    if (!walked) return {};
    at = walked->next;
    if (walked->record.type != wire::type::cname) continue;
    std::array<std::uint8_t, wire::max_name> target;
    const auto name =
        wire::name_from_wire({target.data(), upstream::expand_name(message, walked->record.rdata, target)});
    if (!name) return {};
    last.target = *name;
    ++last.links;
  }
  return last;
}

void compile_error(std::uint16_t rcode, std::uint32_t lifetime, Answer& answer) noexcept {
  static_cast<AnswerShape&>(answer) = {.rcode = rcode};
  answer.errors.clear();
  answer.lifetime = lifetime;
  answer.tail_at = answer.length = answer.ttl_count = 0;
}

Asker asker(const wire::Query& query, wire::Transport transport, Bytes buffer) noexcept {
  return {.id = query.id,
          .flags = query.flags,
          .question = buffer.subspan(wire::header_size, query.question_length),
          .edns = query.edns,
          .dnssec_ok = query.dnssec_ok,
          .options = query.options.span(),
          .limit = transport == wire::Transport::tcp ? std::size_t{65535} : query.udp_size};
}

namespace {

/// Copies records of an answer one behind the other, with their TTLs counted down, as long as there is room.
class Copier {
public:
  Copier(std::uint8_t* to, std::size_t room, const AnswerView& answer, std::uint32_t age)
      : to_(to), room_(room), answer_(answer), age_(age) {}

  /// Records `first` … `last`-1; false: not all of them had room.
  bool copy(std::size_t first, std::size_t last) noexcept {
    if (first == last) return true;
    const std::size_t from = first == 0 ? 0 : end_of(first - 1);
    std::size_t end = end_of(last - 1);
    const bool all = end - from <= room_ - length_;
    if (!all) {
      end = from;
      for (last = first; end_of(last) - from <= room_ - length_; ++last) end = end_of(last);
    }
    std::uint8_t* const at = to_ + length_;
    std::memcpy(at, answer_.tail.data() + from, end - from);
    for (std::size_t i = first; i < last; ++i) {
      std::uint8_t* const ttl = at + (answer_.ttl_at[i] - from);
      const std::uint32_t left = wire::load32(ttl);
      wire::store32(ttl, left > age_ ? left - age_ : 0);
    }
    length_ += end - from;
    records_ += last - first;
    return all;
  }

  [[nodiscard]] std::size_t length() const { return length_; }
  [[nodiscard]] std::size_t records() const { return records_; }

private:
  [[nodiscard]] std::size_t end_of(std::size_t record) const noexcept {
    const std::size_t ttl = answer_.ttl_at[record];
    return ttl + 6 + wire::load16(&answer_.tail[ttl + 4]);
  }

  std::uint8_t* to_;
  std::size_t room_;
  const AnswerView& answer_;
  std::uint32_t age_;
  std::size_t length_ = 0, records_ = 0;
};

struct Copied {
  std::size_t length, records;
};

/// All records, or as many as there is room for, another one of the set first each time.
[[gnu::noinline]] Copied copy_in_turn(std::uint8_t* to, std::size_t room, const AnswerView& answer,
                                      std::uint32_t age) noexcept {
  Copier copier(to, room, answer, age);
  const std::size_t set = answer.set_at, behind = set + answer.set_size;
  const std::size_t first = set + (answer.set_size > 1 ? zone::next_turn(answer.set_size) : 0);
  (void)(copier.copy(0, set) && copier.copy(first, behind) && copier.copy(set, first) &&
         copier.copy(behind, answer.ttl_at.size()));
  return {copier.length(), copier.records()};
}

/// All records in their order.
Copied copy_whole(std::uint8_t* to, const AnswerView& answer, std::uint32_t age) noexcept {
  if (!answer.tail.empty()) std::memcpy(to, answer.tail.data(), answer.tail.size());
  for (const std::uint16_t at : answer.ttl_at) {
    const std::uint32_t left = wire::load32(to + at);
    wire::store32(to + at, left > age ? left - age : 0);
  }
  return {answer.tail.size(), answer.ttl_at.size()};
}

} // namespace

std::size_t write_reply(std::span<std::uint8_t> out, const Asker& asker, const AnswerView& answer,
                        std::uint32_t age) noexcept {
  const std::size_t limit = std::min(asker.limit, out.size());
  const std::size_t tail_at = wire::header_size + asker.question.size();
  const std::size_t opt = asker.edns ? wire::opt_size + answer.errors.size() + asker.options.size() : 0;
  if (limit < tail_at + opt) return 0;

  std::uint8_t* const p = out.data();
  if (p + wire::header_size != asker.question.data() && !asker.question.empty())
    std::memmove(p + wire::header_size, asker.question.data(), asker.question.size());
  const std::size_t room = limit - tail_at - opt;
  const Copied copied = answer.set_size <= 1 && answer.tail.size() <= room
                            ? copy_whole(p + tail_at, answer, age)
                            : copy_in_turn(p + tail_at, room, answer, age);
  std::size_t answers = answer.answers, authorities = answer.authorities, additionals = answer.additionals;
  bool cut = answer.truncated;
  if (copied.records < answer.ttl_at.size()) [[unlikely]] {
    answers = std::min(answers, copied.records);
    authorities = std::min(authorities, copied.records - answers);
    additionals = copied.records - answers - authorities;
    cut = cut || answers < answer.answers || authorities < answer.authorities;
  }
  const bool tell_authentic = answer.authentic && (asker.dnssec_ok || (asker.flags & wire::flag::ad) != 0);
  wire::store16(p, asker.id);
  wire::store16(p + 2, wire::flag::qr | wire::flag::ra | (asker.flags & (wire::flag::rd | wire::flag::cd)) |
                           (answer.authoritative ? wire::flag::aa : 0) | (cut ? wire::flag::tc : 0) |
                           (tell_authentic ? wire::flag::ad : 0) | answer.rcode);
  wire::store16(p + 4, asker.question.empty() ? 0 : 1);
  wire::store16(p + 6, static_cast<std::uint16_t>(answers));
  wire::store16(p + 8, static_cast<std::uint16_t>(authorities));
  wire::store16(p + 10, static_cast<std::uint16_t>(additionals + (asker.edns ? 1 : 0)));
  std::size_t length = tail_at + copied.length;
  if (!asker.edns) return length;
  std::uint8_t* const record = p + length;
  length += wire::write_opt(record, answer.rcode, asker.dnssec_ok, wire::ExtendedError::none, asker.options);
  if (!answer.errors.empty()) {
    std::memcpy(p + length, answer.errors.data(), answer.errors.size());
    wire::store16(record + wire::opt_size - 2, static_cast<std::uint16_t>(asker.options.size() + answer.errors.size()));
    length += answer.errors.size();
  }
  return length;
}

} // namespace signpost::server
