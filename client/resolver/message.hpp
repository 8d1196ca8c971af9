// DNS messages as a client needs them: writes a query, reads a reply.
//
// The reader is bounded and never trusts a length: names point strictly backwards, every record lies within the
// message, and work is linear in its size. It copies owner names and leaves rdata where it is. Pure functions, any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace signpost::resolver {

using Bytes = std::span<const std::uint8_t>;

namespace type {
inline constexpr std::uint16_t a = 1, ns = 2, cname = 5, soa = 6, ptr = 12, mx = 15, txt = 16, aaaa = 28, srv = 33,
                               opt = 41, any = 255;
}

/// UDP payload size that queries offer: what passes any path unfragmented (DNS flag day 2020).
inline constexpr std::uint16_t udp_payload = 1232;

/// A query with RD and an OPT record, class IN. Empty: `name` is not a name. A last dot makes no difference.
[[nodiscard]] std::vector<std::uint8_t> write_query(std::string_view name, std::uint16_t qtype, std::uint16_t id);

enum class Section : std::uint8_t { answer, authority, additional };

struct Record {
  std::string owner; // presentation form, lower case, without the last dot; "" is the root
  std::uint16_t type = 0, klass = 0;
  std::uint32_t ttl = 0; // seconds; values over 2^31-1 count as 0 (RFC 2181 8)
  Section section = Section::answer;
  std::size_t rdata = 0;        // offset within the message
  std::uint16_t rdata_size = 0; // octets
};

struct Reply {
  std::uint16_t id = 0, flags = 0;
  std::uint16_t rcode = 0; // with the extended bits of OPT (RFC 6891 6.1.3)
  std::string qname;       // lower case; "" without a question
  std::uint16_t qtype = 0;
  std::vector<Record> records;      // all sections in order, OPT left out
  std::optional<std::uint16_t> ede; // the first extended error (RFC 8914)
  std::string ede_text;
  [[nodiscard]] bool truncated() const { return (flags & 0x0200) != 0; }
  /// The sender could not put all records into it: TC, or EDE 0, by which Signpost says so where TC would lead nowhere.
  [[nodiscard]] bool in_part() const { return truncated() || (rcode == 0 && ede == std::uint16_t{0}); }
  [[nodiscard]] bool authoritative() const { return (flags & 0x0400) != 0; }
};

/// nullopt: not a well-formed reply (QR=0 included). Octets behind the last record are tolerated.
[[nodiscard]] std::optional<Reply> read_reply(Bytes message);

/// The name at `offset` of the message, which may be compressed; moves `offset` behind it. Presentation form, lower
/// case, without the last dot. nullopt: malformed, or it reaches to or past `end`.
[[nodiscard]] std::optional<std::string> read_name(Bytes message, std::size_t& offset, std::size_t end);

struct SrvData {
  std::uint16_t priority = 0, weight = 0, port = 0;
  std::string target;
};
[[nodiscard]] std::optional<SrvData> read_srv(Bytes message, const Record& record);

/// "NOERROR", "NXDOMAIN", …, "RCODE23".
[[nodiscard]] std::string rcode_text(std::uint16_t rcode);
/// "A", "SRV", …, "TYPE65280"; and back, 0: unknown.
[[nodiscard]] std::string type_text(std::uint16_t type);
[[nodiscard]] std::uint16_t type_number(std::string_view text);

/// The rdata as zone files have it; what is not known or malformed as RFC 3597 has it (\# 4 0a000001).
[[nodiscard]] std::string rdata_text(Bytes message, const Record& record);

} // namespace signpost::resolver
