// Question -> answer from the index: what a listener calls for every query. In place, no allocation, no lock, no
// exception, no log.
//
// A worker thread calls answer() between two quiescent states of the RCU (index/epoch.hpp). Positive answers, negative
// answers with SOA, truncation to whole records, EDNS: all here. An alias is followed as long as its targets are names
// of the same zone; where they leave it, the message stays open at its end, and resume() goes on in another zone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "zone/wire/query.hpp"

namespace signpost::zone {

class Zone;

enum class Verdict : std::uint8_t {
  reply,   // `length` octets are to be sent
  outside, // a sound query whose name is in none of our zones; nothing was written
  denied,  // `length` octets say NXDOMAIN, but the zone does not know all of its names: to be sent where nobody else
           // knows this one
  chase,   // `length` octets end in a CNAME whose target is in none of our zones: to be sent where nobody knows it
};

struct Outcome {
  Verdict verdict = Verdict::reply;
  std::size_t length = 0;
};

/// Where an answer goes on that ends in an alias, or that a zone denied after one.
struct Onward {
  std::array<std::uint8_t, wire::max_name> target; // of the last CNAME: wire form, lower case
  std::uint16_t target_length = 0;
  std::uint16_t target_at = 0; // where it stands in the message
  std::uint16_t end = 0;       // behind the last CNAME
  std::uint16_t links = 0;     // CNAMEs so far; 0: there is none, and nothing above is valid

  [[nodiscard]] std::span<const std::uint8_t> name() const { return {target.data(), target_length}; }
};

/// Answers a query that read_query() found sound. `buffer` holds the query and takes the reply; its size is the
/// transport's limit (UDP ≥ 1232, TCP 65535), the client's own limit is applied here (Query::udp_size). Less than 512
/// octets take no reply: `length` is 0. `onward` is written unless the verdict is reply.
///
/// What does not fit over UDP is cut to whole records with TC set, another part of them each time. What does not fit
/// over TCP either goes out as a part that is the same for all clients, without TC, since there is nothing left to try
/// (some stubs fail on it), and with EDE 0 for those that speak EDNS. More than wire::max_aliases CNAMEs are SERVFAIL
/// with EDE 0.
[[nodiscard]] Outcome answer(const Zone& zone, const wire::Query& query, wire::Transport transport,
                             std::span<std::uint8_t> buffer, Onward& onward) noexcept;

/// Goes on with an answer that ended in an alias (`onward` as it was left, at least one link) in another zone.
/// Verdict::outside: the target is no name of this zone either, and nothing was changed.
[[nodiscard]] Outcome resume(const Zone& zone, const wire::Query& query, wire::Transport transport,
                             std::span<std::uint8_t> buffer, Onward& onward) noexcept;

} // namespace signpost::zone
