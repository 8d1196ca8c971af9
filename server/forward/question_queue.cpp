#include "server/forward/question_queue.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

namespace signpost::server {

QuestionQueue::QuestionQueue(std::size_t slots)
    : mask_(std::bit_ceil(slots < 2 ? std::size_t{2} : slots) - 1), turn_(new std::atomic<std::size_t>[mask_ + 1]),
      slots_(::operator new ((mask_ + 1) * sizeof(Question), std::align_val_t{alignof(Question)})) {
  for (std::size_t i = 0; i <= mask_; ++i) turn_[i].store(i, std::memory_order_relaxed);
  event_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

QuestionQueue::~QuestionQueue() {
  while (pop()) {
  }
  close(event_);
}

void QuestionQueue::Free::operator()(void* memory) const {
  ::operator delete (memory, std::align_val_t{alignof(Question)});
}

Question* QuestionQueue::slot(std::size_t ticket) const noexcept {
  return static_cast<Question*>(slots_.get()) + (ticket & mask_);
}

Question* QuestionQueue::claim(std::size_t& ticket) noexcept {
  ticket = tail_.load(std::memory_order_relaxed);
  for (;;) {
    const std::size_t turn = turn_[ticket & mask_].load(std::memory_order_acquire);
    if (turn == ticket) {
      if (tail_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_relaxed)) return slot(ticket);
    } else if (turn < ticket) {
      return nullptr;
    } else {
      ticket = tail_.load(std::memory_order_relaxed);
    }
  }
}

void QuestionQueue::release(std::size_t ticket) noexcept {
  // Either the consumer sees the slot after it said it sleeps, or we see that it does: both orders are total.
  turn_[ticket & mask_].store(ticket + 1, std::memory_order_seq_cst);
  if (asleep_.load(std::memory_order_seq_cst) && asleep_.exchange(false, std::memory_order_seq_cst)) wake();
}

std::optional<Question> QuestionQueue::pop() noexcept {
  std::atomic<std::size_t>& turn = turn_[head_ & mask_];
  if (turn.load(std::memory_order_acquire) != head_ + 1) return std::nullopt;
  Question* const from = std::launder(slot(head_));
  std::optional<Question> question(std::move(*from));
  from->~Question();
  turn.store(head_ + mask_ + 1, std::memory_order_release);
  ++head_;
  return question;
}

bool QuestionQueue::may_sleep() noexcept {
  asleep_.store(true, std::memory_order_seq_cst);
  if (turn_[head_ & mask_].load(std::memory_order_seq_cst) != head_ + 1) return true;
  asleep_.store(false, std::memory_order_relaxed);
  return false;
}

void QuestionQueue::wake() noexcept {
  const std::uint64_t one = 1;
  (void)!write(event_, &one, sizeof one);
}

} // namespace signpost::server
