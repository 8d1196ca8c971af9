// A DNS query as it came: checked once, in place, and described by offsets. Pure functions over bytes; bounded work.
//
// Nothing is copied but the lower-cased name. The parser accepts exactly the queries a server must answer and says of
// every other packet what it deserves (RFC 1035 4.1, 6891, 9619; tests/packets).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "zone/wire/cookie.hpp"
#include "zone/wire/edns.hpp"

namespace signpost::wire {

/// Longest name on the wire, its root octet included (RFC 1035 2.3.4).
inline constexpr std::size_t max_name = 255;

enum class Transport : std::uint8_t { udp, tcp };

enum class Rcode : std::uint16_t {
  noerror = 0,
  formerr = 1,
  servfail = 2,
  nxdomain = 3,
  notimp = 4,
  refused = 5,
  notauth = 9,
  badvers = 16
};

enum class Check : std::uint8_t {
  ok,    // fields below are valid
  drop,  // never answer: runt, QR=1
  error, // answer with `rcode`, question echoed if `question_length` > 0
};

/// Lower-cased qname and where things are. A plain struct that a thread reuses for every packet.
struct Query {
  enum Option : std::uint8_t { cookie = 1, nsid = 2, keepalive = 4 };

  Check check = Check::drop;
  Rcode rcode = Rcode::noerror;      // for Check::error
  std::uint16_t id = 0;              // host order, as all below
  std::uint16_t flags = 0;           // the header's second word
  std::uint16_t type = 0, klass = 0; // QTYPE, QCLASS
  std::uint16_t name_length = 0;     // octets of the qname, root included
  std::uint16_t question_length = 0; // qname + 4; 0: there is no question that could be echoed
  std::uint8_t labels = 0;           // without the root
  bool edns = false;
  bool dnssec_ok = false;
  std::uint8_t edns_version = 0;
  std::uint8_t asked = 0;                          // options that want an answer: any of Option
  std::uint16_t udp_size = 512;                    // what the client takes over UDP: ≥ 512, capped at 1232
  std::uint16_t length = 0;                        // octets of the message, at most 65535
  std::uint16_t reply_flags = 0;                   // of every reply: RA where queries are forwarded; its owner's to set
  ReplyOptions options;                            // what the reply's OPT is to carry; empty until the caller fills it
  ClientCookie client_cookie{};                    // if asked
  std::array<std::uint8_t, 128> label_offset{};    // of each label's length octet within `name`, the root's behind them
  alignas(8) std::array<std::uint8_t, 264> name{}; // lower case, wire form; zero bytes behind it

  [[nodiscard]] std::span<const std::uint8_t> qname() const { return {name.data(), name_length}; }
  [[nodiscard]] bool recursion_desired() const { return (flags & 0x0100) != 0; }
  [[nodiscard]] bool checking_disabled() const { return (flags & 0x0010) != 0; }
};

/// Reads one message. `packet` may be anything.
void read_query(std::span<const std::uint8_t> packet, Query& query) noexcept;

/// Turns the query in `buffer` into an empty reply with this rcode, in place: QR and Query::reply_flags set, RD and CD
/// kept, question echoed, OPT when the query had one (with the extended rcode and `error`, and with the query's reply
/// options where that does not make it longer than the query + 11 octets, so that nobody gains by forged ones). Returns
/// its length.
[[nodiscard]] std::size_t write_error(std::span<std::uint8_t> buffer, const Query& query, Rcode rcode,
                                      ExtendedError error = ExtendedError::none) noexcept;

} // namespace signpost::wire
