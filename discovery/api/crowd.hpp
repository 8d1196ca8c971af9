// Who is connected, what each is doing and since when: so that there is room for those who do something.
//
// Connections are limited, and so are the octets of bodies that are not complete and of answers that wait for their
// readers, all together. When there is no room left, it is made by those who need it least: who says nothing, longest
// silent first (of an address that has more than its share before all others), then who does not take what is sent.
// Watches that have nothing to say are at work, too; only where one address has more than its share of them does one
// make room for another address.
//
// Threads: everything may be called from any.
#pragma once

#include <array>
#include <atomic>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <utility>

namespace signpost::api {

class Crowd {
public:
  using Clock = std::chrono::steady_clock;
  using Source = std::array<std::uint8_t, 16>; // an IPv6 address, or an IPv4 one mapped into them

  struct Limits {
    std::size_t connections = 8192;
    std::size_t held_bytes = 48 << 20;       // of bodies and answers that wait for those at the other end
    std::chrono::milliseconds patience{500}; // with them, once there is no room
  };

  enum class Phase : std::uint8_t {
    silent,   // between requests, or with a head that is not complete
    reading,  // sends the body of a request
    working,  // is being answered
    watching, // waits for something to be told
    sending,  // has not taken all that is sent
  };

  class Member;

  /// `room`: called when somebody has left whom make_room() asked to.
  Crowd(const Limits& limits, std::function<void()> room);
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  [[nodiscard]] std::size_t size() const;
  /// There are more than allowed; those who were asked to leave are still here.
  [[nodiscard]] bool overfull() const;
  /// Whether one more may come from there; where there are as many as allowed, another is asked to leave.
  [[nodiscard]] bool make_room(const Source& source);
  /// Descriptors or memory are out though there are fewer than allowed: asks one to leave, if somebody can.
  void shed();

  /// More octets wait than allowed: nobody should make more of them.
  [[nodiscard]] bool holds_too_much() const { return held() > limits_.held_bytes; }
  /// Then asks those to leave who have taken nothing, or have not completed their body, for too long.
  void relieve();
  [[nodiscard]] std::size_t held() const { return held_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

private:
  using Hook = boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
  struct Address;
  using Leave = std::function<void()>;

  [[nodiscard]] Member* front(Phase phase);
  [[nodiscard]] Member* longest_of(Phase one, Phase other);
  [[nodiscard]] Member* longest_silent();
  [[nodiscard]] Member* longest_stalled(Clock::time_point now);
  [[nodiscard]] Member* watcher_of_many(const Source& but_not);
  [[nodiscard]] std::size_t share() const;
  /// Takes it out of what may be asked; the lock is held.
  [[nodiscard]] Leave ask(Member& member);
  void grew(Address& address);
  void shrank(Address& address);

  const Limits limits_;
  const std::function<void()> room_;
  std::atomic<std::size_t> held_{0};
  std::atomic<std::uint64_t> dropped_{0};
  mutable std::mutex mutex_;

public:
  /// One connection. Begins in silence.
  class Member {
  public:
    /// `leave`: asks it to end, once; called without a lock, perhaps after the member is gone.
    Member(Crowd& crowd, const Source& source, std::function<void()> leave);
    ~Member();
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;

    /// From now on; also to say that there was progress in the same phase.
    void enter(Phase phase);
    /// Octets that wait for this one.
    void hold(std::size_t bytes);
    [[nodiscard]] bool holds() const { return held_.load(std::memory_order_relaxed) != 0; }

  private:
    friend class Crowd;
    Crowd& crowd_;
    const Leave leave_;
    Address* address_ = nullptr;
    Phase phase_ = Phase::silent;
    bool leaving_ = false;
    Clock::time_point since_;
    std::atomic<std::size_t> held_{0};
    Hook in_phase_, in_address_;
  };

private:
  using PhaseQueue = boost::intrusive::list<Member, boost::intrusive::member_hook<Member, Hook, &Member::in_phase_>,
                                            boost::intrusive::constant_time_size<false>>;
  using AddressQueue = boost::intrusive::list<Member, boost::intrusive::member_hook<Member, Hook, &Member::in_address_>,
                                              boost::intrusive::constant_time_size<false>>;
  struct Address {
    Source source;
    std::size_t members = 0;
    AddressQueue silent, watching; // longest first; who reads is among the silent
  };

  std::map<Source, Address> addresses_;
  std::set<std::pair<std::size_t, Address*>> by_size_;
  std::array<PhaseQueue, 5> phases_; // longest in it first
  std::size_t size_ = 0, leaving_ = 0;
};

} // namespace signpost::api
