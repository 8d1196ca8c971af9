#include "server/listen/connection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "zone/wire/octets.hpp"

namespace signpost::server {
namespace {

constexpr std::size_t length_octets = 2;
constexpr std::size_t header_octets = 12; // less is no DNS message at all
constexpr std::size_t kept_octets = 4096; // capacity that an empty buffer may keep
constexpr std::size_t largest_message = 65535;
constexpr std::size_t answer_room = largest_message + 1; // no message fills it
constexpr auto keepalive_unit = std::chrono::milliseconds(100);

void drop_front(std::vector<std::uint8_t>& buffer, std::size_t count) {
  buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(count));
  if (buffer.empty() && buffer.capacity() > kept_octets) buffer.shrink_to_fit();
}

} // namespace

/// Where the late answer to a message goes, and who asks.
struct Connection::ReplyToConnection {
  Connection& connection;
  TcpLoop& loop;

  ReplyTo operator()() const {
    ReplyTo to;
    to.tcp = std::make_shared<std::function<void(std::span<const std::uint8_t>)>>(
        [loop = loop.shared_from_this(), self = connection.weak_from_this()](std::span<const std::uint8_t> reply) {
          loop->poller.post([self, bytes = std::vector<std::uint8_t>(reply.begin(), reply.end())] {
            if (const auto alive = self.lock()) alive->on_late(bytes);
          });
        });
    return to;
  }
  const sockaddr* peer(sockaddr_storage& storage) const { return connection.peer(storage); }
};

Connection::Connection(TcpLoop& loop, Socket socket, std::shared_ptr<Served> served, const Source& source)
    : loop_(loop), socket_(std::move(socket)), served_(std::move(served)), serving_(served_->serving), source_(source),
      active_since_(loop.poller.now()) {}

