// Question -> answer from the index: what a listener calls for every query. In place, no allocation, no lock, no
// exception, no log.
//
// A worker thread holds one Responder per zone it serves and calls answer() between two quiescent states of the RCU
// (index/epoch.hpp). Positive answers, negative answers with SOA, truncation to whole records, EDNS: all here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "zone/wire/query.hpp"

namespace signpost::zone {

class Zone;

enum class Verdict : std::uint8_t {
  reply,   // `length` octets are to be sent
  outside, // a sound query whose name is in none of our zones: cache and forwarding are next (or REFUSED)
  chase,   // `length` octets hold a CNAME answer whose target is outside: to be completed by resolving `target`,
           // or sent as it is where nothing resolves
};

struct Outcome {
  Verdict verdict = Verdict::reply;
  std::size_t length = 0;
};

/// Answers a query that read_query() found sound. `buffer` holds the query and takes the reply; its size is the
/// transport's limit (UDP ≥ 1232, TCP 65535), the client's own limit is applied here (Query::udp_size). Less than 512
/// octets take no reply: `length` is 0. For Verdict::chase, `target` receives the CNAME's target in wire form.
///
/// What does not fit over UDP is cut to whole records with TC set, another part of them each time. What does not fit
/// over TCP either goes out as a part that is the same for all clients, without TC, since there is nothing left to try
/// (some stubs fail on it), and with EDE 0 for those that speak EDNS.
[[nodiscard]] Outcome answer(const Zone& zone, const wire::Query& query, wire::Transport transport,
                             std::span<std::uint8_t> buffer, std::span<std::uint8_t, wire::max_name> target) noexcept;

} // namespace signpost::zone
