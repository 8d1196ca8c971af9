#include "server/listen/alias_chain.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include "server/listen/here.hpp"
#include "zone/index/epoch.hpp"
#include "zone/wire/name.hpp"
#include "zone/wire/octets.hpp"
#include "zone/wire/types.hpp"

namespace signpost::server {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t most_octets = 16 * 1024;         // of the parts that are kept while others are asked for
constexpr auto longest_way = std::chrono::seconds(10); // then no further name is asked for

/// What a thread needs for one step at a time.
struct Bench {
  Bench() { reader.offline(); }

  zone::ReaderThread reader;
  wire::Query query;
  zone::Onward onward;
  Answer answer;
  std::array<std::uint8_t, 65535> message;

  /// While this lives, zones may be read.
  struct Reading {
    explicit Reading(Bench& b) : bench(b) { bench.reader.online(); }
    ~Reading() { bench.reader.offline(); }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
    Bench& bench;
  };
};

Bench& my_bench() {
  thread_local const auto bench = std::make_unique<Bench>();
  return *bench;
}

ErrorOptions error_options(wire::ExtendedError error) {
  ErrorOptions options;
  if (error != wire::ExtendedError::none)
    options.add(wire::ExtendedError{static_cast<std::uint16_t>(static_cast<unsigned>(error) & 0xff)},
                wire::extended_text(error));
  return options;
}

class Chain final : public Waiter, public std::enable_shared_from_this<Chain> {
public:
  Chain(const Router& router, Question question)
      : router_(router), question_(std::move(question)), name_(*wire::name_from_wire(question_.name())) {}
  ~Chain() override {
    if (!replied_) reply_error(wire::Rcode::servfail);
  }
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;

  /// Answers as the blocks here do, and asks outside for what they leave open.
  void step() noexcept {
    guarded([this] { take_step(); });
  }

  void found(const AnswerView& answer, std::uint32_t age) noexcept override {
    guarded([&] { take(answer, age); });
  }

private:
  template <class Act>
  void guarded(Act&& act) noexcept {
    try {
      act();
    } catch (const std::exception&) { // out of memory
      reply_error(wire::Rcode::servfail);
    }
  }

  [[nodiscard]] bool dnssec_ok() const { return question_.dnssec_ok; }
  [[nodiscard]] bool checking_disabled() const { return (question_.flags & wire::flag::cd) != 0; }

  void take_step() {
    Bench& bench = my_bench();
    const Bench::Reading reading(bench);
    write_question(bench);
    bench.query.edns = true; // for its extended errors
    const Here here = answer_here(router_, bench.query, wire::Transport::tcp, bench.message, bench.onward);
    if (here.length == 0) return ask(here.outside);
    const std::span<std::uint8_t> message(bench.message.data(), here.length);
    if (bench.onward.links == 0 || here.outside == nullptr)
      return end_with(message, bench.onward.links, error_options(error_of(message)).span());
    // Of a part that goes on only the aliases count.
    const std::span<std::uint8_t> part = message.first(bench.onward.end);
    wire::store16(&part[2], static_cast<std::uint16_t>(wire::load16(&part[2]) & ~wire::flag::rcode));
    wire::store16(&part[6], bench.onward.links);
    wire::store32(&part[8], 0);
    if (const auto target = wire::name_from_wire(bench.onward.name());
        target && lead_to(part, bench.onward.links, *target))
      ask(here.outside);
  }

  void take(const AnswerView& answer, std::uint32_t age) {
    Bench& bench = my_bench();
    write_question(bench);
    const Asker ourselves{.question = std::span(bench.message).subspan(wire::header_size, name_.length + 4u),
                          .limit = bench.message.size()};
    const std::span<const std::uint8_t> message(bench.message.data(),
                                                write_reply(bench.message, ourselves, answer, age));
    const LastAlias alias = last_alias(message);
    if (!answer.open) return end_with(message, alias.links, answer.errors);
    if (lead_to(message, alias.links, alias.target)) step();
  }

  /// The question for the present name, as a client of ours would ask it.
  void write_question(Bench& bench) const {
    std::uint8_t* const message = bench.message.data();
    std::fill_n(message, wire::header_size, std::uint8_t{0});
    wire::store16(message + 2, question_.flags & (wire::flag::rd | wire::flag::cd));
    wire::store16(message + 4, 1);
    std::uint8_t* const behind = std::copy_n(name_.octets.begin(), name_.length, message + wire::header_size);
    wire::store16(behind, question_.type);
    wire::store16(behind + 2, wire::class_in);
    wire::read_query({message, wire::header_size + name_.length + 4u}, bench.query);
  }

