#include "discovery/api/crowd.hpp"

#include <algorithm>
#include <vector>

namespace signpost::api {
namespace {

constexpr std::size_t shares = 8; // an address that has more than an eighth of all makes room first

} // namespace

Crowd::Crowd(const Limits& limits, std::function<void()> room) : limits_(limits), room_(std::move(room)) {}

std::size_t Crowd::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

bool Crowd::overfull() const {
  const std::lock_guard lock(mutex_);
  return size_ > limits_.connections;
}

std::size_t Crowd::share() const { return std::max<std::size_t>(1, limits_.connections / shares); }

Crowd::Member* Crowd::front(Phase phase) {
  PhaseQueue& queue = phases_[static_cast<std::size_t>(phase)];
  return queue.empty() ? nullptr : &queue.front();
}

Crowd::Member* Crowd::longest_of(Phase one, Phase other) {
  Member *const first = front(one), *const second = front(other);
  return first == nullptr || (second != nullptr && second->since_ < first->since_) ? second : first;
}

Crowd::Member* Crowd::longest_silent() {
  for (auto largest = by_size_.rbegin(); largest != by_size_.rend() && largest->first > share(); ++largest)
    if (!largest->second->silent.empty()) return &largest->second->silent.front();
  return longest_of(Phase::silent, Phase::reading);
}

Crowd::Member* Crowd::longest_stalled(Clock::time_point now) {
  Member* const member = front(Phase::sending);
  return member != nullptr && now - member->since_ >= limits_.patience ? member : nullptr;
}

Crowd::Member* Crowd::watcher_of_many(const Source& but_not) {
  const auto same = addresses_.find(but_not);
  for (auto largest = by_size_.rbegin(); largest != by_size_.rend() && largest->first > share(); ++largest) {
    if (same != addresses_.end() && largest->second == &same->second) continue;
    if (!largest->second->watching.empty()) return &largest->second->watching.front();
  }
  return nullptr;
}

Crowd::Leave Crowd::ask(Member& member) {
  member.in_phase_.unlink();
  member.in_address_.unlink();
  member.leaving_ = true;
  ++leaving_;
  dropped_.fetch_add(1, std::memory_order_relaxed);
  return member.leave_;
}

bool Crowd::make_room(const Source& source) {
  Leave leave;
  {
    const std::lock_guard lock(mutex_);
    if (size_ - leaving_ < limits_.connections) return true;
    Member* member = longest_silent();
    if (member == nullptr) member = longest_stalled(Clock::now());
    if (member == nullptr) member = watcher_of_many(source);
    if (member == nullptr) return false;
    leave = ask(*member);
  }
  leave();
  return true;
}

void Crowd::shed() {
  Leave leave;
  {
    const std::lock_guard lock(mutex_);
    Member* member = longest_silent();
    if (member == nullptr) member = longest_stalled(Clock::now());
    if (member == nullptr) return;
    leave = ask(*member);
  }
  leave();
}

void Crowd::relieve() {
  if (!holds_too_much()) return;
  std::vector<Leave> leaves;
  {
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    // Some room for those who wait, too.
    for (std::size_t left = held(); left > limits_.held_bytes / 4 * 3;) {
      Member* const member = longest_of(Phase::sending, Phase::reading);
      if (member == nullptr || now - member->since_ < limits_.patience) break;
      left -= std::min(left, member->held_.load(std::memory_order_relaxed));
      leaves.push_back(ask(*member));
    }
  }
  for (const Leave& leave : leaves) leave();
}

void Crowd::grew(Address& address) {
  if (address.members == 0) {
    by_size_.emplace(1, &address);
  } else {
    auto node = by_size_.extract({address.members, &address});
    ++node.value().first;
    by_size_.insert(std::move(node));
  }
  ++address.members;
}

void Crowd::shrank(Address& address) {
  auto node = by_size_.extract({address.members, &address});
  if (--address.members == 0) {
    const Source source = address.source;
    addresses_.erase(source);
  } else {
    --node.value().first;
    by_size_.insert(std::move(node));
  }
}

Crowd::Member::Member(Crowd& crowd, const Source& source, std::function<void()> leave)
    : crowd_(crowd), leave_(std::move(leave)), since_(Clock::now()) {
  const std::lock_guard lock(crowd_.mutex_);
  address_ = &crowd_.addresses_[source];
  address_->source = source;
  crowd_.grew(*address_);
  address_->silent.push_back(*this);
  crowd_.phases_[static_cast<std::size_t>(phase_)].push_back(*this);
  ++crowd_.size_;
}

Crowd::Member::~Member() {
  hold(0);
  {
    const std::lock_guard lock(crowd_.mutex_);
    in_phase_.unlink();
    in_address_.unlink();
    crowd_.shrank(*address_);
    --crowd_.size_;
    if (!leaving_) return;
    --crowd_.leaving_;
  }
  crowd_.room_();
}

void Crowd::Member::enter(Phase phase) {
  const std::lock_guard lock(crowd_.mutex_);
  if (leaving_) return;
  in_phase_.unlink();
  in_address_.unlink();
  phase_ = phase;
  since_ = Clock::now();
  crowd_.phases_[static_cast<std::size_t>(phase)].push_back(*this);
  if (phase == Phase::silent || phase == Phase::reading) address_->silent.push_back(*this);
  if (phase == Phase::watching) address_->watching.push_back(*this);
}

void Crowd::Member::hold(std::size_t bytes) {
  const std::size_t before = held_.exchange(bytes, std::memory_order_relaxed);
  if (bytes != before) crowd_.held_.fetch_add(bytes - before, std::memory_order_relaxed);
}

} // namespace signpost::api
