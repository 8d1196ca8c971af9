#include "server/log/line_writer.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <thread>

using namespace signpost::server::log;

namespace {

using std::chrono::milliseconds;

/// Both ends of a pipe, or of a socket pair.
struct Ends {
  explicit Ends(bool socket = false) {
    REQUIRE((socket ? ::socketpair(AF_UNIX, SOCK_STREAM, 0, fd.data()) : ::pipe(fd.data())) == 0);
  }
  ~Ends() {
    close_reader();
    ::close(fd[1]);
  }
  void close_reader() {
    if (fd[0] >= 0) ::close(fd[0]);
    fd[0] = -1;
  }
  /// Reads until `end` has come.
  std::string read_to(std::string_view end) const {
    std::string text;
    std::array<char, 65536> part{};
    while (text.find(end) == std::string::npos) {
      const ssize_t count = ::read(fd[0], part.data(), part.size());
      if (count <= 0) break;
      text.append(part.data(), static_cast<std::size_t>(count));
    }
    return text;
  }
  std::array<int, 2> fd{-1, -1};
};

std::string gap(std::uint64_t count) { return "gap " + std::to_string(count) + "\n"; }

std::string numbered(int i) { return "line " + std::to_string(i) + " " + std::string(80, 'x') + "\n"; }

} // namespace

TEST_CASE("lines come out in order, through a pipe and through a socket") {
  for (const bool socket : {false, true}) {
    Ends ends(socket);
    LineWriter lines({.fd = ends.fd[1]}, gap);
    std::string wanted;
    for (int i = 0; i < 100; ++i) {
      lines.put(numbered(i));
      wanted += numbered(i);
    }
    lines.put("end\n");
    CHECK(ends.read_to("end\n") == wanted + "end\n");
    lines.close(milliseconds(0));
    CHECK(lines.dropped() == 0);
  }
}

TEST_CASE("a reader that reads nothing holds up nobody; the newest lines are kept, and the gap is told when it reads") {
  for (const bool socket : {false, true}) {
    Ends ends(socket);
    LineWriter lines({.fd = ends.fd[1], .max_bytes = 10'000}, gap);
    constexpr int count = 20'000; // 1.8 MB: more than a pipe or a socket takes
    for (int i = 0; i < count; ++i) lines.put(numbered(i));
    lines.put("end\n");
    const std::uint64_t dropped = lines.dropped();
    CHECK(dropped > count / 2);
    const std::string text = ends.read_to("end\n");
    CHECK(text.find("gap ") != std::string::npos);
    CHECK(text.find(numbered(count - 1)) != std::string::npos);
    std::uint64_t told = 0, kept = 0;
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
      if (text.compare(at, 4, "gap ") == 0)
        told += std::stoull(text.substr(at + 4));
      else
        ++kept;
    }
    CHECK(told == lines.dropped());
    CHECK(kept + told == count + 1);
  }
}

TEST_CASE("a reader that is gone, or a full disk, costs lines and nothing else") {
  std::signal(SIGPIPE, SIG_IGN);
  Ends ends;
  ends.close_reader();
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  REQUIRE(full >= 0);
  for (const int fd : {ends.fd[1], full}) {
    LineWriter lines({.fd = fd}, gap);
    for (int i = 0; i < 5; ++i) lines.put(numbered(i));
    lines.close(milliseconds(100));
    CHECK(lines.dropped() == 5);
    lines.put("later\n");
    CHECK(lines.dropped() == 6);
  }
  ::close(full);
}

TEST_CASE("the end waits for a reader that is slow, and not for one that never reads") {
  Ends slow;
  {
    LineWriter lines({.fd = slow.fd[1]}, gap);
    for (int i = 0; i < 2000; ++i) lines.put(numbered(i)); // 180 KB: more than the pipe's 64
    std::string text;
    std::thread reader([&] { text = slow.read_to("last words\n"); });
    lines.put("last words\n");
    lines.close(milliseconds(60'000));
    reader.join();
    CHECK(text.ends_with("last words\n"));
    CHECK(lines.dropped() == 0);
  }
  Ends never;
  LineWriter lines({.fd = never.fd[1]}, gap);
  for (int i = 0; i < 2000; ++i) lines.put(numbered(i));
  lines.close(milliseconds(50));
  CHECK(lines.dropped() > 0);
}

TEST_CASE("samples leave room for other lines") {
  Ends ends;
  LineWriter lines({.fd = ends.fd[1], .max_bytes = 100'000}, gap);
  lines.put("first\n");
  CHECK(ends.read_to("first\n") == "first\n");
  for (int i = 0; i < 5'000; ++i) lines.put_sample("sample " + numbered(i));
  for (int i = 0; i < 400; ++i) lines.put(numbered(i));
  lines.put("end\n");
  const std::string text = ends.read_to("end\n");
  for (int i = 0; i < 400; ++i) CHECK(text.find("\n" + numbered(i)) != std::string::npos);
  CHECK(lines.dropped() > 0);
}

TEST_CASE("a line that is too long is cut and stays a line") {
  Ends ends;
  LineWriter lines({.fd = ends.fd[1], .max_line = 100}, gap);
  lines.put(std::string(5000, 'a') + "\n");
  lines.put("end\n");
  CHECK(ends.read_to("end\n") == std::string(99, 'a') + "\nend\n");
}
