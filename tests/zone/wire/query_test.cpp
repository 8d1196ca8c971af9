#include <doctest/doctest.h>

#include <random>

#include "tests/zone/ask.hpp"
#include "zone/wire/edns.hpp"
#include "zone/wire/types.hpp"

using namespace signpost;
using namespace signpost::test;

namespace {

wire::Query read(const Bytes& packet) {
  wire::Query query;
  wire::read_query(packet, query);
  return query;
}

Bytes with_option(unsigned code, const Bytes& data) {
  Bytes packet = query_octets("web.default.svc.cluster.local.", 1, {.edns = true});
  packet[packet.size() - 1] = static_cast<std::uint8_t>(data.size() + 4);
  put16(packet, code);
  put16(packet, static_cast<unsigned>(data.size()));
  packet.insert(packet.end(), data.begin(), data.end());
  return packet;
}

} // namespace

TEST_CASE("a plain query is described by its offsets") {
  const auto query = read(query_octets("WeB.Default.SVC.cluster.local.", 28, {}));
  CHECK(query.check == wire::Check::ok);
  CHECK(query.id == 0x1234);
  CHECK(query.type == 28);
  CHECK(query.klass == 1);
  CHECK(query.labels == 5);
  CHECK(query.name_length == 31);
  CHECK(query.question_length == 35);
  CHECK(query.recursion_desired());
  CHECK(!query.checking_disabled());
  CHECK(query.udp_size == 512);
  CHECK(!query.edns);
  CHECK(Bytes(query.qname().begin(), query.qname().end()) == name_octets("web.default.svc.cluster.local."));
  const std::vector<int> offsets(query.label_offset.begin(), query.label_offset.begin() + 6);
  CHECK(offsets == std::vector<int>{0, 4, 12, 16, 24, 30});
  for (std::size_t i = 0; i < 8; ++i) CHECK(query.name[query.name_length + i] == 0);
}

TEST_CASE("every octet of a name is lower-cased as ASCII has it, at every length") {
  for (std::size_t length = 1; length <= 63; ++length) {
    for (int first = 0; first < 256; first += 3) {
      Bytes packet{0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(length)};
      for (std::size_t i = 0; i < length; ++i) packet.push_back(static_cast<std::uint8_t>(first + static_cast<int>(i)));
      packet.push_back(0);
      for (const unsigned word : {1u, 1u}) put16(packet, word);
      const auto query = read(packet);
      REQUIRE(query.check == wire::Check::ok);
      for (std::size_t i = 0; i < length; ++i) {
        const std::uint8_t octet = packet[13 + i];
        REQUIRE(int{query.name[1 + i]} == (octet >= 'A' && octet <= 'Z' ? octet + 32 : int{octet}));
      }
    }
  }
}

TEST_CASE("EDNS: size is kept within bounds, DO and version are read") {
  for (const auto& [told, kept] : std::vector<std::pair<std::uint16_t, std::uint16_t>>{
           {0, 512}, {511, 512}, {512, 512}, {900, 900}, {1232, 1232}, {1233, 1232}, {65535, 1232}}) {
    const auto query = read(query_octets("a.", 1, {.edns = true, .size = told, .dnssec_ok = true}));
    CHECK(query.check == wire::Check::ok);
    CHECK(query.edns);
    CHECK(query.dnssec_ok);
    CHECK(query.udp_size == kept);
  }
  auto packet = query_octets("a.", 1, {.edns = true});
  packet[packet.size() - 5] = 1;
  CHECK(read(packet).rcode == wire::Rcode::badvers);
}

