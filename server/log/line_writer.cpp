#include "server/log/line_writer.hpp"

#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace signpost::server::log {

namespace {

constexpr std::size_t piece = PIPE_BUF;                    // a pipe with room for anything has room for this much
constexpr auto busy_pause = std::chrono::milliseconds(10); // room was promised and not there: somebody else took it
constexpr auto last_wait = std::chrono::milliseconds(100); // for the thread, behind what close() is given

using Clock = std::chrono::steady_clock;

} // namespace

struct LineWriter::State {
  State(WriterSettings s, std::function<std::string(std::uint64_t)> g) : settings(s), gap(std::move(g)) {}
  ~State() {
    if (bell >= 0) ::close(bell);
  }

  void put(std::string line, std::size_t bound);
  void run();
  bool take(std::string& text, std::size_t& lines);
  bool write(std::string_view text);
  bool wait_for_room(Clock::time_point since);

  const WriterSettings settings;
  const std::function<std::string(std::uint64_t)> gap;
  const int bell = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); // rung by close()

  mutable std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::string> queue; // guarded by mutex, as all below
  std::size_t bytes = 0;         // of the queue
  std::uint64_t lost = 0;
  bool closing = false, done = false;
  std::chrono::milliseconds patience{0};

  // The thread's own.
  std::uint64_t told = 0; // of lost
  bool broken = false;    // the last line that went out has no end
  bool out_of_patience = false;

  std::thread thread;
};

void LineWriter::State::put(std::string line, std::size_t bound) {
  if (line.size() > settings.max_line) {
    line.resize(settings.max_line - 1);
    line += '\n';
  }
  {
    const std::lock_guard lock(mutex);
    if (done || (bound < settings.max_bytes && bytes + line.size() > bound)) {
      ++lost;
      return;
    }
    while (!queue.empty() && bytes + line.size() > bound) {
      bytes -= queue.front().size();
      queue.pop_front();
      ++lost;
    }
    bytes += line.size();
    queue.push_back(std::move(line));
  }
  changed.notify_one();
}

/// The next lines, up to a piece of them; false: there will be none any more.
bool LineWriter::State::take(std::string& text, std::size_t& lines) {
  std::unique_lock lock(mutex);
  changed.wait(lock, [this] { return !queue.empty() || closing; });
  if (queue.empty()) return false;
  text.clear();
  lines = 0;
  if (lost != told) {
    if (broken) text += '\n';
    text += gap(lost - told);
    told = lost; // taken back where it cannot be written
  }
  while (!queue.empty() && (lines == 0 || text.size() + queue.front().size() <= piece)) {
    text += queue.front();
    bytes -= queue.front().size();
    queue.pop_front();
    ++lines;
  }
  return true;
}

void LineWriter::State::run() {
  std::string text;
  std::size_t lines = 0;
  for (;;) {
    const std::uint64_t before = told;
    if (!take(text, lines)) break;
    if (write(text)) continue;
    told = before;
    const std::lock_guard lock(mutex);
    lost += lines;
    if (!out_of_patience) continue;
    lost += queue.size();
    queue.clear();
    bytes = 0;
  }
  const std::lock_guard lock(mutex);
  done = true;
  changed.notify_all();
}

/// False: it could not be written, whole or in part.
bool LineWriter::State::write(std::string_view text) {
  Clock::time_point since = Clock::now();
  while (!text.empty()) {
    if (!wait_for_room(since)) return false;
    const std::string_view part = text.substr(0, piece);
    // A descriptor that others have, too, keeps its mode: a socket is written to without waiting by the call's flag.
    ssize_t written = ::send(settings.fd, part.data(), part.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (written < 0 && errno == ENOTSOCK) written = ::write(settings.fd, part.data(), part.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      std::this_thread::sleep_for(busy_pause);
      continue;
    }
    if (written <= 0) return false;
    broken = text[static_cast<std::size_t>(written) - 1] != '\n';
    text.remove_prefix(static_cast<std::size_t>(written));
    since = Clock::now();
  }
  return true;
}

/// False: closing, and nothing was read for as long as close() allows.
bool LineWriter::State::wait_for_room(Clock::time_point since) {
  for (;;) {
    int wait = -1;
    bool last = false;
    {
      const std::lock_guard lock(mutex);
      if (closing) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(since + patience - Clock::now());
        wait = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
        last = true;
      }
    }
    pollfd on[2] = {{settings.fd, POLLOUT, 0}, {bell, POLLIN, 0}};
    const int ready = ::poll(on, last ? 1 : 2, wait);
    if (ready < 0 && errno != EINTR) return true; // whatever it is, write() says it
    if (ready > 0 && on[0].revents != 0) return true;
    if (ready == 0 && last) {
      out_of_patience = true;
      return false;
    }
  }
}

LineWriter::LineWriter(WriterSettings settings, std::function<std::string(std::uint64_t)> gap)
    : state_(std::make_shared<State>(settings, std::move(gap))) {
  state_->thread = std::thread([state = state_] { state->run(); });
}

LineWriter::~LineWriter() { close(std::chrono::milliseconds(0)); }

void LineWriter::put(std::string line) { state_->put(std::move(line), state_->settings.max_bytes); }

void LineWriter::put_sample(std::string line) { state_->put(std::move(line), state_->settings.max_bytes / 2); }

void LineWriter::close(std::chrono::milliseconds patience) {
  State& state = *state_;
  if (!state.thread.joinable()) return;
  {
    const std::lock_guard lock(state.mutex);
    state.closing = true;
    state.patience = patience;
  }
  state.changed.notify_all();
  const std::uint64_t one = 1;
  (void)!::write(state.bell, &one, sizeof one);
  // A reader that takes a line now and then is no reason to stay: all of it has three times the patience.
  std::unique_lock lock(state.mutex);
  const bool done = state.changed.wait_for(lock, 3 * patience + last_wait, [&] { return state.done; });
  state.done = true;
  lock.unlock();
  if (done)
    state.thread.join();
  else
    state.thread.detach();
}

std::uint64_t LineWriter::dropped() const {
  const std::lock_guard lock(state_->mutex);
  return state_->lost;
}

} // namespace signpost::server::log
