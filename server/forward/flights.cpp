#include "server/forward/flights.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <functional>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "server/forward/aliases.hpp"
#include "zone/wire/name.hpp"
#include "zone/wire/octets.hpp"
#include "zone/wire/types.hpp"

namespace signpost::server {

namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;
using wire::upstream::Kind;

constexpr std::size_t least_tries = 3;
constexpr auto least_patience = std::chrono::seconds(1); // a shorter try says nothing about an upstream
// RFC 9520 3.2: failures are kept for a second at least, five minutes at most. What an upstream says is kept longer
// than our not reaching it, which may be over in the next moment.
constexpr std::uint32_t servfail_lifetime = 5, unreached_lifetime = 1;
constexpr auto report_interval = std::chrono::seconds(1);

Asker asker_of(const Question& question) {
  return {.id = question.id,
          .flags = question.flags,
          .question = question.bytes().subspan(wire::header_size, question.question_length),
          .edns = question.edns,
          .dnssec_ok = question.dnssec_ok,
          .options = question.options.span(),
          .limit = question.transport == wire::Transport::tcp ? std::size_t{65535} : question.udp_size};
}

/// How many aliases of a response are followed by its word: up to the first that leads to a name of somebody else. One
/// that is said with no word about its target (and no SOA that would deny it) is followed by asking.
std::size_t links_believed(std::span<const std::uint8_t> message, const wire::upstream::Response& response,
                           const Borders& borders) {
  if (response.chain_length == 0) return whole;
  std::size_t links = 0;
  for (std::size_t i = 0; i < response.answers && links < response.chain_length; ++i) {
    if (response.records[i].type != wire::type::cname) continue;
    ++links;
    std::array<std::uint8_t, wire::max_name> octets;
    const auto target =
        wire::name_from_wire({octets.data(), wire::upstream::expand_name(message, response.records[i].rdata, octets)});
    if (target && borders.is_beyond(target->span())) return links;
  }
  const bool bare = response.kind == wire::upstream::Kind::nodata && response.authorities == 0 && !response.truncated;
  return bare ? response.chain_length : whole;
}

CacheKey cache_key(const Question& question) {
  return {question.name(), question.type, question.dnssec_ok, (question.flags & wire::flag::cd) != 0};
}

} // namespace

/// A question in flight. Its tries stay where they are until it ends: what they say comes with their number.
struct Flights::Flight final : Try::Listener {
  /// An upstream in the order in which this question asks them, and how it has to be asked.
  struct Candidate {
    std::shared_ptr<Upstream> upstream;
    bool declined = false;   // it has said all it will say
    bool lower_case = false; // it seems not to give letters back
    bool without_edns = false;
  };
  struct Attempt {
    std::shared_ptr<Try> io;
    Candidate* candidate;
    SteadyTime asked, until; // the next one begins then
    bool open = true;        // it listens
    bool silent = true;      // nothing was heard that is the upstream's
    bool passed = false;     // the next one begins at once
    bool settled = false;    // nothing more is waited for
    bool checking = false;   // what TCP says to its answer is waited for, until `until`
    bool counted = false;    // as silent, with the upstream

    void settle() { passed = settled = true; }
  };

  Flight(Flights& in, std::string flight_key, const Question& asked, RouteState& by)
      : flights(in), key(std::move(flight_key)), question(asked), route(by), news(in.io_) {
    question.reply_to = {};
    question.aliases.reset();
    question.waiter.reset();
    const std::string_view name(reinterpret_cast<const char*>(question.qname.data()), question.qname_length);
    name_hash = std::hash<std::string_view>{}(name) | 1;
  }
  ~Flight() {
    for (const Attempt& attempt : attempts) attempt.io->close();
  }
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

  void heard(std::size_t number, Heard what) override { flights.heard(*this, number, what); }

  /// Waits for news, until then at most.
  [[nodiscard]] asio::awaitable<void> wait(SteadyTime until) {
    news.expires_at(until);
    (void)co_await news.async_wait(asio::as_tuple(asio::use_awaitable));
  }

