#include "server/log/query_log.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <boost/lockfree/queue.hpp>
#include <chrono>
#include <cstring>

#include "server/log/log.hpp"
#include "zone/wire/name.hpp"

namespace signpost::server {

namespace {

constexpr std::size_t capacity = 4096;                // records of about 320 octets
constexpr auto pause = std::chrono::milliseconds(20); // looked at that often while idle: the workers never wake us

struct Record {
  std::array<std::uint8_t, wire::max_name> name;
  std::uint8_t name_length;
  std::uint8_t rcode;
  bool later, answered, tcp;
  std::uint16_t type, klass, length;
  std::uint16_t port;
  std::uint8_t family;
  std::array<std::uint8_t, 16> address;
};

std::string type_name(std::uint16_t type) {
  switch (type) {
  case 1: return "A";
  case 2: return "NS";
  case 5: return "CNAME";
  case 6: return "SOA";
  case 12: return "PTR";
  case 15: return "MX";
  case 16: return "TXT";
  case 28: return "AAAA";
  case 33: return "SRV";
  case 64: return "SVCB";
  case 65: return "HTTPS";
  case 255: return "ANY";
  default: return "TYPE" + std::to_string(type); // RFC 3597 5
  }
}

std::string rcode_name(std::uint8_t rcode) {
  static constexpr const char* names[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};
  return rcode < std::size(names) ? names[rcode] : std::to_string(rcode);
}

std::string peer_text(const Record& record) {
  char text[INET6_ADDRSTRLEN] = "?";
  inet_ntop(record.family, record.address.data(), text, sizeof text);
  const std::string port = std::to_string(record.port);
  return record.family == AF_INET6 ? "[" + std::string(text) + "]:" + port : std::string(text) + ":" + port;
}

void write(const Record& record) {
  const std::string name = record.name_length == 0 ? "-" : wire::name_to_text({record.name.data(), record.name_length});
  log::sample("query", name,
              {{"type", type_name(record.type)},
               {"client", peer_text(record)},
               {"proto", record.tcp ? "tcp" : "udp"},
               {"rcode", record.later      ? "later"
                         : record.answered ? rcode_name(record.rcode)
                                           : "dropped"},
               {"size", record.length}});
}

} // namespace

struct QueryLog::Queue {
  boost::lockfree::queue<Record, boost::lockfree::capacity<capacity>> records;
};

QueryLog::QueryLog() : queue_(std::make_unique<Queue>()), thread_([this] { run(); }) {}

QueryLog::~QueryLog() {
  stopping_.store(true, std::memory_order_relaxed);
  thread_.join();
}

void QueryLog::record(const wire::Query& query, wire::Transport transport, const sockaddr* peer,
                      std::span<const std::uint8_t> reply, bool later) noexcept {
  Record record{};
  if (query.question_length > 0) {
    record.name_length = static_cast<std::uint8_t>(query.name_length);
    std::memcpy(record.name.data(), query.name.data(), query.name_length);
    record.type = query.type;
    record.klass = query.klass;
  }
  record.tcp = transport == wire::Transport::tcp;
  record.later = later;
  record.answered = reply.size() >= 4;
  if (record.answered) record.rcode = reply[3] & 15;
  record.length = static_cast<std::uint16_t>(reply.size());
  record.family = static_cast<std::uint8_t>(peer->sa_family);
  if (peer->sa_family == AF_INET6) {
    const auto* six = reinterpret_cast<const sockaddr_in6*>(peer);
    std::memcpy(record.address.data(), &six->sin6_addr, 16);
    record.port = ntohs(six->sin6_port);
  } else {
    const auto* four = reinterpret_cast<const sockaddr_in*>(peer);
    std::memcpy(record.address.data(), &four->sin_addr, 4);
    record.port = ntohs(four->sin_port);
  }
  if (!queue_->records.bounded_push(record)) dropped_.fetch_add(1, std::memory_order_relaxed);
}

void QueryLog::run() {
  while (true) {
    const bool last = stopping_.load(std::memory_order_relaxed);
    Record record;
    while (queue_->records.pop(record)) write(record);
    if (const std::uint64_t dropped = dropped_.exchange(0, std::memory_order_relaxed); dropped != 0)
      log::warning("query", "queries not logged: they came faster than lines can be written", {{"count", dropped}});
    if (last) return;
    std::this_thread::sleep_for(pause);
  }
}

} // namespace signpost::server
