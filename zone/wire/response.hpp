// An upstream's response, as far as it can be believed: checked against the question that was asked, walked once, and
// described by offsets. Pure functions over bytes; bounded work, no allocation.
//
// Nothing in a response is trusted: counts are upper bounds of a walk that ends with the bytes, compression pointers
// only lead backwards and are counted, and of the records only those are believed that the question leads to: the CNAME
// chain from the qname, however long, the records of the qtype at its end, the addresses of what SRV and MX records
// among these name, and for a denial the SOA of a zone above that end. All other records of the authority and
// additional sections are looked at for nothing (RFC 5452 6, RFC 2181 5.4.1); for a client that set DO the proofs of
// RFC 4035 3.1.3 and RFC 5155 are passed on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "zone/wire/query.hpp"
#include "zone/wire/types.hpp"

namespace signpost::wire::upstream {

/// Records in one response: as many addresses as 65,535 octets hold.
inline constexpr std::size_t max_records = 4096;
/// Extended errors (RFC 8914) of one response that are looked at.
inline constexpr std::size_t max_errors = 4;

/// Types that matter here and nowhere else in the program.
namespace rrtype {
inline constexpr std::uint16_t mx = 15, dname = 39, rrsig = 46, nsec = 47, nsec3 = 50;
}

/// Why a message is not the answer to what was asked.
enum class Fault : std::uint8_t {
  none,
  runt,          // shorter than a header
  not_response,  // QR=0 or another opcode
  id,            // another id
  question,      // another question, or none
  question_case, // the question, in other letters than were sent (0x20)
  name,          // a name that runs out of the message, too long, or with a pointer that does not lead backwards
  record,        // a record that runs out of the message, or whose rdata has not the shape of its type
  too_many,      // more than max_records, or made to be dear
  chain,         // a loop of CNAMEs (RFC 1034 3.6.2: an error)
};
[[nodiscard]] std::string_view to_string(Fault fault);

/// Whether a message with this fault may be anybody's: it is to be ignored, and the answer waited for. The others have
/// our id and our question: they are the answer, and a bad one.
[[nodiscard]] constexpr bool is_strangers(Fault fault) { return fault >= Fault::runt && fault <= Fault::question_case; }

/// What was asked, as sent.
struct Asked {
  std::span<const std::uint8_t> qname; // wire form, in the letters that were sent
  std::uint16_t type = 0;              // class is IN
  std::uint16_t id = 0;                // host order
  bool exact_case = false;             // 0x20: the question must come back in these letters
  bool dnssec_ok = false;              // signatures and proofs are wanted
};

enum class Kind : std::uint8_t {
  failure, // the rcode says no more than that: neither NOERROR nor NXDOMAIN
  answer,  // records of the qtype at the end of the chain
  nodata,  // the chain ends without one
  nxdomain,
};

/// A name in wire form, lower case.
struct Name {
  std::array<std::uint8_t, max_name> octets{};
  std::uint8_t length = 0;
  [[nodiscard]] std::span<const std::uint8_t> span() const { return {octets.data(), length}; }
};

/// One record; offsets into the message, numbers in host order.
struct Record {
  std::uint32_t ttl = 0; // seconds; 0 where the top bit was set (RFC 2181 8)
  std::uint16_t owner = 0, type = 0, rdata = 0, rdata_length = 0;
};

/// One EDE option: INFO-CODE, and where the EXTRA-TEXT is in the message.
struct ErrorOption {
  std::uint16_t code = 0, text = 0, text_length = 0;
};

/// What a response says. About 120 KB: held once per thread and reused.
struct Response {
  Fault fault = Fault::runt;
  Kind kind = Kind::failure;
  bool truncated = false; // TC: not all there is; what stands whole is below, and may not be kept
  bool authentic = false; // AD
  bool edns = false;      // it has an OPT
  std::uint16_t flags = 0;
  std::uint16_t rcode = 0; // with the OPT's upper bits
  std::uint32_t ttl = 0;   // seconds all of it may be kept: the least of the believed records but the additional ones,
                           // for a denial no more than min(SOA TTL, SOA MINIMUM) (RFC 2308 5) and 0 without a SOA
  std::uint32_t soa_ttl = 0; // that minimum; the SOA is passed on with it

  std::size_t chain_length = 0; // CNAMEs followed
  Name end;                     // the name where the chain ends; the qname without one

  // Believed records, in the order they are to be sent: the chain first, then `set_size` records of the qtype at its
  // end, which begin at `set_at`, then their signatures; then the authorities; then the addresses of SRV's and MX's.
  std::size_t answers = 0, authorities = 0, additionals = 0;
  std::size_t set_at = 0, set_size = 0;
  std::array<Record, max_records> records;

  std::size_t error_count = 0;
  std::array<ErrorOption, max_errors> errors; // of the OPT record, whatever the rcode

  // Working space: records seen, the first `scanned_answers` of the answer section, the last, from
  // `scanned_additionals` on, the addresses of the additional section, with hashes of their owners.
  std::size_t scanned = 0, scanned_answers = 0, scanned_additionals = 0;
  std::array<Record, max_records> seen;
  std::array<std::uint32_t, max_records> owner_hash;
};

/// Reads `message`, which may be anything. Valid if fault is none.
void read_response(std::span<const std::uint8_t> message, const Asked& asked, Response& response) noexcept;

/// Octets the name at `offset` takes there (a pointer ends it), 0: it is none.
[[nodiscard]] std::size_t skip_name(std::span<const std::uint8_t> message, std::size_t offset) noexcept;

/// The name at `offset` without compression, letters as they are; its length, 0: it is none.
[[nodiscard]] std::size_t expand_name(std::span<const std::uint8_t> message, std::size_t offset,
                                      std::span<std::uint8_t, max_name> name) noexcept;

/// Whether the name at `offset` is `name` (wire form, uncompressed).
[[nodiscard]] bool is_name(std::span<const std::uint8_t> message, std::size_t offset,
                           std::span<const std::uint8_t> name) noexcept;

/// Both in wire form, uncompressed; letters are compared as RFC 4343 says.
[[nodiscard]] bool same_name(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept;

/// Whether `name` is `zone` or below it.
[[nodiscard]] bool below_or_same(std::span<const std::uint8_t> name, std::span<const std::uint8_t> zone) noexcept;

/// Where the names in the rdata of a type are: what must be expanded when a record moves to another message. Types not
/// known here are moved as they are (RFC 3597 4).
struct RdataShape {
  std::uint8_t before = 0;   // octets before the first name
  std::uint8_t names = 0;    // names
  std::uint8_t after = 0;    // octets behind the last
  bool strings = false;      // three character-strings stand between `before` and the name (NAPTR)
  bool compressible = false; // the names may be compressed again (RFC 3597 4: types of RFC 1035)
};
[[nodiscard]] RdataShape rdata_shape(std::uint16_t type) noexcept;

[[nodiscard]] constexpr std::uint8_t lower(std::uint8_t c) { return c >= 'A' && c <= 'Z' ? c | 0x20 : c; }
} // namespace signpost::wire::upstream
