// The `log` directive: a line per query, without the packet path ever waiting for a log.
//
// A packet worker puts what it knows of a query into a bounded queue of preallocated records; a thread of the log's own
// writes them out. A full queue drops records, and the log says how many: under a flood the server answers, and the log
// is a sample. Exists only where a server block asks for it.
//
// Threads: record() from any, lock-free and without allocation; the rest from one.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <thread>

#include "zone/wire/query.hpp"

namespace signpost::server {

class QueryLog {
public:
  QueryLog();  // starts the thread
  ~QueryLog(); // writes what is queued, ends it
  QueryLog(const QueryLog&) = delete;
  QueryLog& operator=(const QueryLog&) = delete;

  /// `reply` as it was sent; empty: none was, or `later` it comes from an upstream.
  void record(const wire::Query& query, wire::Transport transport, const sockaddr* peer,
              std::span<const std::uint8_t> reply, bool later) noexcept;

private:
  struct Queue;
  void run();

  std::unique_ptr<Queue> queue_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> dropped_{0};
  std::thread thread_;
};

} // namespace signpost::server
