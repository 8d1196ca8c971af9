#include "server/listen/connection.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstring>

namespace signpost::server {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t length_octets = 2;
constexpr std::size_t header_octets = 12; // less is no DNS message at all
constexpr std::size_t kept_octets = 4096; // capacity that an empty buffer may keep

/// The thread as a reader of the index, for as long as this lives.
class Reading {
public:
  explicit Reading(zone::ReaderThread& reader) : reader_(reader) { reader_.online(); }
  ~Reading() { reader_.offline(); }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

private:
  zone::ReaderThread& reader_;
};

void drop_front(std::vector<std::uint8_t>& buffer, std::size_t count) {
  buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(count));
  if (buffer.empty() && buffer.capacity() > kept_octets) buffer.shrink_to_fit();
}

} // namespace

Connection::Connection(TcpLoop& loop, asio::ip::tcp::socket socket, Serving& serving, const Source& source)
    : loop_(loop), socket_(std::move(socket)), serving_(serving), source_(source), active_since_(Clock::now()) {}

void Connection::start() {
  self_ = shared_from_this();
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  wait_readable();
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
  error_code ignored;
  socket_.close(ignored);
  loop_.account(buffered_, 0);
  loop_.forget(*this);
  self_.reset(); // last: handlers that are cancelled now may hold the object a little longer
}

bool Connection::expired(Clock::time_point now) const {
  const TcpSettings& settings = loop_.settings;
  if (pending() > 0 && now - write_since_ >= settings.write) return true;
  if (!input_.empty() && !throttled()) return now - message_since_ >= settings.message;
  if (!idle()) return false; // the answers in flight have a deadline of their own
  if (!was_served_) return now - active_since_ >= settings.message;
  return now - active_since_ >= (loop_.crowded() ? std::min(settings.idle_crowded, settings.idle) : settings.idle);
}

bool Connection::throttled() const {
  return in_flight_ >= loop_.settings.max_in_flight || pending() >= loop_.settings.max_output;
}

void Connection::wait_readable() {
  waits_readable_ = true;
  socket_.async_wait(asio::ip::tcp::socket::wait_read, [self = shared_from_this()](error_code error) {
    self->waits_readable_ = false;
    if (self->closed_) return;
    if (error) return self->close();
    self->on_readable();
    self->advance();
  });
}

void Connection::wait_writable() {
  waits_writable_ = true;
  socket_.async_wait(asio::ip::tcp::socket::wait_write, [self = shared_from_this()](error_code error) {
    self->waits_writable_ = false;
    if (self->closed_) return;
    if (error) return self->close();
    self->advance();
  });
}

void Connection::on_readable() {
  if (closed_ || ended_) return;
  error_code error;
  const std::size_t count = socket_.read_some(asio::buffer(loop_.received), error);
  if (error == asio::error::would_block || error == asio::error::interrupted) return;
  if (error) { // the end of the stream, or of the connection
    ended_ = true;
    if (error != asio::error::eof) close();
    return;
  }
  std::span<const std::uint8_t> bytes(loop_.received.data(), count);
  if (input_.empty()) {
    bytes = bytes.subspan(take_messages(bytes));
    if (!bytes.empty()) message_since_ = Clock::now();
  }
  input_.insert(input_.end(), bytes.begin(), bytes.end());
}

void Connection::advance() {
  while (!closed_) {
    std::size_t used = 0;
    if (!input_.empty()) {
      used = take_messages(input_);
      if (used > 0) {
        drop_front(input_, used);
        message_since_ = Clock::now();
      }
    }
    flush();
    if (used == 0 || input_.empty()) break;
  }
  if (closed_) return;
  if (ended_ && idle()) return close();
  if (!loop_.account(buffered_, input_.capacity() + output_.capacity())) return close();
  if (throttled()) {
    held_back_ = true;
  } else if (!ended_ && !waits_readable_) {
    if (held_back_) message_since_ = Clock::now(); // we did not read: the client is not late
    held_back_ = false;
    wait_readable();
  }
  if (pending() > 0 && !waits_writable_) wait_writable();
}

std::size_t Connection::take_messages(std::span<const std::uint8_t> bytes) {
  std::size_t used = 0;
  while (bytes.size() - used >= length_octets && !throttled()) {
    const std::size_t length = std::size_t{bytes[used]} << 8 | bytes[used + 1];
    if (length < header_octets) { // no way to answer, and what follows cannot be trusted to be a message
      ended_ = true;
      return bytes.size();
    }
    if (bytes.size() - used < length_octets + length) break;
    serve_message(bytes.subspan(used + length_octets, length));
    used += length_octets + length;
  }
  return used;
}

const sockaddr* Connection::peer(sockaddr_storage& storage) const {
  storage = {};
  socklen_t length = sizeof storage;
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  ::getpeername(const_cast<asio::ip::tcp::socket&>(socket_).native_handle(), address, &length);
  return address;
}

/// Where the late answer to a message goes, and who asks.
struct Connection::ReplyToConnection {
  Connection& connection;
  TcpLoop& loop;

  ReplyTo operator()() const {
    ReplyTo to;
    to.tcp = std::make_shared<std::function<void(std::span<const std::uint8_t>)>>(
        [loop = loop.shared_from_this(), self = connection.weak_from_this()](std::span<const std::uint8_t> reply) {
          asio::post(loop->io, [self, bytes = std::vector<std::uint8_t>(reply.begin(), reply.end())] {
            if (const auto alive = self.lock()) alive->on_late(bytes);
          });
        });
    return to;
  }
  const sockaddr* peer(sockaddr_storage& storage) const { return connection.peer(storage); }
};

void Connection::serve_message(std::span<const std::uint8_t> message) {
  was_served_ = true;
  active_since_ = Clock::now();
  loop_.touch(*this);
  std::memcpy(loop_.message.data(), message.data(), message.size());
  serving_.counters.queries.add();
  serving_.counters.query_octets.sum.add(message.size());
  serving_.later = false;
  const std::size_t length = [&] {
    const Reading reading(*loop_.reader);
    return serve(serving_, loop_.message, message.size(), false, ReplyToConnection{*this, loop_});
  }();
  if (serving_.later) ++in_flight_;
  serving_.counters.reply_octets.sum.add(length);
  if (serving_.router.logs()) {
    sockaddr_storage storage;
    log_query(serving_, peer(storage), {loop_.message.data(), length});
  }
  if (length > 0) append_reply({loop_.message.data(), length});
}

void Connection::on_late(std::span<const std::uint8_t> reply) {
  if (closed_) return;
  if (in_flight_ > 0) --in_flight_;
  active_since_ = Clock::now();
  if (!reply.empty()) append_reply(reply);
  advance();
}

void Connection::append_reply(std::span<const std::uint8_t> reply) {
  if (reply.size() > 0xFFFF) return;
  if (pending() == 0) write_since_ = Clock::now();
  output_.push_back(static_cast<std::uint8_t>(reply.size() >> 8));
  output_.push_back(static_cast<std::uint8_t>(reply.size()));
  output_.insert(output_.end(), reply.begin(), reply.end());
}

void Connection::flush() {
  while (pending() > 0) {
    error_code error;
    const std::size_t count = socket_.write_some(asio::buffer(output_.data() + output_at_, pending()), error);
    if (error == asio::error::interrupted) continue;
    if (error == asio::error::would_block) return;
    if (error) return close();
    output_at_ += count;
    write_since_ = active_since_ = Clock::now();
  }
  output_at_ = 0;
  output_.clear();
  if (output_.capacity() > kept_octets) output_.shrink_to_fit();
}

} // namespace signpost::server
