#include "server/listen/connection.hpp"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "zone/wire/octets.hpp"

namespace signpost::server {
namespace {

constexpr std::size_t header_octets = 12; // less is no DNS message at all
constexpr std::size_t largest_message = 65535;
constexpr std::size_t first_read = 1024; // of a client that has asked nothing yet: thousands may come at once
constexpr auto keepalive_unit = std::chrono::milliseconds(100);

// recv() and send() are cancellation points, for which the C library does more than their kernel calls need: 5 % of a
// query that comes alone.
ssize_t receive_some(int fd, std::span<std::uint8_t> to) {
  return ::syscall(SYS_recvfrom, fd, to.data(), to.size(), 0, nullptr, nullptr);
}
ssize_t send_some(int fd, std::span<const std::uint8_t> bytes) {
  return ::syscall(SYS_sendto, fd, bytes.data(), bytes.size(), MSG_NOSIGNAL, nullptr, 0);
}

} // namespace

/// Where the late answer to a message goes, and who asks.
struct Connection::ReplyToConnection {
  Connection& connection;
  TcpLoop& loop;

  ReplyTo operator()() const {
    ReplyTo to;
    to.aliases = &connection.served_->aliases;
    to.tcp = std::make_shared<std::function<void(std::span<const std::uint8_t>)>>(
        [loop = loop.shared_from_this(), self = std::weak_ptr(connection.self_)](std::span<const std::uint8_t> reply) {
          loop->poller.post([self, bytes = std::vector<std::uint8_t>(reply.begin(), reply.end())] {
            if (const auto alive = self.lock()) alive->on_late(bytes);
          });
        });
    return to;
  }
  const sockaddr* peer(sockaddr_storage& storage) const { return connection.peer(storage); }
};

Connection::Connection(TcpLoop& loop, Socket socket, std::shared_ptr<Served> served, Sources::iterator source)
    : loop_(loop), served_(std::move(served)), source_(source), since_(loop.poller.now()), socket_(std::move(socket)) {
  source->second.push_back(*this);
}

void Connection::start(std::shared_ptr<Connection> connection) {
  Connection& self = *connection;
  self.self_ = std::move(connection);
  self.watched_ = EPOLLIN;
  if (!self.loop_.poller.add(self.socket_.fd(), self.watched_, self)) self.close();
}

void Connection::finish() {
  if (closed_) return;
  attempt([&] {
    if (!throttled()) on_readable();
    ended_ = true;
    advance();
  });
}

void Connection::close() {
  if (closed_) return;
  const auto alive = std::move(self_);
  closed_ = true;
  loop_.poller.remove(socket_.fd(), *this);
  socket_ = Socket();
  loop_.forget(*this);
  if (buffers_) loop_.account(*this, buffers_->accounted, 0);
}

void Connection::drop() {
  if (closed_) return;
  int unread = 0;
  const bool long_ago = loop_.poller.now() - since_ >= loop_.settings.write_crowded;
  if (phase_ == Phase::writing || (long_ago && ::ioctl(socket_.fd(), SIOCOUTQ, &unread) == 0 && unread > 0)) {
    const linger reset{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  close();
}

template <class Act>
void Connection::attempt(Act act) {
  const auto alive = self_;
  try {
    act();
  } catch (const std::bad_alloc&) {
    loop_.answers_size = 0;
    drop();
  }
}

void Connection::on_ready(std::uint32_t events) {
  attempt([&] {
    if ((events & (EPOLLHUP | EPOLLERR)) != 0) return close();
    half_closed_ = half_closed_ || (events & EPOLLRDHUP) != 0;
    if ((events & (EPOLLIN | EPOLLRDHUP)) != 0 && !queued_) more_ = on_readable();
    advance();
  });
}

void Connection::go_on() {
  queued_ = false;
  if (closed_) return;
  attempt([&] {
    more_ = on_readable();
    advance();
  });
}

bool Connection::expendable() const {
  if (phase_ == Phase::writing) return loop_.poller.now() - since_ >= loop_.settings.write_crowded;
  return phase_ != Phase::waiting;
}

bool Connection::throttled() const { return in_flight_ >= loop_.settings.max_in_flight || !output().empty(); }

bool Connection::on_readable() {
  if (closed_ || ended_) return false;
  if (throttled()) return true;
  const std::size_t most = was_served_ ? loop_.received.size() : first_read;
  const ssize_t count = receive_some(socket_.fd(), std::span(loop_.received).first(most));
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (count < 0) {
    close();
    return false;
  }
  if (count == 0) {
    ended_ = true;
    return false;
  }
  std::span<const std::uint8_t> bytes(loop_.received.data(), static_cast<std::size_t>(count));
  // Less than asked for is all there is, but for the end of the stream, of which we were told before.
  const bool more = bytes.size() == most || half_closed_;
  if (input().empty()) bytes = bytes.subspan(take_messages(bytes));
  if (!bytes.empty()) keep_input(bytes);
  return more;
}

void Connection::advance() {
  flush();
  while (!closed_ && !input().empty()) {
    const std::size_t used = take_messages(input());
    if (used == 0) break;
    buffers_->input_at += used;
    flush();
  }
  if (closed_) return;
  if (ended_ && in_flight_ == 0 && output().empty()) return close();
  settle();
  if (!closed_) watch();
}

void Connection::settle() {
  if (buffers_) {
    Buffers& both = *buffers_;
    const bool empty = input().empty() && output().empty();
    loop_.account(*this, both.accounted, empty ? 0 : both.input.capacity() + both.output.capacity());
    if (closed_) return;
    if (empty) buffers_.reset();
  }
  const Phase phase = !output().empty()             ? Phase::writing
                      : throttled()                 ? Phase::waiting
                      : !input().empty() && !ended_ ? Phase::reading
                      : in_flight_ > 0              ? Phase::waiting
                      : was_served_                 ? Phase::idle
                                                    : Phase::fresh;
  const bool progress = phase == Phase::writing ? sent_ : took_;
  if (phase != phase_ || progress) loop_.enter(*this, phase);
  took_ = sent_ = false;
}

void Connection::watch() {
  const std::uint32_t wanted = (throttled() || ended_ ? 0u : EPOLLIN) | (output().empty() ? 0u : EPOLLOUT);
  if (wanted != watched_) {
    watched_ = wanted;
    loop_.poller.change(socket_.fd(), wanted, *this); // which tells of what is there, too
  } else if (more_ && !queued_ && (wanted & EPOLLIN) != 0) {
    loop_.unfinished.push_back(self_);
    queued_ = true;
  }
}

std::size_t Connection::take_messages(std::span<const std::uint8_t> bytes) {
  std::size_t used = 0;
  served_->serving.keepalive = static_cast<std::uint16_t>(std::min<long>(0xffff, loop_.idle_limit() / keepalive_unit));
  while (bytes.size() - used >= length_octets && !throttled() && loop_.answers_size < loop_.settings.max_output) {
    const std::size_t length = wire::load16(&bytes[used]);
    if (length < header_octets) { // no way to answer, and what follows cannot be trusted to be a message
      ended_ = true;
      used = bytes.size();
      break;
    }
    if (bytes.size() - used < length_octets + length) break;
    serve_message(bytes.subspan(used + length_octets, length));
    used += length_octets + length;
  }
  if (used > 0) took_ = was_served_ = true;
  return used;
}

const sockaddr* Connection::peer(sockaddr_storage& storage) const {
  storage = {};
  socklen_t length = sizeof storage;
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  ::getpeername(socket_.fd(), address, &length);
  return address;
}

void Connection::serve_message(std::span<const std::uint8_t> message) {
  Serving& serving = served_->serving;
  std::uint8_t* const place = loop_.answers.data() + loop_.answers_size;
  const std::span<std::uint8_t> buffer(place + length_octets, message_room);
  std::memcpy(buffer.data(), message.data(), message.size());
  Counters& counters = serving.counters;
  counters.queries.add();
  counters.query_octets.sum.add(message.size());
  serving.later = false;
  const std::size_t length = serve(serving, buffer, message.size(), ReplyToConnection{*this, loop_});
  if (serving.later) ++in_flight_;
  counters.reply_octets.sum.add(length);
  if (serving.router.logs()) {
    sockaddr_storage storage;
    log_query(serving, peer(storage), buffer.first(length));
  }
  if (length == 0) return;
  wire::store16(place, static_cast<std::uint16_t>(length));
  loop_.answers_size += length_octets + length;
}

void Connection::on_late(std::span<const std::uint8_t> reply) {
  if (closed_) return;
  if (in_flight_ > 0) --in_flight_;
  if (phase_ != Phase::reading) took_ = true; // for the rest of a message it is no progress
  if (!reply.empty() && reply.size() <= largest_message) {
    std::uint8_t* const place = loop_.answers.data();
    wire::store16(place, static_cast<std::uint16_t>(reply.size()));
    std::copy(reply.begin(), reply.end(), place + length_octets);
    loop_.answers_size = length_octets + reply.size();
  }
  attempt([&] { advance(); });
}

std::size_t Connection::send(std::span<const std::uint8_t> bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t count = send_some(socket_.fd(), bytes.subspan(sent));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      if (errno != EAGAIN) close();
      break;
    }
    sent += static_cast<std::size_t>(count);
    sent_ = true;
  }
  return sent;
}

void Connection::flush() {
  const std::span<const std::uint8_t> answers(loop_.answers.data(), std::exchange(loop_.answers_size, 0));
  if (!output().empty()) {
    buffers_->output_at += send(output());
    if (closed_) return;
    if (output().empty()) {
      buffers_->output.clear();
      buffers_->output_at = 0;
    }
  }
  if (answers.empty()) return;
  const std::size_t sent = output().empty() ? send(answers) : 0;
  if (!closed_ && sent < answers.size()) keep_output(answers.subspan(sent));
}

Connection::Buffers& Connection::buffers() {
  if (!buffers_) buffers_ = std::make_unique<Buffers>();
  return *buffers_;
}

void Connection::keep_input(std::span<const std::uint8_t> bytes) {
  Buffers& both = buffers();
  both.input.erase(both.input.begin(), both.input.begin() + static_cast<std::ptrdiff_t>(both.input_at));
  both.input_at = 0;
  both.input.insert(both.input.end(), bytes.begin(), bytes.end());
}

void Connection::keep_output(std::span<const std::uint8_t> bytes) {
  Buffers& both = buffers();
  both.output.insert(both.output.end(), bytes.begin(), bytes.end());
}

std::span<const std::uint8_t> Connection::input() const {
  return buffers_ ? std::span<const std::uint8_t>(buffers_->input).subspan(buffers_->input_at)
                  : std::span<const std::uint8_t>();
}

std::span<const std::uint8_t> Connection::output() const {
  return buffers_ ? std::span<const std::uint8_t>(buffers_->output).subspan(buffers_->output_at)
                  : std::span<const std::uint8_t>();
}

} // namespace signpost::server
