// One question put to the servers until one of them answers.
//
// The packets are moved by c-ares, one channel for each try: so each has a source port of its own (a UDP socket that
// outlives the server it was aimed at is c-ares' best known trap), TCP follows a truncated reply, and the retries are
// ours: 250 ms after the first packet instead of 5 s. Earlier tries stay open, a late answer counts.
//
// A plain state machine: the owner says which descriptor is ready and what time it is, and asks whether it is done.
// Nothing is called back. Not thread-safe; one thread owns it.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "client/resolver/message.hpp"
#include "client/resolver/settings.hpp"

namespace signpost::resolver {

using Clock = std::chrono::steady_clock;

/// Told which descriptors to watch. Both false: no more, before it is closed.
class Watcher {
public:
  virtual void watch(int fd, bool readable, bool writable) = 0;

protected:
  ~Watcher() = default;
};

inline constexpr std::chrono::milliseconds first_retry{250};

class Exchange {
public:
  Exchange(const Settings& settings, Watcher& watcher, std::string name, std::uint16_t qtype);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Reads and writes what can be; false: the descriptor is none of this exchange's.
  bool ready(int fd, bool readable, bool writable);

  /// Takes answers, sends what is due. Call after ready() and when next() has come.
  void advance(Clock::time_point now);

  [[nodiscard]] bool done() const { return done_; }
  /// When advance() must be called again; max(): nothing is due.
  [[nodiscard]] Clock::time_point next() const { return done_ ? Clock::time_point::max() : next_send_; }

  /// With done(): set when no server answered.
  [[nodiscard]] std::error_code error() const { return error_; }
  /// With done() and no error: NOERROR or NXDOMAIN.
  [[nodiscard]] const Reply& reply() const { return reply_; }
  [[nodiscard]] Bytes message() const { return message_; }
  [[nodiscard]] std::uint16_t qtype() const { return qtype_; }

private:
  struct Try;
  void send(Clock::time_point now);
  void judge(Try& a_try, Clock::time_point now);
  void fail(Errc why, Clock::time_point now);
  void finish(std::error_code error);

  const Settings& settings_;
  Watcher& watcher_;
  std::string name_;
  std::uint16_t qtype_;
  std::vector<std::unique_ptr<Try>> tries_;
  unsigned failures_ = 0;
  Clock::time_point next_send_{}; // the first at once
  bool done_ = false;
  std::error_code error_, worst_;
  Reply reply_;
  std::vector<std::uint8_t> message_;
};

/// c-ares' process-wide state; false: it cannot be had. Safe to call from any thread, any number of times.
[[nodiscard]] bool start_transport();

} // namespace signpost::resolver
