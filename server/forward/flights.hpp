// The forwarding thread's side: questions in flight, who waits for them, and what comes of them.
//
// A flight is one question being asked: (route, qname, qtype, DO, CD). Equal questions join it instead of being asked
// again, which is also what ends a forwarding loop: our own question coming back joins itself and waits. Its tries
// follow each other, but none ends the one before: an answer to any of them counts until the flight's deadline, and for
// a while after it, for the cache and for who asks again. Every list is bounded; what is over a bound is answered at
// once.
//
// Threads: the forwarding thread only, but for `counters`.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "server/cache/answer.hpp"
#include "server/cache/cache.hpp"
#include "server/config/settings.hpp"
#include "server/forward/borders.hpp"
#include "server/forward/question_queue.hpp"
#include "server/forward/try.hpp"
#include "server/forward/upstream.hpp"

namespace signpost::server {

struct RouteState {
  ForwardSettings settings;
  TtlCaps caps;
  Borders borders;
  std::shared_ptr<Cache> cache; // null: every question is asked
  Upstreams upstreams;
  std::unique_ptr<const Bailiwick> bailiwick;
  std::size_t turn = 0; // of the round robin
  std::size_t in_flight = 0;
};

struct FlightLimits {
  std::size_t flights = 4096;    // questions asked at once, all routes
  std::size_t waiters = 16384;   // who wait for them, all together
  std::size_t per_flight = 1024; // … and for one
  std::size_t tries = 16384;     // that listen at once; over it a flight's next try ends its oldest one
  std::size_t late = 256;        // flights that still listen after their deadline
  bool randomise_case = true;
};

/// Written by the forwarding thread, read by any.
struct FlightCounters : TryCounters {
  std::atomic<std::uint64_t> refused{0}, overflows{0}, joined{0}, failures{0}, in_flight{0};
};

class Flights {
public:
  Flights(boost::asio::io_context& io, std::vector<RouteState>& routes, FlightLimits limits,
          std::function<void(std::string_view)> log);
  ~Flights();
  Flights(const Flights&) = delete;
  Flights& operator=(const Flights&) = delete;

  /// Answers from the cache, joins a flight or starts one.
  void handle(Question question);

  [[nodiscard]] bool idle() const { return flights_.empty(); }

  /// Answers everyone who waits with SERVFAIL; what upstreams still say is no longer heard.
  void abandon();

  FlightCounters counters;

private:
  struct Flight;

  [[nodiscard]] static std::string key_of(const Question& question);
  void start(std::string key, Question question);
  [[nodiscard]] boost::asio::awaitable<void> fly(std::shared_ptr<Flight> flight);
  [[nodiscard]] boost::asio::awaitable<void> ask_all(Flight& flight);
  [[nodiscard]] boost::asio::awaitable<void> listen_on(Flight& flight);
  void try_at(Flight& flight, std::size_t which);
  void make_room(Flight& flight);
  void note_silent(Flight& flight);
  void heard(Flight& flight, std::size_t number, Heard what);
  void heard_response(Flight& flight, std::size_t number);
  void accept(Flight& flight);
  [[nodiscard]] bool compile_response(const Flight& flight);
  /// Finishes the flight with what is in `answer_`.
  void finish(Flight& flight);
  void give_up(Flight& flight);
  /// Makes `answer_` of a cut answer, where all that could be had is one.
  [[nodiscard]] bool compile_held(Flight& flight);
  void close_tries(Flight& flight);
  void answer(const Question& question, const AnswerView& answer, std::uint32_t age);
  void answer_error(const Question& question, wire::Rcode rcode);
  void send(const Question& question, std::size_t length);
  void report(const std::string& line);

  boost::asio::io_context& io_;
  std::vector<RouteState>& routes_;
  FlightLimits limits_;
  std::function<void(std::string_view)> log_;
  std::unordered_map<std::string, std::shared_ptr<Flight>> flights_;
  std::size_t waiters_ = 0, listening_ = 0, late_ = 0;
  Workspace workspace_{counters};
  std::unique_ptr<Answer> answer_ = std::make_unique<Answer>();
  std::vector<std::uint8_t> reply_ = std::vector<std::uint8_t>(65535);
  SteadyTime next_report_{};
  std::size_t unreported_ = 0;
};

} // namespace signpost::server