  /// How long what was asked may still be answered, for those who wait.
  [[nodiscard]] SteadyTime patience() const {
    SteadyTime last{};
    for (const Attempt& attempt : attempts)
      if (!attempt.settled) last = std::max(last, attempt.checking || held ? attempt.until : deadline);
    return std::min(last, deadline);
  }

  /// Who is asked next: one after the other, without those that have answered. Null: nobody.
  [[nodiscard]] Candidate* next() {
    for (std::size_t n = 0; n < candidates.size(); ++n) {
      Candidate& candidate = candidates[(turn + n) % candidates.size()];
      if (candidate.declined) continue;
      turn = static_cast<std::size_t>(&candidate - candidates.data()) + 1;
      return &candidate;
    }
    return nullptr;
  }

  /// Lets the upstream of this attempt be the next one, to be asked in another way.
  void again(const Attempt& attempt) { turn = static_cast<std::size_t>(attempt.candidate - candidates.data()); }

  Flights& flights;
  std::string key;
  Question question;             // the first that asked: what is asked
  std::vector<Question> waiters; // all that asked
  RouteState& route;
  NameHash name_hash;
  asio::steady_timer news; // cancelled when there are some
  std::vector<Candidate> candidates;
  std::vector<Attempt> attempts;
  std::size_t turn = 0;
  SteadyTime deadline{};
  bool finished = false; // those who waited have their answer
  bool answered = false; // … or the cache has

  // What is known when nobody has an answer.
  std::shared_ptr<Try> held; // what it was told is cut, …
  std::vector<std::uint8_t> held_message;
  std::uint16_t rcode = 0; // of who declined last, with what it says of it
  ErrorOptions errors;
  wire::upstream::Fault fault = wire::upstream::Fault::none; // of a bad answer
  bool refused = false;                                      // by the network
  std::string reason = "nobody waits any more";
};

Flights::Flights(asio::io_context& io, std::vector<RouteState>& routes, FlightLimits limits,
                 std::function<void(std::string_view)> log)
    : io_(io), routes_(routes), limits_(limits), log_(std::move(log)) {}

Flights::~Flights() = default;

std::string Flights::key_of(const Question& question) {
  std::string key(reinterpret_cast<const char*>(question.qname.data()), question.qname_length);
  const bool checking_disabled = (question.flags & wire::flag::cd) != 0;
  for (const unsigned octet : {question.type >> 8, question.type & 0xff, question.route >> 8, question.route & 0xff,
                               (question.dnssec_ok ? 1 : 0) | (checking_disabled ? 2 : 0)})
    key.push_back(static_cast<char>(octet));
  return key;
}

void Flights::handle(Question question) {
  if (question.kind == Question::Kind::follow) {
    const auto aliases = question.aliases;
    if (aliases == nullptr) return answer_error(question, wire::Rcode::servfail);
    return aliases->follow(std::move(question));
  }
  RouteState& route = routes_[question.route];
  if (route.cache) {
    if (const auto hit = route.cache->find(cache_key(question), coarse_now()))
      return answer(question, hit->answer, hit->age);
  }
  if (waiters_ >= limits_.waiters) {
    ++counters.overflows;
    return answer_error(question, wire::Rcode::servfail);
  }
  std::string key = key_of(question);
  if (const auto found = flights_.find(key); found != flights_.end()) {
    Flight& flight = *found->second;
    if (flight.waiters.size() >= limits_.per_flight) {
      ++counters.overflows;
      return answer_error(question, wire::Rcode::servfail);
    }
    ++counters.joined;
    ++waiters_;
    flight.waiters.push_back(std::move(question));
    return;
  }
  if (route.settings.max_concurrent != 0 && route.in_flight >= route.settings.max_concurrent) {
    ++counters.refused;
    return answer_error(question, wire::Rcode::refused);
  }
  if (flights_.size() >= limits_.flights) {
    ++counters.overflows;
    return answer_error(question, wire::Rcode::servfail);
  }
  start(std::move(key), std::move(question));
}

void Flights::start(std::string key, Question question) {
  RouteState& route = routes_[question.route];
  auto flight = std::make_shared<Flight>(*this, key, question, route);
  flight->waiters.push_back(std::move(question));
  ++waiters_;
  ++route.in_flight;
  flights_.emplace(std::move(key), flight);
  counters.in_flight.store(flights_.size(), std::memory_order_relaxed);
  asio::co_spawn(io_, fly(std::move(flight)), asio::detached);
}

