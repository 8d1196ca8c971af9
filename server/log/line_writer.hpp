// Lines on their way to a descriptor that may have no reader: whoever logs never waits for it.
//
//   LineWriter lines({.fd = 2}, [](std::uint64_t count) { return std::to_string(count) + " lines were dropped\n"; });
//   lines.put("…\n");                                  // any thread: into a bounded queue
//   lines.close(std::chrono::milliseconds(500));       // what is queued comes out, if somebody reads
//
// One thread writes, in pieces that a pipe takes whole (PIPE_BUF), and only when poll(2) says that there is room: a
// reader that stopped holds up this thread and nobody else. A full queue drops its oldest lines, so that the last words
// before an exit are the ones that are kept. What could not be written (no reader, a full disk) is dropped as well. All
// that is dropped is counted, and said in the place of the gap as soon as lines flow again.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace signpost::server::log {

struct WriterSettings {
  int fd = 2;                        // stays open as long as the process
  std::size_t max_bytes = 1u << 20;  // of lines that wait
  std::size_t max_line = 32u << 10;  // octets; longer lines are cut
};

class LineWriter {
public:
  /// `gap` makes the line that stands for lines that were dropped; called on the writer's thread.
  LineWriter(WriterSettings settings, std::function<std::string(std::uint64_t count)> gap);
  ~LineWriter(); // close() without patience
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  /// A line with its line break. Any thread; takes a lock for as long as a queue is changed.
  void put(std::string line);
  /// A line of many that stand for each other (queries): dropped before it takes more than half of the queue.
  void put_sample(std::string line);

  /// Writes what is queued, as long as some of it goes out every `patience`, and ends. Later lines are dropped.
  void close(std::chrono::milliseconds patience);

  /// Lines so far that nobody will see.
  [[nodiscard]] std::uint64_t dropped() const;

private:
  struct State;
  std::shared_ptr<State> state_; // shared with the thread, which is left behind where the system does not let it go
};

} // namespace signpost::server::log