  /// The extended error that a reply of a zone of ours carries.
  static wire::ExtendedError error_of(std::span<const std::uint8_t> message) {
    using enum wire::ExtendedError;
    for (const wire::ExtendedError error : {stale_answer, not_ready, other, endless_alias, prohibited}) {
      const std::size_t option = wire::extended_error_size(error), size = wire::opt_size + option;
      if (message.size() < wire::header_size + size) continue;
      const auto opt = message.last(size);
      if (opt[0] == 0 && wire::load16(&opt[1]) == wire::type::opt && wire::load16(&opt[9]) == option &&
          wire::load16(&opt[wire::opt_size]) == wire::option::extended_error)
        if (wire::load16(&opt[wire::opt_size + 4]) == (static_cast<unsigned>(error) & 0xff)) return error;
    }
    return none;
  }

  /// The last part is this message, with so many aliases of its own.
  void end_with(std::span<const std::uint8_t> message, std::size_t links, std::span<const std::uint8_t> errors) {
    const unsigned rcode = wire::load16(&message[2]) & wire::flag::rcode;
    if (rcode != 0 && rcode != 3) return reply_error(wire::Rcode::servfail, errors);
    if (links_ + links > wire::max_aliases)
      return reply_error(wire::Rcode::servfail, error_options(wire::ExtendedError::endless_alias).span());
    parts_.emplace_back(message.begin(), message.end());
    finish(errors);
  }

  /// A part with so many aliases leads to this name. False: it does not, and the reply is sent.
  bool lead_to(std::span<const std::uint8_t> part, std::size_t links, const wire::WireName& target) {
    links_ += links;
    octets_ += part.size();
    seen_.push_back(name_);
    parts_.emplace_back(part.begin(), part.end());
    name_ = target;
    if (links_ > wire::max_aliases || std::find(seen_.begin(), seen_.end(), target) != seen_.end()) {
      reply_error(wire::Rcode::servfail, error_options(wire::ExtendedError::endless_alias).span());
      return false;
    }
    if (octets_ <= most_octets && steady_clock::now() - begun_ < longest_way) return true;
    reply_error(wire::Rcode::servfail);
    return false;
  }

  /// Asks for the present name. Where no block has it, whoever said the alias may know; if nobody did, it stays open.
  void ask(Outside* outside) {
    if (outside == nullptr && asked_ == nullptr)
      return parts_.empty()
                 ? reply_error(wire::Rcode::refused, error_options(wire::ExtendedError::not_authoritative).span())
                 : finish();
    const bool covered = outside != nullptr;
    if (covered) asked_ = outside;
    const Link link{.name = name_.span(),
                    .type = question_.type,
                    .dnssec_ok = dnssec_ok(),
                    .checking_disabled = checking_disabled()};
    if (asked_->ask(link, shared_from_this())) return;
    if (covered || parts_.empty()) return reply_error(wire::Rcode::servfail);
    finish();
  }

  [[nodiscard]] Asker client() const {
    return {.id = question_.id,
            .flags = question_.flags,
            .question = question_.bytes().subspan(wire::header_size, question_.question_length),
            .edns = question_.edns,
            .dnssec_ok = question_.dnssec_ok,
            .options = question_.options.span(),
            .limit = question_.transport == wire::Transport::tcp ? std::size_t{65535} : question_.udp_size};
  }

  void finish(std::span<const std::uint8_t> errors = {}) {
    Bench& bench = my_bench();
    if (!compile_chain(parts_, bench.answer)) return reply_error(wire::Rcode::servfail);
    AnswerView answer = bench.answer.view();
    answer.errors = errors;
    reply(answer);
  }

  void reply_error(wire::Rcode rcode, std::span<const std::uint8_t> errors = {}) noexcept {
    AnswerView empty;
    empty.rcode = static_cast<std::uint16_t>(rcode);
    empty.errors = errors;
    reply(empty);
  }

  void reply(const AnswerView& answer) noexcept {
    if (std::exchange(replied_, true)) return;
    try {
      Bench& bench = my_bench();
      (void)send_late(question_.reply_to,
                      std::span(bench.message).first(write_reply(bench.message, client(), answer, 0)));
    } catch (const std::exception&) { // out of memory
      (void)send_late(question_.reply_to, {});
    }
  }

  const Router& router_;
  const Question question_; // its `aliases` keep the router
  const steady_clock::time_point begun_ = steady_clock::now();
  wire::WireName name_;      // whose records are looked for
  std::size_t links_ = 0;    // of all parts
  std::size_t octets_ = 0;   // of all parts
  Outside* asked_ = nullptr; // the last one that was asked
  bool replied_ = false;
  std::vector<wire::WireName> seen_; // where aliases led before `name_`
  std::vector<std::vector<std::uint8_t>> parts_;
};

} // namespace

void follow_aliases(const Router& router, Question question) noexcept {
  const ReplyTo to = question.reply_to;
  try {
    std::make_shared<Chain>(router, std::move(question))->step();
  } catch (const std::exception&) { // out of memory
    (void)send_late(to, {});
  }
}

void go_on_with_aliases(const Router& router, Question question, const AnswerView& answer, std::uint32_t age) noexcept {
  const ReplyTo to = question.reply_to;
  try {
    std::make_shared<Chain>(router, std::move(question))->found(answer, age);
  } catch (const std::exception&) { // out of memory
    (void)send_late(to, {});
  }
}

} // namespace signpost::server