asio::awaitable<void> Flights::fly(std::shared_ptr<Flight> flight) {
  try {
    co_await ask_all(*flight);
  } catch (const std::exception& e) {
    flight->reason = e.what();
  }
  if (!flight->finished) {
    note_silent(*flight);
    give_up(*flight);
    co_await listen_on(*flight);
  }
  close_tries(*flight);
}

/// Asks one upstream after the other until there is an answer, or nothing to hope for.
asio::awaitable<void> Flights::ask_all(Flight& flight) {
  RouteState& route = flight.route;
  const SteadyTime start = steady_clock::now();
  flight.deadline = start + route.settings.deadline;
  for (auto& upstream : order_upstreams(route.upstreams, route.settings.policy, route.turn++, start, flight.name_hash,
                                        workspace_.random))
    flight.candidates.push_back({.upstream = std::move(upstream)});
  if (flight.candidates.empty()) flight.reason = "no upstream is known";
  const std::size_t tries = std::max(least_tries, flight.candidates.size());
  flight.attempts.reserve(tries);
  while (!flight.finished && !flight.waiters.empty()) {
    const SteadyTime now = steady_clock::now();
    if (now >= flight.deadline) co_return;
    Flight::Candidate* const candidate = flight.attempts.size() < tries ? flight.next() : nullptr;
    if (candidate == nullptr) {
      if (now >= flight.patience()) co_return;
      co_await flight.wait(flight.patience());
      continue;
    }
    try_at(flight, static_cast<std::size_t>(candidate - flight.candidates.data()));
    const Flight::Attempt& attempt = flight.attempts.back();
    const SteadyTime until = std::min(attempt.until, flight.deadline);
    while (!flight.finished && !attempt.passed && steady_clock::now() < until) co_await flight.wait(until);
    if (!flight.finished) note_silent(flight);
  }
}

/// After the deadline: an answer that comes now is for the cache, and for who has asked again.
asio::awaitable<void> Flights::listen_on(Flight& flight) {
  const auto hopeful = [](const Flight::Attempt& attempt) { return attempt.open && !attempt.settled; };
  if (late_ >= limits_.late || listening_ >= limits_.tries / 2) co_return;
  if (std::none_of(flight.attempts.begin(), flight.attempts.end(), hopeful)) co_return;
  ++late_;
  const SteadyTime until = steady_clock::now() + flight.route.settings.deadline;
  while (!flight.answered && steady_clock::now() < until) co_await flight.wait(until);
  --late_;
}

void Flights::try_at(Flight& flight, std::size_t which) {
  Flight::Candidate& candidate = flight.candidates[which];
  if (listening_ >= limits_.tries) make_room(flight);
  const SteadyTime now = steady_clock::now();
  const Upstream& upstream = *candidate.upstream;
  const bool over_tcp = flight.route.settings.force_tcp;
  const Ask ask{.qname = flight.question.name(),
                .type = flight.question.type,
                .dnssec_ok = flight.question.dnssec_ok,
                .checking_disabled = (flight.question.flags & wire::flag::cd) != 0,
                .edns = !candidate.without_edns && now >= upstream.no_edns_until,
                .over_tcp = over_tcp,
                .randomise_case =
                    limits_.randomise_case && !over_tcp && !candidate.lower_case && now >= upstream.no_case_until};
  const std::size_t number = flight.attempts.size();
  flight.attempts.push_back({.io = std::make_shared<Try>(io_, workspace_, candidate.upstream, ask),
                             .candidate = &candidate,
                             .asked = now,
                             .until = now + flight.route.settings.read_timeout});
  ++listening_;
  flight.attempts.back().io->start(flight, number);
}

/// Ends the oldest try of the flight that listens, if any.
void Flights::make_room(Flight& flight) {
  for (Flight::Attempt& attempt : flight.attempts) {
    if (!attempt.open) continue;
    attempt.io->close();
    attempt.open = false;
    attempt.settle();
    --listening_;
    return;
  }
}