TEST_CASE("a query read after another owes nothing to it") {
  wire::Query query;
  wire::read_query(query_octets("a.b.c.", 28, {.edns = true, .size = 1000, .dnssec_ok = true}), query);
  wire::read_query(query_octets("d.", 1, {}), query);
  CHECK(query.check == wire::Check::ok);
  CHECK(!query.edns);
  CHECK(!query.dnssec_ok);
  CHECK(query.udp_size == 512);
  CHECK(query.labels == 1);
  wire::read_query(Bytes{0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, query);
  CHECK(query.check == wire::Check::error);
  CHECK(query.question_length == 0);
}

TEST_CASE("options of a known shape must have it") {
  struct Option {
    unsigned code;
    Bytes data;
    bool sound;
  };
  for (const auto& [code, data, sound] : std::vector<Option>{
           {8, {0, 1, 24, 0, 192, 0, 2}, true},
           {8, {0, 1, 24, 0, 192, 0}, false},
           {8, {0, 1, 33, 0, 1, 2, 3, 4, 5}, false},
           {8, {0, 1, 20, 0, 192, 0, 0x20}, true},
           {8, {0, 1, 20, 0, 192, 0, 0x21}, false},
           {8, {0, 1, 24, 1, 192, 0, 2}, false},
           {8, {0, 2, 0, 0}, true},
           {8, {0, 0, 0, 0}, true},
           {8, {0, 9, 1, 0, 1}, true},
           {10, Bytes(8), true},
           {10, Bytes(7), false},
           {10, Bytes(9), false},
           {10, Bytes(16), true},
           {10, Bytes(40), true},
           {10, Bytes(41), false},
           {11, {}, true},
           {11, {0, 1}, true},
           {11, {0}, false},
           {12, Bytes(100), true},
           {65001, {1, 2, 3}, true},
       }) {
    CAPTURE(code);
    CAPTURE(data.size());
    CHECK(read(with_option(code, data)).check == (sound ? wire::Check::ok : wire::Check::error));
  }
}

TEST_CASE("errors echo the question, keep RD and CD, answer EDNS with EDNS, and are never longer than query and OPT") {
  for (const bool edns : {false, true}) {
    Bytes packet = query_octets("WeB.x.", 1, {.edns = edns, .dnssec_ok = edns, .flags = 0x0130});
    auto query = read(packet);
    query.reply_flags = wire::flag::ra;
    Bytes buffer = packet;
    buffer.resize(1232);
    const std::size_t length = wire::write_error(buffer, query, wire::Rcode::refused);
    CHECK(length == packet.size());
    CHECK(wire::load16(&buffer[2]) == 0x8195);
    buffer.resize(length);
    Reply reply;
    decode(buffer, reply);
    CHECK(reply.sound);
    CHECK(reply.rcode == "REFUSED");
    CHECK(reply.edns == edns);
    Bytes tight = packet;
    tight.resize(12 + query.question_length);
    CHECK(wire::write_error(tight, query, wire::Rcode::refused) == tight.size());
  }
  const Bytes bare{0, 7, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0};
  const auto query = read(bare);
  CHECK(query.rcode == wire::Rcode::formerr);
  Bytes buffer = bare;
  CHECK(wire::write_error(buffer, query, query.rcode) == 12);
  CHECK(wire::load16(&buffer[4]) == 0);
}

TEST_CASE("any octets at all are read within their bounds") {
  std::mt19937 random(7);
  const Bytes seed = with_option(10, Bytes(8));
  int sound = 0;
  for (int round = 0; round < 80'000; ++round) {
    Bytes packet = seed;
    for (unsigned changes = random() % 4; changes > 0; --changes)
      packet[random() % packet.size()] = static_cast<std::uint8_t>(random());
    if (random() % 4 == 0) packet.resize(random() % (packet.size() + 1));
    if (random() % 8 == 0) {
      for (auto& octet : packet) octet = static_cast<std::uint8_t>(random());
    }
    packet.shrink_to_fit(); // so that the sanitizers see the end
    const auto query = read(packet);
    if (query.check == wire::Check::drop) continue;
    if (query.check == wire::Check::ok) ++sound;
    REQUIRE(query.question_length + 12u <= std::max<std::size_t>(packet.size(), 12));
    REQUIRE(query.name_length <= wire::max_name);
    Bytes buffer = packet;
    buffer.resize(packet.size() + 11);
    REQUIRE(wire::write_error(buffer, query, wire::Rcode::refused) <= packet.size() + 11);
  }
  CHECK(sound > 500);
}
