#include "discovery/api/session.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <ctime>
#include <fmt/format.h>

#include "discovery/api/gzip.hpp"
#include "discovery/api/negotiation.hpp"
#include "discovery/api/reply_format.hpp"
#include "discovery/api/status_json.hpp"

namespace signpost::api {
namespace {

namespace asio = boost::asio;
using Error = boost::system::error_code;

constexpr std::size_t kept_input = 512; // octets of room for the next request's head
constexpr std::size_t linger_bytes = 16 << 20;
constexpr std::size_t finished_here = 32 << 10; // larger answers are translated and compressed on another thread
constexpr std::size_t piece_room = 8 << 10;     // for what the last object of a piece is over it
constexpr unsigned steps_a_turn = 4;            // of a watch with much to say; then others have theirs
constexpr std::chrono::milliseconds linger_time{2'000};
constexpr std::chrono::milliseconds memory_pause{100};
constexpr std::chrono::milliseconds rest_after{250}; // without progress of the reader
constexpr std::chrono::milliseconds answer_timeout{60'000};

std::string_view reason_phrase(int status) {
  switch (status) {
  case 200: return "OK";
  case 201: return "Created";
  case 202: return "Accepted";
  case 400: return "Bad Request";
  case 403: return "Forbidden";
  case 404: return "Not Found";
  case 405: return "Method Not Allowed";
  case 406: return "Not Acceptable";
  case 409: return "Conflict";
  case 410: return "Gone";
  case 413: return "Request Entity Too Large";
  case 414: return "URI Too Long";
  case 415: return "Unsupported Media Type";
  case 417: return "Expectation Failed";
  case 422: return "Unprocessable Entity";
  case 429: return "Too Many Requests";
  case 431: return "Request Header Fields Too Large";
  case 500: return "Internal Server Error";
  case 501: return "Not Implemented";
  case 503: return "Service Unavailable";
  case 504: return "Gateway Timeout";
  case 505: return "HTTP Version Not Supported";
  default: return "Error";
  }
}

/// RFC 9110, 5.6.7; made once a second.
const std::string& http_date() {
  thread_local std::time_t made = -1;
  thread_local std::string text;
  if (const std::time_t now = std::time(nullptr); now != made) {
    std::tm utc{};
    gmtime_r(&now, &utc);
    char buffer[40];
    const std::size_t length = std::strftime(buffer, sizeof buffer, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    text.assign(buffer, length);
    made = now;
  }
  return text;
}

Reply plain_error(const HeadError& error) {
  Reply reply =
      text_reply(error.status, fmt::format("{} {}: {}\n", error.status, reason_phrase(error.status), error.message));
  reply.close = true;
  return reply;
}

/// Posts from a thread that must not throw: memory is waited for.
template <class Task>
void post_surely(asio::io_context& io, Task task) {
  while (true) {
    try {
      return asio::post(io, task);
    } catch (const std::bad_alloc&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
}

registry::Status forbidden_origin(std::string_view what) {
  registry::Status status;
  status.code = 403;
  status.reason = "Forbidden";
  status.message = fmt::format("requests are served to this machine's own programs only: {}", what);
  status.has_details = true;
  return status;
}

} // namespace

Session::Session(Loop& loop, asio::ip::tcp::socket socket) : loop_(loop), socket_(std::move(socket)), timer_(loop.io) {
  ++counters().connections;
  ++counters().connections_total;
  ++loop_.connections_;
}

Session::~Session() {
  counters().bodies_bytes -= body_bytes_;
  --counters().connections;
  --loop_.connections_;
}

void Session::join(const Crowd::Source& source) {
  member_.emplace(loop_.shared->crowd, source, [weak = weak_from_this(), loop = loop_.weak_from_this()] {
    const auto alive = loop.lock();
    if (!alive) return;
    post_surely(alive->io, [weak] {
      if (const auto self = weak.lock()) self->close();
    });
  });
}

void Session::start() {
  place_ = loop_.sessions_.insert(loop_.sessions_.end(), weak_from_this());
  asio::co_spawn(
      loop_.io, [self = shared_from_this()]() -> Wait { return self->serve(); },
      [self = shared_from_this()](const std::exception_ptr&) {
        self->close(); // whatever a library threw ends this connection alone
        self->loop_.sessions_.erase(self->place_);
      });
}

void Session::close() {
  if (closed_) return;
  closed_ = true;
  Error ignored;
  if (reset_ || unsent_ != 0) socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
  signal();
}

void Session::tick(Clock::time_point now) {
  if (deadline_ <= now) return close();
  if (unsent_ == 0 || now - last_progress_ < rest_after) return;
  if (draining_) return close();
  if (stream_ != nullptr) stream_->rest();
  if (feed_ != nullptr) feed_->rest();
  hold(unsent_);
}

/// What it holds can be given up by sending it, and not otherwise.
bool Session::holds_for_good() const {
  return (stream_ != nullptr && stream_->held() != 0) || (feed_ != nullptr && feed_->held() != 0);
}

void Session::hold(std::size_t output) {
  member_->hold(output + (stream_ != nullptr ? stream_->held() : 0) + (feed_ != nullptr ? feed_->held() : 0));
}

void Session::drain() {
  draining_ = true;
  if (idle_)
    close();
  else if (feed_ != nullptr)
    signal();
}

void Session::wake_watch() {
  if (feed_ != nullptr && feed_->pending()) signal();
}

void Session::signal() {
  signalled_ = true;
  timer_.cancel();
}

Session::Wait Session::wait(std::optional<Clock::time_point> until) {
  if (!signalled_) {
    timer_.expires_at(until.value_or(Clock::time_point::max()));
    Error ignored;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  signalled_ = false;
}

Session::Awaitable<bool> Session::elsewhere(std::function<void()> work) {
  struct Task {
    bool finished = false, done = false;
  } task; // stays until it has finished
  signalled_ = false;
  loop_.shared->readers.post(
      [self = shared_from_this(), loop = loop_.shared_from_this(), work = std::move(work), &task]() mutable {
        bool done = false;
        if (!self->closed_) {
          try {
            work();
            done = true;
          } catch (const std::exception&) { // no memory, most likely
          }
        }
        post_surely(loop->io, [self = std::move(self), &task, done] {
          task = {true, done};
          self->signal();
        });
      });
  while (!task.finished) co_await wait();
  co_return task.done && !closed_;
}

Session::Wait Session::wait_for_memory() {
  if (stream_ != nullptr) stream_->rest();
  if (feed_ != nullptr) feed_->rest();
  hold(0);
  while (!closed_ && !peer_gone_ && loop_.shared->crowd.holds_too_much()) {
    loop_.shared->crowd.relieve();
    if (holds_for_good()) co_return;
    co_await wait(Clock::now() + memory_pause);
  }
}

Session::Awaitable<bool> Session::more_for_reader(std::function<void()> work) {
  const Crowd& crowd = loop_.shared->crowd;
  bool refused = true, waited = false;
  while (refused && !closed_ && !peer_gone_) {
    // Judged where the work is done, one after the other: all who wait for it would find that there is room.
    std::function<void()> judged = [&] {
      if (peer_gone_) return; // a page of what was long ago is much work for nobody
      refused = crowd.holds_too_much() && !(waited && holds_for_good());
      if (!refused) work();
    };
    const bool done = co_await elsewhere(std::move(judged));
    if (!done) co_return false;
    if (refused) co_await wait_for_memory();
    waited = true;
  }
  co_return !closed_ && !peer_gone_;
}

Session::Awaitable<bool> Session::read_more() {
  Error error;
  std::size_t count = 0;
  do { // a connection that says nothing has no buffer
    co_await socket_.async_wait(asio::ip::tcp::socket::wait_read, asio::redirect_error(asio::use_awaitable, error));
    if (error || closed_) co_return false;
    count = socket_.read_some(asio::buffer(loop_.input_), error);
  } while (error == asio::error::would_block);
  if (!error) input_.append(loop_.input_.data(), count);
  co_return !error && count != 0 && !closed_;
}

Session::Awaitable<bool> Session::read_head(Head& head, std::string& text) {
  std::size_t searched = 0;
  bool began = false;
  while (true) {
    // An empty line before a request is forgiven, once (RFC 9112, 2.2).
    if (!began && input_.starts_with("\r\n")) input_.erase(0, 2);
    const std::size_t end = input_.find("\r\n\r\n", searched);
    if (end != std::string::npos && end + 4 <= settings().max_header_bytes) {
      text = input_.substr(0, end + 4);
      input_.erase(0, end + 4);
      const auto parsed = parse_head(text);
      if (parsed) {
        head = *parsed;
        co_return true;
      }
      Reply refusal = plain_error(parsed.error());
      co_await refuse(std::move(refusal));
      co_return false;
    }
    if (!input_.empty()) {
      if (!began) {
        began = true;
        idle_ = false;
        set_deadline(settings().header_timeout);
      }
      if (const auto checked = check_beginning(input_); !checked) {
        Reply refusal = plain_error(checked.error());
        co_await refuse(std::move(refusal));
        co_return false;
      }
      if (end != std::string::npos || input_.size() > settings().max_header_bytes) {
        Reply refusal = plain_error(HeadError{431, "the request's head is too large"});
        co_await refuse(std::move(refusal));
        co_return false;
      }
    }
    searched = input_.size() < 3 ? 0 : input_.size() - 3;
    if (!co_await read_more()) co_return false;
  }
}

Session::Awaitable<bool> Session::read_body(const Head& head, std::string_view text, std::string& body) {
  if (!head.chunked && head.content_length.value_or(0) == 0) co_return true;
  set_deadline(settings().body_timeout);
  member_->enter(Crowd::Phase::reading);
  Reply too_large = status_reply(body_too_large(settings().max_body_bytes));
  if (head.content_length.value_or(0) > settings().max_body_bytes) {
    co_await refuse(std::move(too_large));
    co_return false;
  }
  if (head.expect_continue && input_.empty() && !co_await write("HTTP/1.1 100 Continue\r\n\r\n")) co_return false;
  MessageBody message(text, settings().max_body_bytes);
  while (true) {
    const MessageBody::State state = message.take(input_);
    const std::size_t grown = message.size() - body_bytes_;
    body_bytes_ += grown;
    hold(body_bytes_);
    const std::size_t all = counters().bodies_bytes.fetch_add(grown) + grown;
    if (state == MessageBody::State::done) break;
    if (state == MessageBody::State::malformed) {
      Reply refusal = plain_error(HeadError{400, "malformed body"});
      co_await refuse(std::move(refusal));
      co_return false;
    }
    if (state == MessageBody::State::too_large) {
      co_await refuse(std::move(too_large));
      co_return false;
    }
    if (all > settings().max_bodies_bytes) {
      registry::Status busy;
      busy.code = 429;
      busy.reason = "TooManyRequests";
      busy.message = "too many large requests at a time; try again";
      busy.has_details = true;
      busy.retry_after_seconds = 1;
      Reply refusal = status_reply(busy);
      co_await refuse(std::move(refusal));
      co_return false;
    }
    if (!co_await read_more()) co_return false;
  }
  body = message.release();
  co_return true;
}

std::optional<Reply> Session::refuse_head(const Head& head) const {
  if (!settings().local_only) return std::nullopt;
  if (head.has_origin) return status_reply(forbidden_origin("the request has an Origin"));
  if ((head.minor == 1 || !head.host.empty()) && !is_loopback_host(head.host))
    return status_reply(forbidden_origin(fmt::format("Host is \"{}\"", head.host)));
  return std::nullopt;
}

Session::Wait Session::serve() {
  const auto self = shared_from_this();
  Error ignored;
  socket_.non_blocking(true, ignored);
  while (!closed_ && !draining_) {
    idle_ = input_.empty();
    if (idle_ && input_.capacity() > kept_input) input_ = std::string();
    member_->enter(Crowd::Phase::silent);
    hold(0);
    set_deadline(idle_ ? settings().idle_timeout : settings().header_timeout);
    Head head;
    std::string text;
    const bool has_head = co_await read_head(head, text);
    if (!has_head) co_return;
    idle_ = false;
    ++counters().requests;
    // Operands of co_await are named throughout: GCC 12 destroys some temporaries in them twice.
    if (auto refused = refuse_head(head)) {
      co_await refuse(std::move(*refused));
      co_return;
    }
    auto request = std::make_shared<Request>();
    const bool has_body = co_await read_body(head, text, request->body);
    if (!has_body) co_return;
    request->method = parse_method(head.method);
    request->accept = head.accept;
    request->content_type = head.content_type;
    member_->enter(Crowd::Phase::working);
    Reply reply;
    bool failed = false;
    set_deadline(answer_timeout);
    try {
      auto target = parse_target(head.target);
      if (target) {
        request->target = std::move(*target);
        reply = co_await answer(request);
      } else {
        reply = text_reply(400, "400 Bad Request: malformed path or query\n");
      }
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    if (failed) reply = no_memory_reply();
    if (reply.written != 0) tell_written(head, reply.written);
    request.reset();
    counters().bodies_bytes -= body_bytes_;
    body_bytes_ = 0;
    if (!reply.watch) {
      const bool packed = head.method != "HEAD" && accepts_gzip(head.accept_encoding);
      const bool large = reply.stream || reply.body.size() > finished_here;
      std::function<void()> work = [&reply, packed] {
        translate(reply);
        if (packed && (reply.stream || reply.body.size() > compressed_from)) compress(reply);
      };
      if (large && (packed || reply.wanted != Format::json)) {
        const bool done = co_await elsewhere(std::move(work));
        if (!done && !closed_) reply = no_memory_reply();
      } else {
        work();
      }
    }
    const bool written = co_await write_reply(reply, head);
    if (!written) co_return;
  }
  close();
}

void Session::tell_written(const Head& head, store::Revision revision) {
  if (!callbacks().written) return;
  Error gone;
  const auto peer = socket_.remote_endpoint(gone);
  const std::string address = gone ? std::string() : fmt::format("{}:{}", peer.address().to_string(), peer.port());
  callbacks().written(
      {.method = head.method, .target = head.target, .peer = address, .agent = head.user_agent, .revision = revision});
}

/// From where it is made on: those who make more look at what is held.
void Session::hold_reply(const Reply& reply) {
  member_->hold(reply.body.capacity() + (reply.stream ? reply.stream->held() : 0) +
                (reply.watch ? reply.watch->held() : 0));
}

Session::Awaitable<Reply> Session::answer(std::shared_ptr<Request> request) {
  // Shared, because a reply may still come after the connection has ended.
  struct Pending {
    Reply reply; // whoever makes it, before the loop's thread learns of it
    std::atomic<bool> made{false};
    bool come = false;
  };
  auto pending = std::make_shared<Pending>();
  signalled_ = false;
  const auto loop_thread = std::this_thread::get_id();
  ReplyCallback done = [pending, self = shared_from_this(), loop = loop_.shared_from_this(),
                        loop_thread](Reply reply) mutable {
    if (std::this_thread::get_id() == loop_thread) {
      pending->reply = std::move(reply);
      pending->come = true;
      self->signal();
      return;
    }
    if (pending->made.exchange(true)) return;
    self->hold_reply(reply);
    pending->reply = std::move(reply);
    post_surely(loop->io, [pending, self] {
      pending->come = true;
      self->signal();
    });
  };
  Responder& responder = *loop_.shared->responder;
  if (responder.is_long(*request)) {
    std::function<void()> work = [&responder, request, done = std::move(done)] {
      try {
        responder.handle(request, done);
      } catch (const std::bad_alloc&) {
        done(no_memory_reply());
      }
    };
    const bool handled = co_await more_for_reader(std::move(work));
    if (!handled && !closed_) co_return no_memory_reply();
  } else {
    responder.handle(request, std::move(done));
  }
  while (!pending->come && !closed_) co_await wait();
  co_return std::move(pending->reply);
}

void Session::count(int status) {
  if (status >= 500)
    ++counters().server_errors;
  else if (status >= 400)
    ++counters().client_errors;
}

std::string Session::reply_head(const Reply& reply, bool keep_alive, bool chunked, bool sized) const {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nCache-Control: no-cache, private\r\n"
                                "X-Content-Type-Options: nosniff\r\nDate: {}\r\n",
                                reply.status, reason_phrase(reply.status), reply.content_type, http_date());
  for (const auto& [name, value] : reply.headers) out += fmt::format("{}: {}\r\n", name, value);
  if (chunked)
    out += "Transfer-Encoding: chunked\r\n";
  else if (sized)
    out += fmt::format("Content-Length: {}\r\n", reply.body.size());
  out += keep_alive ? "\r\n" : "Connection: close\r\n\r\n";
  return out;
}

Session::Awaitable<bool> Session::write_reply(Reply& reply, const Head& head) {
  count(reply.status);
  const bool unsized_body = reply.stream != nullptr || reply.watch != nullptr;
  const bool chunked = unsized_body && head.minor == 1;
  const bool keep = head.keep_alive && !reply.close && !draining_ && (!unsized_body || chunked);
  if (reply.watch && !chunked) {
    Reply refusal = plain_error(HeadError{400, "a watch needs HTTP/1.1"});
    co_await refuse(std::move(refusal));
    co_return false;
  }
  std::string text = reply_head(reply, keep && !reply.watch, chunked, !unsized_body);
  if (head.minor == 0 && keep) text.insert(text.size() - 2, "Connection: keep-alive\r\n");
  std::array<asio::const_buffer, 2> parts{asio::buffer(text), asio::buffer(reply.body)};
  const std::span<asio::const_buffer> sent = std::span(parts).first(head.method == "HEAD" ? 1 : 2);
  set_deadline(settings().write_timeout);
  const bool written = co_await write(sent, text.size() + reply.body.capacity());
  if (!written) co_return false;
  if (reply.watch) {
    co_await write_watch(*reply.watch);
    close();
    co_return false;
  }
  if (reply.stream) {
    const bool streamed = co_await write_stream(*reply.stream, chunked);
    if (!streamed) {
      close();
      co_return false;
    }
  }
  if (!keep) {
    co_await linger();
    co_return false;
  }
  co_return true;
}

Session::Awaitable<bool> Session::write(std::string_view text) {
  std::array<asio::const_buffer, 1> parts{asio::buffer(text.data(), text.size())};
  co_return co_await write(parts, text.size());
}

void Session::stalled(std::size_t held) {
  unsent_ = std::max<std::size_t>(1, held);
  last_progress_ = Clock::now();
  set_deadline(settings().write_timeout);
  member_->enter(Crowd::Phase::sending);
  hold(unsent_);
}

/// At once as far as the kernel takes it, which is all of it for who reads; then as the reader goes on.
Session::Awaitable<bool> Session::write(std::span<asio::const_buffer> parts, std::size_t held) {
  Error error;
  bool progress = true;
  while (!closed_) {
    std::size_t sent = socket_.write_some(parts, error);
    progress = progress || sent != 0;
    while (!parts.empty() && sent >= parts.front().size()) {
      sent -= parts.front().size();
      parts = parts.subspan(1);
    }
    if (parts.empty()) break;
    parts.front() += sent;
    if (!error) continue;
    if (error != asio::error::would_block) break;
    if (progress) stalled(held);
    progress = false;
    co_await socket_.async_wait(asio::ip::tcp::socket::wait_write, asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
  }
  if (parts.empty() && unsent_ != 0) {
    unsent_ = 0;
    hold(0);
    member_->enter(feed_ != nullptr ? Crowd::Phase::watching : Crowd::Phase::working);
  }
  co_return parts.empty() && !closed_;
}

Session::Awaitable<bool> Session::write_stream(Stream& stream, bool chunked) {
  stream_ = &stream;
  const auto ended = [this](bool well) {
    stream_ = nullptr;
    hold(0);
    return well;
  };
  auto step = Stream::Step::more;
  while (step == Stream::Step::more) {
    set_deadline(answer_timeout);
    std::string piece;
    std::function<void()> work = [&] {
      piece.reserve(piece_bytes + piece_room);
      step = stream.next(piece);
      hold(piece.capacity());
    };
    const bool done = co_await more_for_reader(std::move(work));
    if (!done || step == Stream::Step::failed) co_return ended(false);
    const std::string before = chunked && !piece.empty() ? fmt::format("{:x}\r\n", piece.size()) : std::string();
    std::string_view behind = before.empty() ? "" : "\r\n";
    if (step == Stream::Step::done && chunked) behind = before.empty() ? "0\r\n\r\n" : "\r\n0\r\n\r\n";
    std::array<asio::const_buffer, 3> parts{asio::buffer(before), asio::buffer(piece), asio::buffer(behind)};
    set_deadline(settings().write_timeout);
    const bool written = co_await write(parts, piece.capacity());
    if (!written) co_return ended(false);
  }
  co_return ended(true);
}

Session::Awaitable<bool> Session::write_frames(const WatchFeed::Frames& frames) {
  std::vector<asio::const_buffer> buffers;
  buffers.reserve(frames.size());
  std::size_t held = 0; // of frames that are shared a part
  for (const auto& frame : frames) {
    buffers.push_back(asio::buffer(*frame));
    held += frame->size() / static_cast<std::size_t>(std::max(1L, frame.use_count()));
  }
  set_deadline(settings().write_timeout);
  const bool written = co_await write(buffers, held);
  deadline_ = Clock::time_point::max();
  co_return written;
}

void Session::watch_for_end() {
  socket_.async_wait(asio::ip::tcp::socket::wait_read, [self = shared_from_this()](const Error& error) {
    if (error || self->feed_ == nullptr) return;
    char byte = 0;
    Error peeked;
    const std::size_t count = self->socket_.receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, peeked);
    // Something to read is a request that has to wait; it is looked at when the watch has ended.
    if (count != 0 || peeked == asio::error::would_block) return;
    self->peer_gone_ = true;
    self->signal();
  });
}

Session::Wait Session::write_watch(WatchFeed& feed) {
  feed_ = &feed;
  ++counters().watches;
  watch_for_end();
  deadline_ = Clock::time_point::max();
  const Clock::time_point end = Clock::now() + feed.timeout();
  Clock::time_point bookmark_at = Clock::now() + settings().bookmark_every;
  member_->enter(Crowd::Phase::watching);
  WatchFeed::Frames frames;
  bool over = false;
  for (unsigned steps = 1; !over && !closed_ && !peer_gone_; ++steps) {
    frames.clear();
    const std::uint64_t before = feed.events();
    auto step = WatchFeed::Step::idle;
    if (feed.reads_database()) {
      std::function<void()> work = [&] {
        step = feed.next(frames);
        hold(frames.empty() ? 0 : frames.front()->capacity());
      };
      const bool done = co_await more_for_reader(std::move(work));
      if (!done) break;
    } else {
      step = feed.next(frames);
    }
    counters().watch_events += feed.events() - before;
    if (step == WatchFeed::Step::cut) {
      ++counters().watches_cut;
      reset_ = true;
      break;
    }
    const Clock::time_point now = Clock::now();
    over = step == WatchFeed::Step::ended || now >= end || (draining_ && step == WatchFeed::Step::idle);
    if (over || (step == WatchFeed::Step::idle && now >= bookmark_at)) {
      if (step == WatchFeed::Step::idle) feed.bookmark(frames);
      bookmark_at = now + settings().bookmark_every;
    }
    if (over) frames.push_back(std::make_shared<const std::string>("0\r\n\r\n"));
    if (!frames.empty()) {
      const bool written = co_await write_frames(frames);
      if (!written) break;
    } else if (step == WatchFeed::Step::idle) {
      steps = 0;
      co_await wait(std::min(end, bookmark_at));
    }
    if (steps % steps_a_turn == 0 && steps != 0) co_await asio::post(loop_.io, asio::use_awaitable);
  }
  feed_ = nullptr;
  hold(0);
  --counters().watches;
}

Session::Wait Session::refuse(Reply reply) {
  count(reply.status);
  set_deadline(settings().write_timeout);
  const std::string text = reply_head(reply, false, false, true) + reply.body;
  const bool written = co_await write(text);
  if (written)
    co_await linger();
  else
    close();
}

/// Closing with unread input would reset the connection, and the client might lose the answer.
Session::Wait Session::linger() {
  Error ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  set_deadline(linger_time);
  std::size_t left = linger_bytes;
  while (left != 0 && !closed_) {
    input_.clear();
    const bool read = co_await read_more();
    if (!read) break;
    left -= std::min(left, input_.size());
  }
  close();
}

} // namespace signpost::api