void Flights::close_tries(Flight& flight) {
  for (Flight::Attempt& attempt : flight.attempts) {
    if (!std::exchange(attempt.open, false)) continue;
    attempt.io->close();
    --listening_;
  }
}

/// Tells upstreams which of their tries had their time for nothing.
void Flights::note_silent(Flight& flight) {
  const SteadyTime now = steady_clock::now();
  for (Flight::Attempt& attempt : flight.attempts) {
    const bool had_time = now >= attempt.until || (now >= flight.deadline && now - attempt.asked >= least_patience);
    if (!attempt.silent || attempt.counted || (!had_time && !attempt.settled)) continue;
    attempt.counted = true;
    count(workspace_.counters.timeouts);
    attempt.candidate->upstream->silent(now, attempt.asked, flight.name_hash);
    flight.reason = attempt.candidate->upstream->endpoint.to_string() + " did not answer";
  }
}

void Flights::heard(Flight& flight, std::size_t number, Heard what) {
  Flight::Attempt& attempt = flight.attempts[number];
  Flight::Candidate& candidate = *attempt.candidate;
  const SteadyTime now = steady_clock::now();
  switch (what) {
  case Heard::response: heard_response(flight, number); break;
  case Heard::truncated:
    if (workspace_.response->kind == Kind::failure) return heard_response(flight, number);
    candidate.upstream->heard(now);
    attempt.silent = false;
    attempt.checking = candidate.declined = true;
    if (workspace_.length > flight.held_message.size()) {
      flight.held = attempt.io;
      flight.held_message.assign(workspace_.bytes().begin(), workspace_.bytes().end());
    }
    break;
  case Heard::bad:
    candidate.upstream->heard(now);
    attempt.silent = false;
    attempt.checking = attempt.passed = candidate.declined = true;
    flight.fault = workspace_.response->fault;
    flight.reason = candidate.upstream->endpoint.to_string() +
                    " answered with what cannot be used: " + std::string(to_string(flight.fault));
    break;
  case Heard::other_letters: // the upstream's doing, or a stranger's: the next question is a new guess for him
    candidate.lower_case = true;
    attempt.checking = attempt.passed = true;
    flight.again(attempt);
    break;
  case Heard::refused:
    if (attempt.checking) break;
    candidate.upstream->unreachable(now);
    attempt.silent = false;
    attempt.settle();
    flight.refused = true;
    flight.reason = candidate.upstream->endpoint.to_string() + " could not be asked";
    break;
  case Heard::tcp_failed:
    if (attempt.checking || attempt.io->ask().over_tcp) attempt.settle();
    break;
  }
  flight.news.cancel();
}

void Flights::heard_response(Flight& flight, std::size_t number) {
  Flight::Attempt& attempt = flight.attempts[number];
  Flight::Candidate& candidate = *attempt.candidate;
  const wire::upstream::Response& response = *workspace_.response;
  const SteadyTime now = steady_clock::now();
  candidate.upstream->heard(now);
  attempt.silent = false;
  const bool disliked = response.rcode == 1 || response.rcode == 4;
  if (candidate.without_edns && !attempt.io->ask().edns && !disliked) candidate.upstream->no_edns_until = now + habit;
  if (response.kind != Kind::failure) {
    if (candidate.lower_case && !attempt.io->ask().randomise_case) candidate.upstream->no_case_until = now + habit;
    return accept(flight);
  }
  attempt.settle();
  flight.rcode = response.rcode;
  flight.reason = candidate.upstream->endpoint.to_string() + " answered rcode " + std::to_string(response.rcode);
  compile_error(response.rcode & 0xf, 0, *answer_);
  pass_on_errors(workspace_.bytes(), response, *answer_);
  flight.errors = answer_->errors;
  if (attempt.io->ask().edns && !response.edns && disliked) {
    candidate.without_edns = true;
    flight.again(attempt);
  } else {
    candidate.declined = true;
  }
}

void Flights::accept(Flight& flight) {
  flight.answered = true;
  if (!compile_response(flight)) {
    compile_error(2, servfail_lifetime, *answer_);
    answer_->errors.add(wire::ExtendedError::other, "the upstream's answer does not fit into a message of ours");
  }
  if (!flight.finished) return finish(flight);
  if (const auto again = flights_.find(flight.key); again != flights_.end()) return finish(*again->second);
  if (flight.route.cache) flight.route.cache->insert(cache_key(flight.question), *answer_, coarse_now());
}