void Connection::start() {
  self_ = shared_from_this();
  const int one = 1;
  ::setsockopt(socket_.fd(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  watched_ = EPOLLIN;
  if (!loop_.poller.add(socket_.fd(), watched_, *this)) close();
}

void Connection::finish() {
  if (closed_) return;
  if (!throttled()) on_readable();
  ended_ = true;
  advance();
}

void Connection::close() {
  if (closed_) return;
  closed_ = true;
  loop_.poller.remove(socket_.fd(), *this);
  socket_ = Socket();
  loop_.account(buffered_, 0);
  loop_.forget(*this);
  self_.reset(); // last: whoever called holds the object a little longer
}

void Connection::on_ready(std::uint32_t events) {
  const auto alive = self_;
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) return close();
  half_closed_ = half_closed_ || (events & EPOLLRDHUP) != 0;
  if ((events & (EPOLLIN | EPOLLRDHUP)) != 0) more_ = on_readable();
  advance();
}

bool Connection::expired(Clock::time_point now) const {
  const TcpSettings& settings = loop_.settings;
  if (pending() > 0 && now - write_since_ >= settings.write) return true;
  if (!input_.empty() && !throttled()) return now - message_since_ >= settings.message;
  if (!idle()) return false; // the answers in flight have a deadline of their own
  return now - active_since_ >= (was_served_ ? loop_.idle_limit() : std::min(settings.first, loop_.idle_limit()));
}

bool Connection::throttled() const {
  return in_flight_ >= loop_.settings.max_in_flight || pending() + loop_.answers_size >= loop_.settings.max_output;
}

bool Connection::on_readable() {
  if (closed_ || ended_) return false;
  if (throttled()) return true;
  const ssize_t count = ::recv(socket_.fd(), loop_.received.data(), loop_.received.size(), 0);
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
  // Less than the buffer holds is all there is, but for the end of the stream, of which we were told before.
  const bool more = bytes.size() == loop_.received.size() || half_closed_;
  if (input_.empty()) {
    bytes = bytes.subspan(take_messages(bytes));
    message_since_ = loop_.poller.now();
  }
  input_.insert(input_.end(), bytes.begin(), bytes.end());
  return more;
}

void Connection::advance() {
  flush();
  while (!closed_ && !input_.empty()) {
    const std::size_t used = take_messages(input_);
    if (used == 0) break;
    drop_front(input_, used);
    message_since_ = loop_.poller.now();
    flush();
  }
  if (closed_) return;
  if (ended_ && idle()) return close();
  if (!loop_.account(buffered_, input_.capacity() + output_.capacity())) return close();
  watch();
}

void Connection::watch() {
  const bool throttle = throttled();
  if (held_back_ && !throttle) message_since_ = loop_.poller.now(); // we did not read: the client is not late
  held_back_ = throttle;
  const std::uint32_t wanted = (throttle || ended_ ? 0u : EPOLLIN) | (pending() > 0 ? EPOLLOUT : 0u);
  if (wanted == watched_ && !more_) return;
  more_ = false;
  watched_ = wanted;
  loop_.poller.change(socket_.fd(), wanted, *this);
}

std::size_t Connection::take_messages(std::span<const std::uint8_t> bytes) {
  std::size_t used = 0;
  const auto has_room = [&] { return loop_.answers.size() - loop_.answers_size >= length_octets + answer_room; };
  while (bytes.size() - used >= length_octets && !throttled() && has_room()) {
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
  if (used > 0) {
    was_served_ = true;
    active_since_ = loop_.poller.now();
    loop_.touch(*this);
  }
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
  std::uint8_t* const place = loop_.answers.data() + loop_.answers_size;
  const std::span<std::uint8_t> buffer(place + length_octets, answer_room);
  std::memcpy(buffer.data(), message.data(), message.size());
  Counters& counters = serving_.counters;
  counters.queries.add();
  counters.query_octets.sum.add(message.size());
  serving_.later = false;
  serving_.keepalive = static_cast<std::uint16_t>(std::min<long>(0xffff, loop_.idle_limit() / keepalive_unit));
  const std::size_t length = serve(serving_, buffer, message.size(), ReplyToConnection{*this, loop_});
  if (serving_.later) ++in_flight_;
  counters.reply_octets.sum.add(length);
  if (serving_.router.logs()) {
    sockaddr_storage storage;
    log_query(serving_, peer(storage), buffer.first(length));
  }
  if (length == 0) return;
  wire::store16(place, static_cast<std::uint16_t>(length));
  loop_.answers_size += length_octets + length;
}

void Connection::on_late(std::span<const std::uint8_t> reply) {
  if (closed_) return;
  const auto alive = self_;
  if (in_flight_ > 0) --in_flight_;
  active_since_ = loop_.poller.now();
  if (!reply.empty() && reply.size() <= largest_message) {
    if (pending() == 0) write_since_ = loop_.poller.now();
    std::array<std::uint8_t, length_octets> length;
    wire::store16(length.data(), static_cast<std::uint16_t>(reply.size()));
    output_.insert(output_.end(), length.begin(), length.end());
    output_.insert(output_.end(), reply.begin(), reply.end());
  }
  advance();
}

std::size_t Connection::send(std::span<const std::uint8_t> bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t count = ::send(socket_.fd(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      if (errno != EAGAIN) close();
      break;
    }
    sent += static_cast<std::size_t>(count);
    write_since_ = active_since_ = loop_.poller.now();
  }
  return sent;
}

void Connection::send_answers() {
  const std::span<const std::uint8_t> answers(loop_.answers.data(), std::exchange(loop_.answers_size, 0));
  if (answers.empty()) return;
  const std::size_t sent = pending() == 0 ? send(answers) : 0;
  if (closed_ || sent == answers.size()) return;
  if (pending() == 0) write_since_ = loop_.poller.now();
  output_.insert(output_.end(), answers.begin() + static_cast<std::ptrdiff_t>(sent), answers.end());
}

void Connection::flush() {
  if (pending() > 0) {
    output_at_ += send(std::span(output_).subspan(output_at_));
    if (closed_) {
      loop_.answers_size = 0;
      return;
    }
    if (pending() == 0) {
      output_at_ = 0;
      output_.clear();
      if (output_.capacity() > kept_octets) output_.shrink_to_fit();
    }
  }
  send_answers();
}

} // namespace signpost::server
