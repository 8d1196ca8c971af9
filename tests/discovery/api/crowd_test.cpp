#include <doctest/doctest.h>

#include <memory>
#include <thread>
#include <vector>

#include "discovery/api/crowd.hpp"

using signpost::api::Crowd;
using Phase = Crowd::Phase;

namespace {

Crowd::Source source(std::uint8_t last) {
  Crowd::Source source{};
  source.back() = last;
  return source;
}

struct Room {
  explicit Room(Crowd::Limits limits) : crowd(limits, [this] { ++left; }) {}
  /// A member's index; asked[index] tells whether it was asked to leave.
  std::size_t come(std::uint8_t from) {
    const std::size_t index = members.size();
    asked.push_back(0);
    members.push_back(std::make_unique<Crowd::Member>(crowd, source(from), [this, index] { ++asked[index]; }));
    return index;
  }
  int left = 0;
  std::vector<int> asked;
  Crowd crowd;
  std::vector<std::unique_ptr<Crowd::Member>> members;
};

TEST_CASE("the longest silent makes room, once") {
  Room room({.connections = 3});
  for (std::uint8_t i = 0; i < 3; ++i) room.come(i);
  room.members[0]->enter(Phase::working);
  room.members[0]->enter(Phase::silent); // now the last to fall silent
  CHECK(room.crowd.make_room(source(9)));
  CHECK(room.asked == std::vector<int>{0, 1, 0});
  room.come(9);
  CHECK(room.crowd.overfull());
  room.members[1].reset();
  CHECK(room.left == 1);
  CHECK_FALSE(room.crowd.overfull());
  CHECK(room.crowd.make_room(source(9)));
  CHECK(room.asked == std::vector<int>{0, 1, 1, 0});
}

TEST_CASE("an address that has more than its share makes room before all others") {
  Room room({.connections = 32});
  room.come(1); // silent for longest
  for (int i = 0; i < 31; ++i) room.come(2);
  for (int i = 0; i < 27; ++i) CHECK(room.crowd.make_room(source(3)));
  CHECK(room.asked[0] == 0);
  CHECK(room.crowd.size() == 32);
}

TEST_CASE("who is served stays; who takes nothing goes, and a watch of an address with many for another address") {
  Room room({.connections = 8, .patience = std::chrono::milliseconds(0)});
  for (int i = 0; i < 8; ++i) room.members[room.come(1)]->enter(Phase::working);
  CHECK_FALSE(room.crowd.make_room(source(2)));
  room.members[3]->enter(Phase::sending);
  CHECK(room.crowd.make_room(source(1)));
  CHECK(room.asked[3] == 1);
  room.members[3].reset();
  room.members[room.come(1)]->enter(Phase::watching);
  CHECK_FALSE(room.crowd.make_room(source(1)));
  CHECK(room.crowd.make_room(source(2)));
  CHECK(room.asked[8] == 1);
}

TEST_CASE("octets that wait for readers are counted together, and those who take nothing go until they fit") {
  Room room({.connections = 8, .held_bytes = 120, .patience = std::chrono::milliseconds(0)});
  for (int i = 0; i < 4; ++i) {
    room.come(1);
    room.members.back()->enter(Phase::working);
    room.members.back()->hold(40);
  }
  CHECK(room.crowd.held() == 160);
  CHECK(room.crowd.holds_too_much());
  room.crowd.relieve(); // nobody can go
  room.members[2]->enter(Phase::sending);
  room.members[0]->enter(Phase::reading);
  room.members[1]->enter(Phase::sending);
  room.crowd.relieve();
  CHECK(room.asked == std::vector<int>{1, 0, 1, 0});
  room.members[0].reset();
  room.members[2].reset();
  CHECK(room.crowd.held() == 80);
  CHECK_FALSE(room.crowd.holds_too_much());
}

TEST_CASE("members come, change and go on many threads") {
  std::atomic<int> left{0};
  Crowd crowd({.connections = 40, .held_bytes = 1000, .patience = std::chrono::milliseconds(0)}, [&] { ++left; });
  std::vector<std::thread> threads;
  for (std::uint8_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      std::vector<std::unique_ptr<Crowd::Member>> members;
      for (int i = 0; i < 3000; ++i) {
        if (crowd.make_room(source(t)))
          members.push_back(std::make_unique<Crowd::Member>(crowd, source(static_cast<std::uint8_t>(i % 8)), [] {}));
        if (members.size() > 15) members.erase(members.begin());
        if (members.empty()) continue;
        members.back()->enter(static_cast<Phase>(i % 5));
        members.back()->hold(static_cast<std::size_t>(i % 200));
        crowd.relieve();
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(crowd.size() == 0);
  CHECK(crowd.held() == 0);
}

} // namespace
