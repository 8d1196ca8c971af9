// A forwarded answer in the form in which it is kept and sent: all that follows the question, and where its TTLs are.
//
// An upstream's message is never passed on as it is. compile() writes every believed record anew, names expanded and
// compressed against our own message, so that what clients get is well-formed whatever came in, and a reply is the
// client's header and question, one copy of the tail, and the TTLs counted down in place. Pointers in a tail count from
// the start of the message: a tail fits every question whose qname has the same length, in any letters.
//
// Pure functions over bytes; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "zone/wire/edns.hpp"
#include "zone/wire/name.hpp"
#include "zone/wire/query.hpp"
#include "zone/wire/response.hpp"

namespace signpost::server {

/// Extended DNS errors that forwarding gives (RFC 8914 4.23, 4.24).
inline constexpr wire::ExtendedError no_reachable_authority{22}, network_error{23};

/// Extended DNS errors as options in wire form (RFC 8914 2), for clients that speak EDNS. By value, bounded.
class ErrorOptions {
public:
  [[nodiscard]] std::span<const std::uint8_t> span() const { return {octets_.data(), size_}; }
  void clear() { size_ = 0; }
  /// Appends one, its text cut where room ends; none: nothing. What is not printable ASCII is sent as "?".
  void add(wire::ExtendedError code, std::string_view text = {}) noexcept;

private:
  std::uint8_t size_ = 0;
  std::array<std::uint8_t, 200> octets_;
};

/// What an answer is made of, without its bytes: sixteen octets, copied at once.
struct AnswerShape {
  std::uint16_t rcode = 0; // 0…15
  std::uint16_t answers = 0, authorities = 0, additionals = 0;
  std::uint16_t set_at = 0, set_size = 0; // records that may come in any order: the first of them, and how many
  bool authoritative = false;             // AA: of answers that begin in our zones only
  bool authentic = false;                 // AD: the upstream says it has validated
  bool truncated = false;                 // TC: there is more, and nobody who has it
  bool open = false;                      // ends in an alias, whose target somebody else is to be asked for
};

/// What an answer says, wherever its bytes are.
struct AnswerView : AnswerShape {
  std::span<const std::uint8_t> errors;  // options for the OPT record, as ErrorOptions has them
  std::span<const std::uint16_t> ttl_at; // offset of every record's TTL within `tail`, ascending; host order
  std::span<const std::uint8_t> tail;
};

/// An answer with its bytes: written by one thread, which reuses it. About 80 KB.
struct Answer : AnswerShape {
  ErrorOptions errors;
  std::uint32_t lifetime = 0; // seconds it may be kept; 0: not at all
  std::size_t tail_at = 0;    // octets of header and question
  std::size_t length = 0;     // of `wire`
  std::size_t ttl_count = 0;
  std::array<std::uint16_t, wire::upstream::max_records> ttl_at;
  std::array<std::uint8_t, 65535> wire; // as if the question had been asked in lower case; the header is not filled in

  [[nodiscard]] AnswerView view() const;
};

/// Longest time a record is kept and shown, in seconds.
struct TtlCaps {
  std::uint32_t positive = 3600;
  std::uint32_t negative = 1800;
};

/// Whether an upstream is believed what it says, unasked, of a host (wire form, lower case).
class Bailiwick {
public:
  virtual ~Bailiwick() = default;
  [[nodiscard]] virtual bool holds(const wire::WireName& host) const noexcept = 0;
};

/// All of a response is believed.
inline constexpr std::size_t whole = ~std::size_t{0};

/// Makes `answer` of a response without fault; false: it does not fit into a message. Of the additional section what
/// `bailiwick` holds is kept. `links`: how many CNAMEs of it are believed and nothing behind them, so that the answer
/// stays open at the last one's target; or `whole`.
[[nodiscard]] bool compile(std::span<const std::uint8_t> message, const wire::upstream::Response& response,
                           TtlCaps caps, const Bailiwick& bailiwick, std::size_t links, Answer& answer) noexcept;

/// Makes `answer` of several, each a whole message of ours: one about the question's name, and behind it one each about
/// what the last CNAME of the one before leads to. AA is of the first; rcode and the sections behind the answers are of
/// the last (RFC 1035 4.1.1, RFC 6604 3). false: one of them is none, or they do not fit together into a message.
[[nodiscard]] bool compile_chain(std::span<const std::vector<std::uint8_t>> parts, Answer& answer) noexcept;

/// The target of the last CNAME in the answer section of a whole message, and the number of CNAMEs there.
struct LastAlias {
  wire::WireName target;
  std::size_t links = 0; // 0: there is none
};
[[nodiscard]] LastAlias last_alias(std::span<const std::uint8_t> message) noexcept;

/// Makes `answer` an empty one with this rcode, for `lifetime` seconds, and without an error; errors are added to it.
void compile_error(std::uint16_t rcode, std::uint32_t lifetime, Answer& answer) noexcept;

/// Adds the extended errors of a response to those of an answer, their texts marked as an upstream's (RFC 8914 3).
void pass_on_errors(std::span<const std::uint8_t> message, const wire::upstream::Response& response,
                    Answer& answer) noexcept;

/// Who asks: all of a query that a reply needs.
struct Asker {
  std::uint16_t id = 0, flags = 0;        // host order
  std::span<const std::uint8_t> question; // qname, type and class, in the client's letters
  bool edns = false, dnssec_ok = false;
  std::span<const std::uint8_t> options; // of the reply's OPT record
  std::size_t limit = 512;               // octets the client takes
};

/// Of the query in `buffer`, whose question stays where it is.
[[nodiscard]] Asker asker(const wire::Query& query, wire::Transport transport,
                          std::span<const std::uint8_t> buffer) noexcept;

/// Writes the reply: RA=1, RD and CD copied, TTLs lessened by `age` seconds, another record of the set first each time.
/// Where it is longer than the client or `out` takes, whole records are left out from the end and TC is set, but not
/// for additional ones (RFC 2181 9). `out` may begin with the query whose question `asker` points to. Returns the
/// length; 0: not even header and question fit.
[[nodiscard]] std::size_t write_reply(std::span<std::uint8_t> out, const Asker& asker, const AnswerView& answer,
                                      std::uint32_t age) noexcept;

} // namespace signpost::server
