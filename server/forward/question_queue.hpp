// The way from packet workers to the forwarding thread: a bounded ring of preallocated slots.
//
// Any number of producers, one consumer (Vyukov's bounded queue: each slot has a sequence number that says whose turn
// it is). A push never blocks, allocates or locks; the consumer is woken through an eventfd, and only when it said that
// it would sleep. Slots are touched as they are first used.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "server/forward/outside.hpp"
#include "zone/wire/query.hpp"

namespace signpost::server {

/// A question taken over from a listener: all that asking and replying need, by value.
struct Question {
  enum class Kind : std::uint8_t {
    take,   // of a client, for a name that is forwarded
    follow, // of a client, answered by an alias of ours
    link,   // of a Waiter, for a name that an alias leads to
  };

  Kind kind = Kind::take;
  wire::Transport transport = wire::Transport::udp;
  bool edns = false, dnssec_ok = false;
  std::uint16_t route = 0;         // index into the routes
  std::uint16_t id = 0, flags = 0; // of the client's query
  std::uint16_t type = 0;
  std::uint16_t udp_size = 512;
  std::uint16_t question_length = 0; // of the question in `message`
  std::uint16_t qname_length = 0;
  std::uint16_t message_length = 0;
  wire::ReplyOptions options;
  alignas(8) std::array<std::uint8_t, 264> qname{}; // what is asked upstream: lower case, zero behind it
  std::array<std::uint8_t, 272> message{};          // header and question, as the client sent them
  ReplyTo reply_to;                                 // of a client
  std::shared_ptr<const Aliases> aliases;           // … and who follows them for it; null: nobody
  std::shared_ptr<Waiter> waiter;                   // of a link

  [[nodiscard]] std::span<const std::uint8_t> name() const { return {qname.data(), qname_length}; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {message.data(), message_length}; }
};

class QuestionQueue {
public:
  /// `slots` is brought up to a power of two. Throws std::system_error without an eventfd.
  explicit QuestionQueue(std::size_t slots);
  ~QuestionQueue();
  QuestionQueue(const QuestionQueue&) = delete;
  QuestionQueue& operator=(const QuestionQueue&) = delete;

  /// Fills a free slot by `fill(Question&)` and hands it over; false: none is free. Any thread.
  template <class Fill>
  [[nodiscard]] bool push(Fill&& fill) noexcept {
    std::size_t ticket = 0;
    Question* const slot = claim(ticket);
    if (slot == nullptr) return false;
    fill(*new (slot) Question);
    release(ticket);
    return true;
  }

  /// Consumer: the oldest question, nullopt: there is none.
  [[nodiscard]] std::optional<Question> pop() noexcept;

  /// Consumer: readable once something was pushed after may_sleep().
  [[nodiscard]] int event() const { return event_; }
  /// Consumer: true when the queue is empty and the next push will signal event(); false: pop again first.
  [[nodiscard]] bool may_sleep() noexcept;
  /// Wakes the consumer. Any thread.
  void wake() noexcept;

private:
  [[nodiscard]] Question* claim(std::size_t& ticket) noexcept;
  void release(std::size_t ticket) noexcept;
  [[nodiscard]] Question* slot(std::size_t ticket) const noexcept;

  struct Free {
    void operator()(void* memory) const;
  };

  std::size_t mask_;
  std::unique_ptr<std::atomic<std::size_t>[]> turn_; // ticket: free for it; ticket + 1: filled
  std::unique_ptr<void, Free> slots_;
  int event_ = -1;
  alignas(64) std::atomic<std::size_t> tail_{0};
  alignas(64) std::size_t head_ = 0; // the consumer's
  std::atomic<bool> asleep_{false};
};

} // namespace signpost::server
