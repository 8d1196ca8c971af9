#include "client/resolver/message.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>

namespace signpost::resolver {

namespace {

constexpr std::size_t header_size = 12, longest_name = 255, longest_label = 63;
constexpr int most_hops = 32; // compression pointers in one name; real names have one or two

std::uint16_t get16(Bytes m, std::size_t at) { return static_cast<std::uint16_t>(m[at] << 8 | m[at + 1]); }

std::uint32_t get32(Bytes m, std::size_t at) {
  return static_cast<std::uint32_t>(get16(m, at)) << 16 | get16(m, at + 2);
}

void put16(std::vector<std::uint8_t>& out, unsigned value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

void append_escaped(std::string& out, std::uint8_t octet, std::string_view special) {
  const char c = static_cast<char>(octet);
  if (octet < 0x20 || octet > 0x7e) {
    const std::array<char, 4> code{'\\', static_cast<char>('0' + octet / 100), static_cast<char>('0' + octet / 10 % 10),
                                   static_cast<char>('0' + octet % 10)};
    out.append(code.data(), code.size());
    return;
  }
  if (special.find(c) != std::string_view::npos) out.push_back('\\');
  out.push_back(c);
}

bool read_record(Bytes message, std::size_t& at, Section section, Reply& reply, bool& saw_opt) {
  auto owner = read_name(message, at, message.size());
  if (!owner || message.size() - at < 10) return false;
  Record record{
      .owner = std::move(*owner), .type = get16(message, at), .klass = get16(message, at + 2), .section = section};
  const auto ttl = get32(message, at + 4);
  record.ttl = ttl > 0x7fffffff ? 0 : ttl;
  record.rdata_size = get16(message, at + 8);
  at += 10;
  if (message.size() - at < record.rdata_size) return false;
  record.rdata = at;
  at += record.rdata_size;
  if (record.type != type::opt) {
    reply.records.push_back(std::move(record));
    return true;
  }
  if (saw_opt || section != Section::additional || !record.owner.empty()) return false;
  saw_opt = true;
  reply.rcode = static_cast<std::uint16_t>(reply.rcode | (ttl >> 24) << 4);
  const std::size_t end = at;
  for (std::size_t o = record.rdata; end - o >= 4;) {
    const std::size_t code = get16(message, o), size = get16(message, o + 2);
    o += 4;
    if (end - o < size) return false;
    if (code == 15 && size >= 2 && !reply.ede) {
      reply.ede = get16(message, o);
      for (std::size_t i = o + 2; i < o + size; ++i) append_escaped(reply.ede_text, message[i], "");
    }
    o += size;
  }
  return true;
}

std::string generic(Bytes rdata) {
  std::string text = "\\# " + std::to_string(rdata.size());
  if (!rdata.empty()) text += ' ';
  for (const auto octet : rdata) {
    text += "0123456789abcdef"[octet >> 4];
    text += "0123456789abcdef"[octet & 15];
  }
  return text;
}

std::string character_strings(Bytes rdata) {
  std::string text;
  for (std::size_t at = 0; at < rdata.size();) {
    const std::size_t size = rdata[at++];
    if (rdata.size() - at < size) return generic(rdata);
    if (!text.empty()) text += ' ';
    text += '"';
    for (std::size_t i = 0; i < size; ++i) append_escaped(text, rdata[at + i], "\"\\");
    text += '"';
    at += size;
  }
  return text;
}

constexpr std::array<std::pair<std::uint16_t, std::string_view>, 11> type_names{{{type::a, "A"},
                                                                                 {type::ns, "NS"},
                                                                                 {type::cname, "CNAME"},
                                                                                 {type::soa, "SOA"},
                                                                                 {type::ptr, "PTR"},
                                                                                 {type::mx, "MX"},
                                                                                 {type::txt, "TXT"},
                                                                                 {type::aaaa, "AAAA"},
                                                                                 {type::srv, "SRV"},
                                                                                 {type::opt, "OPT"},
                                                                                 {type::any, "ANY"}}};

} // namespace

std::vector<std::uint8_t> write_query(std::string_view name, std::uint16_t qtype, std::uint16_t id) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::vector<std::uint8_t> out;
  out.reserve(header_size + name.size() + 2 + 4 + 11);
  put16(out, id);
  put16(out, 0x0100);
  for (const unsigned count : {1u, 0u, 0u, 1u}) put16(out, count);
  while (!name.empty()) {
    const auto dot = name.find('.');
    const auto label = name.substr(0, dot);
    if (label.empty() || label.size() > longest_label || dot + 1 == name.size()) return {};
    out.push_back(static_cast<std::uint8_t>(label.size()));
    out.insert(out.end(), label.begin(), label.end());
    name.remove_prefix(dot == std::string_view::npos ? name.size() : dot + 1);
  }
  out.push_back(0);
  if (out.size() - header_size > longest_name) return {};
  put16(out, qtype);
  put16(out, 1);
  out.push_back(0);
  put16(out, type::opt);
  put16(out, udp_payload);
  for (const unsigned zero : {0u, 0u, 0u}) put16(out, zero);
  return out;
}

std::optional<std::string> read_name(Bytes message, std::size_t& offset, std::size_t end) {
  std::string name;
  std::size_t at = offset, octets = 1, lowest = offset;
  bool jumped = false;
  int hops = 0;
  end = std::min(end, message.size());
  for (;;) {
    const std::size_t limit = jumped ? message.size() : end;
    if (at >= limit) return std::nullopt;
    const std::uint8_t length = message[at];
    if (length >= 0xc0) {
      if (limit - at < 2) return std::nullopt;
      const std::size_t target = get16(message, at) & 0x3fffu;
      if (target >= lowest || target < header_size || ++hops > most_hops) return std::nullopt;
      if (!jumped) offset = at + 2;
      jumped = true;
      at = lowest = target;
      continue;
    }
    if (length > longest_label) return std::nullopt;
    ++at;
    if (length == 0) break;
    octets += length + 1u;
    if (octets > longest_name || limit - at < length) return std::nullopt;
    if (!name.empty()) name += '.';
    for (std::size_t i = 0; i < length; ++i)
      append_escaped(name, static_cast<std::uint8_t>(lower(static_cast<char>(message[at + i]))), ".\\\";()@$ ");
    at += length;
  }
  if (!jumped) offset = at;
  return name;
}

std::optional<Reply> read_reply(Bytes message) {
  if (message.size() < header_size) return std::nullopt;
  Reply reply;
  reply.id = get16(message, 0);
  reply.flags = get16(message, 2);
  reply.rcode = reply.flags & 15;
  const unsigned questions = get16(message, 4);
  if ((reply.flags & 0x8000) == 0 || questions > 1) return std::nullopt;
  std::size_t at = header_size;
  if (questions == 1) {
    auto qname = read_name(message, at, message.size());
    if (!qname || message.size() - at < 4) return std::nullopt;
    reply.qname = std::move(*qname);
    reply.qtype = get16(message, at);
    at += 4;
  }
  bool saw_opt = false;
  for (const auto section : {Section::answer, Section::authority, Section::additional})
    for (unsigned left = get16(message, 6 + 2 * static_cast<std::size_t>(section)); left > 0; --left)
      if (!read_record(message, at, section, reply, saw_opt)) return std::nullopt;
  return reply;
}

std::optional<SrvData> read_srv(Bytes message, const Record& record) {
  if (record.type != type::srv || record.rdata_size < 7) return std::nullopt;
  SrvData srv{get16(message, record.rdata), get16(message, record.rdata + 2), get16(message, record.rdata + 4), {}};
  std::size_t at = record.rdata + 6;
  const std::size_t end = record.rdata + record.rdata_size;
  auto target = read_name(message, at, end);
  if (!target || at != end) return std::nullopt;
  srv.target = std::move(*target);
  return srv;
}

std::string rcode_text(std::uint16_t rcode) {
  constexpr std::array<const char*, 6> names{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};
  if (rcode < names.size()) return names[rcode];
  return rcode == 16 ? "BADVERS" : "RCODE" + std::to_string(rcode);
}

std::string type_text(std::uint16_t number) {
  for (const auto& [value, text] : type_names)
    if (value == number) return std::string(text);
  return "TYPE" + std::to_string(number);
}

std::uint16_t type_number(std::string_view text) {
  std::string upper(text);
  std::ranges::transform(upper, upper.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  for (const auto& [value, name] : type_names)
    if (name == upper && value != type::opt) return value;
  std::uint16_t number = 0;
  if (!upper.starts_with("TYPE")) return 0;
  const auto [end, error] = std::from_chars(upper.data() + 4, upper.data() + upper.size(), number);
  return error == std::errc{} && end == upper.data() + upper.size() ? number : 0;
}

std::string rdata_text(Bytes message, const Record& record) {
  const Bytes rdata = message.subspan(record.rdata, record.rdata_size);
  const std::size_t end = record.rdata + record.rdata_size;
  std::size_t at = record.rdata;
  const auto name = [&]() -> std::optional<std::string> {
    auto text = read_name(message, at, end);
    return text ? std::optional(*text + '.') : std::nullopt;
  };
  std::array<char, INET6_ADDRSTRLEN> text{};
  switch (record.type) {
  case type::a:
    if (rdata.size() == 4) return inet_ntop(AF_INET, rdata.data(), text.data(), text.size());
    break;
  case type::aaaa:
    if (rdata.size() == 16) return inet_ntop(AF_INET6, rdata.data(), text.data(), text.size());
    break;
  case type::ns:
  case type::cname:
  case type::ptr:
    if (const auto n = name(); n && at == end) return *n;
    break;
  case type::mx:
    if (rdata.size() < 3) break;
    at += 2;
    if (const auto n = name(); n && at == end) return std::to_string(get16(rdata, 0)) + ' ' + *n;
    break;
  case type::txt: return character_strings(rdata);
  case type::srv:
    if (const auto srv = read_srv(message, record))
      return std::to_string(srv->priority) + ' ' + std::to_string(srv->weight) + ' ' + std::to_string(srv->port) + ' ' +
             srv->target + '.';
    break;
  case type::soa: {
    const auto mname = name();
    const auto rname = mname ? name() : std::nullopt;
    if (!rname || end - at != 20) break;
    std::string out = *mname + ' ' + *rname;
    for (std::size_t i = 0; i < 5; ++i) out += ' ' + std::to_string(get32(message, at + 4 * i));
    return out;
  }
  default: break;
  }
  return generic(rdata);
}

} // namespace signpost::resolver
