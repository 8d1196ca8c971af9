// An HTTP request as the API's rules see it, and the reply they give: no sockets, no HTTP library.
//
// A session reads the one and writes the other; everything in between can be tested without a connection.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "discovery/api/negotiation.hpp"
#include "discovery/store/store.hpp"

namespace signpost::api {

enum class Method : std::uint8_t { get, head, post, put, patch, del, options, other };

[[nodiscard]] Method parse_method(std::string_view text);

/// Decodes %XX; '+' becomes a space only in queries. nullopt: a broken escape or a NUL byte.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

/// The query part of a target: names and values in order, decoded.
class Query {
public:
  /// nullopt: a broken escape, or more than 256 parameters.
  [[nodiscard]] static std::optional<Query> parse(std::string_view text);

  /// The first value; empty when absent.
  [[nodiscard]] std::string_view get(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;
  /// As strconv.ParseBool reads it, and a name without a value is true. Anything else is false.
  [[nodiscard]] bool flag(std::string_view name) const;

private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

struct Target {
  std::vector<std::string> segments; // of the path, decoded; none is empty or holds '/', NUL or control bytes
  Query query;
};

/// Splits an origin-form target ("/api/v1/services?watch=1"); one trailing slash is dropped. nullopt: not a path we
/// could serve (broken escapes, no leading slash).
[[nodiscard]] std::optional<Target> parse_target(std::string_view text);

struct Request {
  Method method = Method::get;
  Target target;
  std::string accept;
  std::string content_type;
  std::string body;
};

/// A stream's step ends when it has appended this much.
inline constexpr std::size_t piece_bytes = 64 << 10;

/// A body that is made while it is sent.
class Stream {
public:
  virtual ~Stream() = default;
  /// Appends the next piece, of piece_bytes or what the last object is over them; or nothing, if that much work has
  /// gone by without any. done: this was the last; failed: the connection must be cut, so that the client does not take
  /// the part for the whole.
  enum class Step : std::uint8_t { more, done, failed };
  virtual Step next(std::string& out) = 0;
  /// The reader has stopped: lets go of what can be made again.
  virtual void rest() {}
  /// Octets of what is kept for the pieces to come.
  [[nodiscard]] virtual std::size_t held() const { return 0; }
};

/// What was read of a stream already, then the rest of it; nullptr: it has failed there.
class ResumedStream final : public Stream {
public:
  ResumedStream(std::string begin, std::unique_ptr<Stream> rest) : begin_(std::move(begin)), rest_(std::move(rest)) {}
  Step next(std::string& out) override;
  void rest() override {
    if (rest_) rest_->rest();
  }
  [[nodiscard]] std::size_t held() const override { return begin_.capacity() + (rest_ ? rest_->held() : 0); }

private:
  std::string begin_;
  std::unique_ptr<Stream> rest_;
};

class WatchFeed;

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers; // further ones
  std::string body;
  std::unique_ptr<Stream> stream;   // instead of body
  std::unique_ptr<WatchFeed> watch; // instead of body
  bool close = false;               // end the connection afterwards
  store::Revision written = 0;      // of what the request wrote (or found as it wanted it); 0: it wrote nothing
  Format wanted = Format::json;     // what a body in JSON is to be translated to

  Reply();
  Reply(Reply&&) noexcept;
  Reply& operator=(Reply&&) noexcept;
  ~Reply();
};

using ReplyCallback = std::function<void(Reply)>;

/// 503, after which the connection ends.
[[nodiscard]] Reply no_memory_reply();

/// Replies with what `make` makes of a result, or that there was no memory for it: for threads that others wait for.
template <class Make>
void reply_with(const ReplyCallback& done, Make make) {
  Reply reply;
  try {
    reply = make();
  } catch (const std::bad_alloc&) {
    reply = no_memory_reply();
  }
  done(std::move(reply));
}

[[nodiscard]] Reply text_reply(int status, std::string body);
[[nodiscard]] Reply json_reply(int status, std::string body);

} // namespace signpost::api
