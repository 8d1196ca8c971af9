#include "server/forward/flights.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "zone/wire/name.hpp"
#include "zone/wire/octets.hpp"
#include "zone/wire/types.hpp"

namespace signpost::server {

namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

constexpr std::size_t least_tries = 3;
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

CacheKey cache_key(const Question& question) {
  return {question.name(), question.type, question.dnssec_ok, (question.flags & wire::flag::cd) != 0};
}

} // namespace

struct Flights::Flight {
  std::string key;
  Question question;             // the first that asked: what is asked
  std::vector<Question> waiters; // all that asked
  RouteState& route;
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
  auto flight = std::make_shared<Flight>(Flight{.key = key, .question = question, .waiters = {}, .route = route});
  flight->question.reply_to = {};
  flight->waiters.push_back(std::move(question));
  ++waiters_;
  ++route.in_flight;
  flights_.emplace(std::move(key), flight);
  counters.in_flight.store(flights_.size(), std::memory_order_relaxed);
  asio::co_spawn(io_, fly(std::move(flight)), asio::detached);
}

asio::awaitable<void> Flights::fly(std::shared_ptr<Flight> flight) {
  std::string reason;
  try {
    reason = co_await resolve(*flight);
  } catch (const std::exception& e) {
    reason = e.what();
    compile_error(2, wire::ExtendedError::none, unreached_lifetime, *answer_);
  }
  if (!reason.empty()) {
    ++counters.failures;
    report(wire::name_to_text(flight->question.name()) + ": " + reason);
  }
  finish(*flight);
}

asio::awaitable<std::string> Flights::resolve(Flight& flight) {
  RouteState& route = flight.route;
  const SteadyTime deadline = steady_clock::now() + route.settings.deadline;
  const std::vector<Upstream*> order =
      order_upstreams(route.upstreams, route.settings.policy, route.turn++, steady_clock::now(), workspace_.random);
  std::vector<bool> declined(order.size(), false); // it answered, but not with an answer
  const Ask question{.qname = flight.question.name(),
                     .type = flight.question.type,
                     .dnssec_ok = flight.question.dnssec_ok,
                     .checking_disabled = (flight.question.flags & wire::flag::cd) != 0,
                     .force_tcp = route.settings.force_tcp,
                     .randomise_case = limits_.randomise_case};
  std::uint16_t last_rcode = 0;
  std::string reason = "nobody waits any more";
  bool refused = false; // by the network
  const std::size_t tries = std::max(least_tries, order.size());
  for (std::size_t i = 0; i < tries; ++i) {
    const std::size_t which = i % order.size();
    const SteadyTime now = steady_clock::now();
    if (now >= deadline || flight.waiters.empty()) break;
    if (declined[which]) continue;
    Upstream& upstream = *order[which];
    const TryResult result =
        co_await ask(upstream, question, std::min(now + route.settings.read_timeout, deadline), workspace_);
    count_tries();
    if (result == TryResult::response) {
      upstream.succeeded();
      if (workspace_.response->kind != wire::upstream::Kind::failure) {
        accept(flight);
        co_return std::string();
      }
      declined[which] = true;
      last_rcode = workspace_.response->rcode;
      reason = upstream.endpoint.to_string() + " answered rcode " + std::to_string(last_rcode);
      continue;
    }
    upstream.failed(steady_clock::now());
    refused = refused || result == TryResult::error;
    reason = upstream.endpoint.to_string() + (result == TryResult::error ? " could not be asked" : " did not answer");
  }
  if (last_rcode == 0) {
    compile_error(2, refused ? network_error : no_reachable_authority, unreached_lifetime, *answer_);
  } else if (last_rcode == 2 || last_rcode > 15) {
    compile_error(2, wire::ExtendedError::none, servfail_lifetime, *answer_);
  } else {
    compile_error(last_rcode, wire::ExtendedError::none, 0, *answer_);
  }
  co_return reason;
}

void Flights::accept(Flight& flight) {
  if (compile(workspace_.bytes(), *workspace_.response, flight.route.caps, *answer_)) return;
  compile_error(2, wire::ExtendedError::none, servfail_lifetime, *answer_);
}

void Flights::finish(Flight& flight) {
  if (flight.route.cache) flight.route.cache->insert(cache_key(flight.question), *answer_, coarse_now());
  const AnswerView view = answer_->view();
  const std::vector<Question> waiters = std::exchange(flight.waiters, {});
  for (const Question& waiter : waiters) answer(waiter, view, 0);
  waiters_ -= waiters.size();
  --flight.route.in_flight;
  flights_.erase(flight.key);
  counters.in_flight.store(flights_.size(), std::memory_order_relaxed);
}

void Flights::abandon() {
  compile_error(2, no_reachable_authority, 0, *answer_);
  for (auto& [key, flight] : flights_) {
    const std::vector<Question> waiters = std::exchange(flight->waiters, {});
    for (const Question& waiter : waiters) answer(waiter, answer_->view(), 0);
  }
  waiters_ = 0;
  flights_.clear();
  counters.in_flight.store(0, std::memory_order_relaxed);
}

void Flights::answer(const Question& question, const AnswerView& view, std::uint32_t age) {
  if (question.kind == Question::Kind::chase) return complete(question, view, age);
  send(question, write_reply(reply_, asker_of(question), view, age));
}

void Flights::answer_error(const Question& question, wire::Rcode rcode) {
  AnswerView empty;
  empty.rcode = static_cast<std::uint16_t>(rcode);
  send(question, write_reply(reply_, asker_of(question), empty, 0));
}

void Flights::complete(const Question& question, const AnswerView& found, std::uint32_t age) {
  if (found.rcode != 0 && found.rcode != 3) {
    AnswerView failure;
    failure.rcode = 2;
    failure.error = found.error;
    return send(question, write_reply(reply_, asker_of(question), failure, 0));
  }
  std::array<std::uint8_t, wire::max_name + 4> target;
  std::uint8_t* const behind = std::copy(question.name().begin(), question.name().end(), target.begin());
  wire::store16(behind, question.type);
  wire::store16(behind + 2, wire::class_in);
  const Asker ourselves{.question = {target.data(), question.qname_length + 4u}, .limit = found_.size()};
  const std::size_t length = write_reply(found_, ourselves, found, age);
  if (!compile_chase(question.bytes(), std::span(found_).first(length), *chased_))
    return answer_error(question, wire::Rcode::servfail);
  send(question, write_reply(reply_, asker_of(question), chased_->view(), 0));
}

void Flights::send(const Question& question, std::size_t length) {
  const ReplyTo& to = question.reply_to;
  if (to.udp_socket >= 0) {
    if (length > 0) send_datagram(to, std::span(reply_).first(length));
    return;
  }
  if (!to.tcp || !*to.tcp) return;
  try {
    (*to.tcp)(std::span<const std::uint8_t>(reply_.data(), length));
  } catch (const std::exception& e) {
    report(std::string("a reply could not be handed back: ") + e.what());
  }
}

void Flights::count_tries() {
  const TryCounters& now = workspace_.counters;
  counters.tries.store(now.tries, std::memory_order_relaxed);
  counters.timeouts.store(now.timeouts, std::memory_order_relaxed);
  counters.mismatches.store(now.mismatches, std::memory_order_relaxed);
  counters.tcp.store(now.tcp, std::memory_order_relaxed);
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
