// One try of a question at one upstream: a datagram from a socket of its own, then TCP where that is called for.
//
// The kernel draws the source port, connect(2) keeps strangers out, the id comes from getrandom(2) (RFC 5452 9). A try
// listens until it is closed, whatever is tried beside it: a late answer is an answer. What may be anybody's (another
// id, another question) is ignored and waited on; after three such messages, or one in other letters than were sent,
// the question is asked over TCP too, where nobody can guess (RFC 5452 9.3), as it is after a cut or broken answer;
// the datagram's socket is listened to all the while.
//
// Threads: the forwarding thread only.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>

#include "server/forward/upstream.hpp"
#include "zone/wire/edns.hpp"
#include "zone/wire/name.hpp"
#include "zone/wire/response.hpp"

namespace signpost::server {

/// Written by the forwarding thread, read by any.
struct TryCounters {
  std::atomic<std::uint64_t> tries{0}, timeouts{0}, mismatches{0}, tcp{0};
};

inline void count(std::atomic<std::uint64_t>& counter) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

/// What tries share: message and response are valid while a listener is called.
struct Workspace {
  explicit Workspace(TryCounters& count) : counters(count) {}

  TryCounters& counters;
  RandomSource random;
  std::vector<std::uint8_t> message = std::vector<std::uint8_t>(65535);
  std::size_t length = 0; // of the message `response` was read from
  std::unique_ptr<wire::upstream::Response> response = std::make_unique<wire::upstream::Response>();

  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {message.data(), length}; }
};

/// What is asked, and how. `qname` outlives the try.
struct Ask {
  std::span<const std::uint8_t> qname; // lower case
  std::uint16_t type = 0;
  bool dnssec_ok = false, checking_disabled = false;
  bool edns = true;
  bool over_tcp = false; // from the start
  bool randomise_case = false;
};

/// What a try may say, more than once.
enum class Heard : std::uint8_t {
  response,      // the workspace's response is sound and whole
  truncated,     // it is sound and cut; TCP is asked
  bad,           // it is the upstream's and says nothing that can be used; TCP is asked
  other_letters, // a datagram in other letters than were sent; TCP is asked
  refused,       // the network refuses: nothing more will come
  tcp_failed,    // nothing more will come over TCP
};

class Try : public std::enable_shared_from_this<Try> {
public:
  class Listener {
  public:
    /// `number` as start() was told. May close the try.
    virtual void heard(std::size_t number, Heard what) = 0;

  protected:
    ~Listener() = default;
  };

  Try(boost::asio::io_context& io, Workspace& workspace, std::shared_ptr<Upstream> upstream, const Ask& ask);
  Try(const Try&) = delete;
  Try& operator=(const Try&) = delete;

  /// Asks. The listener may be called before this returns, and until close().
  void start(Listener& listener, std::size_t number);

  /// Ends both transports; the listener is not called any more.
  void close();

  [[nodiscard]] Upstream& upstream() const { return *upstream_; }
  [[nodiscard]] const Ask& ask() const { return ask_; }
  /// The question as it was sent: what a message is read against.
  [[nodiscard]] wire::upstream::Asked asked() const;

private:
  enum class Tcp : std::uint8_t { not_asked, asked, over };

  void write_query();
  void report(Heard what);
  [[nodiscard]] bool send_datagram();
  void take_datagram();
  void turn_to_tcp();
  [[nodiscard]] boost::asio::awaitable<void> listen(std::shared_ptr<Try> self);
  [[nodiscard]] boost::asio::awaitable<void> ask_tcp(std::shared_ptr<Try> self);

  static constexpr std::size_t longest_query = wire::header_size + wire::max_name + 4 + wire::opt_size;

  Workspace& workspace_;
  std::shared_ptr<Upstream> upstream_;
  Ask ask_;
  Listener* listener_ = nullptr;
  std::size_t number_ = 0;
  boost::asio::ip::udp::socket udp_;
  boost::asio::ip::tcp::socket tcp_;
  Tcp tcp_state_ = Tcp::not_asked;
  bool other_letters_ = false;
  unsigned strangers_ = 0;                           // messages that may have been anybody's
  std::array<std::uint8_t, 2 + longest_query> sent_; // behind the length that TCP puts in front
  std::size_t sent_length_ = 0;                      // without it
};

} // namespace signpost::server