bool Flights::compile_response(const Flight& flight) {
  const wire::upstream::Response& response = *workspace_.response;
  const RouteState& route = flight.route;
  return compile(workspace_.bytes(), response, route.caps, *route.bailiwick,
                 links_believed(workspace_.bytes(), response, route.borders), *answer_);
}

/// What is known when nobody has an answer.
void Flights::give_up(Flight& flight) {
  ++counters.failures;
  report(wire::name_to_text(flight.question.name()) + ": " + flight.reason);
  if (flight.held && compile_held(flight)) return finish(flight);
  if (flight.rcode == 2 || flight.rcode > 15) {
    compile_error(2, servfail_lifetime, *answer_);
  } else if (flight.rcode != 0) {
    compile_error(flight.rcode, 0, *answer_);
  } else if (flight.fault != wire::upstream::Fault::none) {
    compile_error(2, servfail_lifetime, *answer_);
    answer_->errors.add(wire::ExtendedError::other,
                        "the upstream's answer cannot be used: " + std::string(to_string(flight.fault)));
  } else {
    compile_error(2, unreached_lifetime, *answer_);
    answer_->errors.add(flight.refused ? network_error : no_reachable_authority,
                        flight.candidates.empty() ? "no upstream is known" : "");
  }
  if (flight.rcode != 0) answer_->errors = flight.errors;
  finish(flight);
}

bool Flights::compile_held(Flight& flight) {
  std::copy(flight.held_message.begin(), flight.held_message.end(), workspace_.message.begin());
  workspace_.length = flight.held_message.size();
  wire::upstream::Asked asked = flight.held->asked();
  asked.exact_case = false; // looked at when it came
  wire::upstream::read_response(workspace_.bytes(), asked, *workspace_.response);
  return workspace_.response->fault == wire::upstream::Fault::none && compile_response(flight);
}

void Flights::finish(Flight& flight) {
  if (flight.route.cache) flight.route.cache->insert(cache_key(flight.question), *answer_, coarse_now());
  const AnswerView view = answer_->view();
  const std::vector<Question> waiters = std::exchange(flight.waiters, {});
  for (const Question& waiter : waiters) answer(waiter, view, 0);
  waiters_ -= waiters.size();
  --flight.route.in_flight;
  flight.finished = true;
  flight.news.cancel();
  flights_.erase(flight.key);
  counters.in_flight.store(flights_.size(), std::memory_order_relaxed);
}

void Flights::abandon() {
  compile_error(2, 0, *answer_);
  answer_->errors.add(no_reachable_authority);
  for (auto& [key, flight] : flights_) {
    flight->finished = true;
    const std::vector<Question> waiters = std::exchange(flight->waiters, {});
    for (const Question& waiter : waiters) answer(waiter, answer_->view(), 0);
  }
  waiters_ = 0;
  flights_.clear();
  counters.in_flight.store(0, std::memory_order_relaxed);
}

void Flights::answer(const Question& question, const AnswerView& view, std::uint32_t age) {
  if (question.kind == Question::Kind::link) return question.waiter->found(view, age);
  if (view.open && question.aliases) return question.aliases->go_on(question, view, age);
  send(question, write_reply(reply_, asker_of(question), view, age));
}

void Flights::answer_error(const Question& question, wire::Rcode rcode) {
  AnswerView empty;
  empty.rcode = static_cast<std::uint16_t>(rcode);
  answer(question, empty, 0);
}

void Flights::send(const Question& question, std::size_t length) {
  if (!send_late(question.reply_to, std::span(reply_).first(length)))
    report("there was no memory to hand a reply back to its connection");
}

void Flights::report(const std::string& line) {
  if (!log_) return;
  const SteadyTime now = steady_clock::now();
  if (now < next_report_) {
    ++unreported_;
    return;
  }
  next_report_ = now + report_interval;
  const std::size_t others = std::exchange(unreported_, 0);
  log_(others == 0 ? line : line + " (and " + std::to_string(others) + " more)");
}

} // namespace signpost::server
