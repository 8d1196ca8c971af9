#include "server/cache/answer.hpp"

#include <algorithm>
#include <cstring>

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
    answer_.answers = answer_.authorities = 0;
    answer_.ttl_count = 0;
    answer_.length = wire::header_size;
    put_name(qname, true);
    put16(type);
    put16(1);
    answer_.tail_at = answer_.length;
  }

  [[nodiscard]] bool fits() const { return fits_; }

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
      if (offset < 0x4000) pending_[pending_count_++] = {hash[i], static_cast<std::uint16_t>(offset)};
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
  bool fits_ = true;
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
  return {.rcode = rcode,
          .error = error,
          .answers = answers,
          .authorities = authorities,
          .authoritative = authoritative,
          .authentic = authentic,
          .ttl_at = {ttl_at.data(), ttl_count},
          .tail = {wire.data() + tail_at, length - tail_at}};
}

bool compile(Bytes message, const upstream::Response& response, TtlCaps caps, Answer& answer) noexcept {
  answer.rcode = response.rcode & 0xf;
  answer.error = wire::ExtendedError::none;
  answer.authoritative = false;
  answer.authentic = response.authentic;
  const std::uint32_t cap = response.kind == upstream::Kind::answer ? caps.positive : caps.negative;
  answer.lifetime = std::min(response.ttl, cap);
  const Bytes qname = response.chain[0].span();
  Writer writer(answer, qname, wire::load16(&message[wire::header_size + qname.size()]));
  for (std::size_t i = 0; i < response.answers + response.authorities; ++i) {
    const upstream::Record& record = response.records[i];
    const bool denying = i >= response.answers && record.type == wire::type::soa;
    writer.put_record(message, record, std::min(denying ? response.soa_ttl : record.ttl, cap));
  }
  answer.answers = static_cast<std::uint16_t>(response.answers);
  answer.authorities = static_cast<std::uint16_t>(response.authorities);
  return writer.fits();
}

bool compile_chase(Bytes cname, Bytes found, Answer& answer) noexcept {
  const std::size_t ours = behind_question(cname), theirs = behind_question(found);
  if (ours == 0 || theirs == 0) return false;
  answer.rcode = found[3] & 0xf;
  answer.error = wire::ExtendedError::none;
  answer.authoritative = (cname[2] & (wire::flag::aa >> 8)) != 0;
  answer.authentic = false;
  answer.lifetime = 0;
  std::array<std::uint8_t, wire::max_name> qname;
  const std::size_t length = upstream::expand_name(cname, wire::header_size, qname);
  if (length == 0) return false;
  Writer writer(answer, {qname.data(), length}, wire::load16(&cname[ours - 4]));
  const std::size_t links = wire::load16(&cname[6]);
  const std::size_t answers = wire::load16(&found[6]), authorities = wire::load16(&found[8]);
  std::size_t at = ours;
  for (std::size_t i = 0; i < links; ++i) {
    const auto walked = walk_record(cname, at);
    if (!walked) return false;
    writer.put_record(cname, walked->record, walked->record.ttl);
    at = walked->next;
  }
  at = theirs;
  for (std::size_t i = 0; i < answers + authorities; ++i) {
    const auto walked = walk_record(found, at);
    if (!walked) return false;
    writer.put_record(found, walked->record, walked->record.ttl);
    at = walked->next;
  }
  answer.answers = static_cast<std::uint16_t>(links + answers);
  answer.authorities = static_cast<std::uint16_t>(authorities);
  return writer.fits();
}

void compile_error(std::uint16_t rcode, wire::ExtendedError error, std::uint32_t lifetime, Answer& answer) noexcept {
  answer.rcode = rcode;
  answer.error = error;
  answer.answers = answer.authorities = 0;
  answer.authoritative = answer.authentic = false;
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

std::size_t write_reply(std::span<std::uint8_t> out, const Asker& asker, const AnswerView& answer,
                        std::uint32_t age) noexcept {
  const std::size_t limit = std::min(asker.limit, out.size());
  const std::size_t tail_at = wire::header_size + asker.question.size();
  const std::size_t opt =
      asker.edns ? wire::opt_size + wire::extended_error_size(answer.error) + asker.options.size() : 0;
  if (limit < tail_at + opt) return 0;
  const std::size_t room = limit - tail_at - opt;

  std::size_t tail = answer.tail.size(), records = answer.ttl_at.size();
  std::size_t answers = answer.answers, authorities = answer.authorities;
  if (tail > room) {
    tail = records = 0;
    for (const std::uint16_t at : answer.ttl_at) {
      const std::size_t end = at + 6u + wire::load16(&answer.tail[at + 4u]);
      if (end > room) break;
      tail = end;
      ++records;
    }
    answers = std::min(answers, records);
    authorities = records - answers;
  }
  const bool cut = tail < answer.tail.size();

  std::uint8_t* const p = out.data();
  if (p + wire::header_size != asker.question.data() && !asker.question.empty())
    std::memmove(p + wire::header_size, asker.question.data(), asker.question.size());
  if (tail > 0) std::memcpy(p + tail_at, answer.tail.data(), tail);
  for (std::size_t i = 0; i < records; ++i) {
    std::uint8_t* const ttl = p + tail_at + answer.ttl_at[i];
    const std::uint32_t left = wire::load32(ttl);
    wire::store32(ttl, left > age ? left - age : 0);
  }
  const bool tell_authentic = answer.authentic && (asker.dnssec_ok || (asker.flags & wire::flag::ad) != 0);
  wire::store16(p, asker.id);
  wire::store16(p + 2, wire::flag::qr | wire::flag::ra | (asker.flags & (wire::flag::rd | wire::flag::cd)) |
                           (answer.authoritative ? wire::flag::aa : 0) | (cut ? wire::flag::tc : 0) |
                           (tell_authentic ? wire::flag::ad : 0) | answer.rcode);
  wire::store16(p + 4, asker.question.empty() ? 0 : 1);
  wire::store16(p + 6, static_cast<std::uint16_t>(answers));
  wire::store16(p + 8, static_cast<std::uint16_t>(authorities));
  wire::store16(p + 10, asker.edns ? 1 : 0);
  std::size_t length = tail_at + tail;
  if (asker.edns) length += wire::write_opt(p + length, answer.rcode, asker.dnssec_ok, answer.error, asker.options);
  return length;
}

} // namespace signpost::server
