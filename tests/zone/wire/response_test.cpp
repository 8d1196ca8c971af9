#include "zone/wire/response.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>

#include "tests/zone/wire/response_builder.hpp"

using namespace signpost;
using namespace signpost::testing;
using wire::upstream::Asked;
using wire::upstream::Fault;
using wire::upstream::Kind;
using wire::upstream::Response;

namespace {

constexpr std::uint16_t id = 0x1234;
const Octets www = name("www.example.com");
const Octets address = ipv4(192, 0, 2, 1);

struct Reader {
  std::unique_ptr<Response> response = std::make_unique<Response>();
  Asked asked{.qname = www, .type = 1, .id = id};

  const Response& read(const Message& message) {
    // Copied to its exact size, so that the sanitizer sees a read past the end.
    const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[message.size()]);
    std::copy(message.octets().begin(), message.octets().end(), exact.get());
    wire::upstream::read_response({exact.get(), message.size()}, asked, *response);
    return *response;
  }
};

Message reply(std::size_t flags = 0x8180) { return std::move(Message(id, flags).question(www, 1)); }

} // namespace

TEST_CASE("an answer is read with the least of its TTLs") {
  Reader reader;
  const Response& r =
      reader.read(reply().answer(pointer(12), 1, 300, address).answer(pointer(12), 1, 60, address).opt());
  CHECK(r.fault == Fault::none);
  CHECK(r.kind == Kind::answer);
  CHECK(r.answers == 2);
  CHECK(r.ttl == 60);
  CHECK(r.edns);
  CHECK_FALSE(r.truncated);
}

TEST_CASE("what does not answer the question is a fault") {
  struct Row {
    const char* what;
    Message message;
    Fault fault;
  };
  const Octets a = Message::record(pointer(12), 1, 60, address);
  const Row rows[] = {
      {"a query", reply(0x0100), Fault::not_response},
      {"another opcode", reply(0x8180 | 0x2000), Fault::not_response},
      {"another id", Message(id + 1).question(www, 1), Fault::id},
      {"another name", Message(id).question(name("wwx.example.com"), 1), Fault::question},
      {"a longer name", Message(id).question(name("www.example.com.x"), 1), Fault::question},
      {"another type", Message(id).question(www, 28), Fault::question},
      {"another class", Message(id).question(www, 1, 3), Fault::question},
      {"no question", Message(id), Fault::question},
      {"two questions", reply().question(www, 1), Fault::question},
      {"question by pointer to itself", Message(id).question(pointer(12), 1), Fault::question},
      {"a record that is not there", reply().count(6, 1), Fault::name},
      {"65535 records that are not there", reply().answer(pointer(12), 1, 60, address).count(6, 65535), Fault::name},
      {"half a record", reply().count(6, 1).raw(Octets(a.begin(), a.begin() + 8)), Fault::record},
      {"rdata past the end", reply().count(6, 1).raw(Octets(a.begin(), a.end() - 1)), Fault::record},
      {"an address of 3 octets", reply().answer(pointer(12), 1, 60, {192, 0, 2}), Fault::record},
      {"an owner of 64-octet labels", reply().count(6, 1).raw({0x40}).raw(Octets(80, 'a')), Fault::name},
      {"a CNAME to a pointer to itself", reply().answer(pointer(12), 5, 60, pointer(45)), Fault::record},
      {"a CNAME with octets behind its name", reply().answer(pointer(12), 5, 60, name("a.b") + Octets{0}),
       Fault::record},
      {"a CNAME that runs out of its rdata", reply().answer(pointer(12), 5, 60, {3, 'a', 'b'}), Fault::record},
      {"a CNAME to itself", reply().answer(pointer(12), 5, 60, pointer(12)), Fault::chain},
  };
  Reader reader;
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(wire::upstream::to_string(reader.read(row.message).fault) == wire::upstream::to_string(row.fault));
  }
}

TEST_CASE("every proper prefix of a response is a fault or has fewer records believed") {
  const Message whole =
      reply().answer(pointer(12), 5, 60, name("w.example.net")).answer(name("w.example.net"), 1, 60, address).opt();
  Reader reader;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[length]);
    std::copy_n(whole.octets().begin(), length, exact.get());
    wire::upstream::read_response({exact.get(), length}, reader.asked, *reader.response);
    CHECK(reader.response->fault != Fault::none);
  }
}

TEST_CASE("the question's case matters where letters were drawn") {
  const Octets drawn = name("wWw.ExAmple.com");
  Reader reader;
  reader.asked.qname = drawn;
  CHECK(reader.read(reply().answer(pointer(12), 1, 60, address)).fault == Fault::none);
  reader.asked.exact_case = true;
  CHECK(reader.read(reply().answer(pointer(12), 1, 60, address)).fault == Fault::question_case);
  CHECK(reader.read(Message(id).question(drawn, 1).answer(pointer(12), 1, 60, address)).fault == Fault::none);
}

TEST_CASE("a chain is followed wherever its records stand, and strangers are left out") {
  Reader reader;
  const Response& r = reader.read(reply()
                                      .answer(name("c.example.net"), 1, 30, address)
                                      .answer(name("bank.example.org"), 1, 9, ipv4(203, 0, 113, 66))
                                      .answer(name("B.example.net"), 5, 50, name("C.Example.net"))
                                      .answer(pointer(12), 5, 40, name("b.example.net"))
                                      .authority(name("example.org"), 2, 5, name("evil.example.org"))
                                      .additional(name("evil.example.org"), 1, 5, address));
  REQUIRE(r.fault == Fault::none);
  CHECK(r.kind == Kind::answer);
  CHECK(r.chain_length == 2);
  REQUIRE(r.answers == 3);
  CHECK(r.authorities == 0);
  CHECK(r.records[0].type == 5);
  CHECK(r.records[1].type == 5);
  CHECK(r.records[2].type == 1);
  CHECK(r.ttl == 30);
}

namespace {

/// www.example.com CNAME n0 … CNAME n(links-1), an address there; reversed: the last record first.
Message chain_of(std::size_t links, bool reversed = false) {
  std::vector<Octets> records;
  Octets owner = www;
  for (std::size_t i = 0; i < links; ++i) {
    const Octets next = name("n" + std::to_string(i));
    records.push_back(Message::record(owner, 5, 60, next));
    owner = next;
  }
  records.push_back(Message::record(owner, 1, 60, address));
  if (reversed) std::reverse(records.begin(), records.end());
  Message message = reply();
  for (const Octets& record : records) message.raw(record);
  return message.count(6, records.size());
}

} // namespace

TEST_CASE("a sound chain is an answer, however long and in whatever order") {
  Reader reader;
  for (const std::size_t links : {1u, 11u, 12u, 60u, 150u}) {
    for (const bool reversed : {false, true}) {
      CAPTURE(links);
      CAPTURE(reversed);
      const Response& r = reader.read(chain_of(links, reversed));
      REQUIRE(r.fault == Fault::none);
      CHECK(r.kind == Kind::answer);
      CHECK(r.chain_length == links);
      CHECK(r.answers == links + 1);
      CHECK(r.set_at == links);
      CHECK(r.set_size == 1);
    }
  }
  CHECK(reader.read(chain_of(900)).answers == 901);
}

TEST_CASE("a loop of CNAMEs is an error, wherever it closes") {
  Reader reader;
  CHECK(reader.read(reply().answer(pointer(12), 5, 60, pointer(12))).fault == Fault::chain);
  CHECK(reader.read(reply().answer(pointer(12), 5, 60, name("b")).answer(name("B"), 5, 60, www)).fault == Fault::chain);
  CHECK(reader
            .read(reply()
                      .answer(pointer(12), 5, 60, name("b"))
                      .answer(name("b"), 5, 60, name("c"))
                      .answer(name("c"), 5, 60, name("b")))
            .fault == Fault::chain);
  reader.asked.type = 5; // who asks for the alias itself follows none
  CHECK(reader.read(Message(id).question(www, 5).answer(pointer(12), 5, 60, pointer(12))).fault == Fault::none);
}

TEST_CASE("whose a message is, and what is wrong with it, are two things") {
  for (const Fault fault : {Fault::runt, Fault::not_response, Fault::id, Fault::question, Fault::question_case})
    CHECK(wire::upstream::is_strangers(fault));
  for (const Fault fault : {Fault::none, Fault::name, Fault::record, Fault::too_many, Fault::chain})
    CHECK_FALSE(wire::upstream::is_strangers(fault));
  Reader reader;
  for (const std::size_t rcode : {1u, 2u, 4u, 5u, 9u}) { // a bare header refuses …
    CHECK(reader.read(Message(id, 0x8180 | rcode)).fault == Fault::none);
    CHECK(reader.response->kind == Kind::failure);
    CHECK(reader.response->rcode == rcode);
  }
  CHECK(reader.read(Message(id, 0x8180)).fault == Fault::question); // … and answers nothing
  CHECK(reader.read(Message(id, 0x8183)).fault == Fault::question);
}

TEST_CASE("the addresses of SRV's and MX's hosts are believed, each once, and no others") {
  Reader reader;
  const Octets one = name("one.example.net"), two = name("two.example.net");
  for (const std::size_t type : {33u, 15u, 1u}) {
    CAPTURE(type);
    reader.asked.type = static_cast<std::uint16_t>(type);
    const Octets before = type == 33 ? u16(1) + u16(1) + u16(80) : u16(1);
    Message message = Message(id).question(www, type);
    if (type == 1)
      message.answer(pointer(12), 1, 60, address);
    else
      message.answer(pointer(12), type, 60, before + one)
          .answer(pointer(12), type, 60, before + two)
          .answer(pointer(12), type, 60, before + one);
    message.additional(two, 1, 5, address)
        .additional(name("ONE.example.net"), 28, 5, Octets(16, 1))
        .additional(name("three.example.net"), 1, 5, address)
        .additional(one, 16, 5, Octets{1, 'x'})
        .additional(one, 1, 5, Octets{1, 2, 3})
        .additional(one, 1, 5, address);
    const Response& r = reader.read(message);
    REQUIRE(r.fault == Fault::none);
    CHECK(r.additionals == (type == 1 ? 0 : 3));
    CHECK(r.ttl == 60);
  }
}

TEST_CASE("extended errors are found in the OPT record, broken ones are not") {
  const auto with_options = [](std::size_t flags, const Octets& options) {
    return std::move(
        reply(flags).count(10, 1).raw(Octets{0} + u16(41) + u16(1232) + u32(0) + u16(options.size()) + options));
  };
  const Octets blocked = u16(15) + u16(2) + u16(15), text = u16(15) + u16(5) + u16(6) + Octets{'b', 'a', 'd'};
  Reader reader;
  const Response& r = reader.read(with_options(0x8182, u16(10) + u16(1) + Octets{7} + blocked + text));
  REQUIRE(r.fault == Fault::none);
  REQUIRE(r.error_count == 2);
  CHECK(r.errors[0].code == 15);
  CHECK(r.errors[0].text_length == 0);
  CHECK(r.errors[1].code == 6);
  CHECK(r.errors[1].text_length == 3);
  CHECK(reader.read(with_options(0x8180, u16(15) + u16(1) + Octets{0})).error_count == 0);
  CHECK(reader.read(with_options(0x8180, u16(15) + u16(9) + u16(1))).error_count == 0);
  CHECK(reader.read(with_options(0x8180, blocked + blocked + blocked + blocked + blocked)).error_count == 4);
}

TEST_CASE("a denial lasts the lesser of the SOA's TTL and MINIMUM, and none without a SOA above the name") {
  struct Row {
    const char* what;
    Message message;
    Kind kind;
    std::uint32_t ttl;
    std::size_t authorities;
  };
  const Octets zone = name("example.com");
  const Row rows[] = {
      {"MINIMUM is less", reply(0x8183).authority(zone, 6, 900, soa(30)), Kind::nxdomain, 30, 1},
      {"TTL is less", reply(0x8183).authority(zone, 6, 20, soa(300)), Kind::nxdomain, 20, 1},
      {"no data", reply().authority(zone, 6, 900, soa(60)), Kind::nodata, 60, 1},
      {"the root's SOA", reply(0x8183).authority(name("."), 6, 900, soa(60)), Kind::nxdomain, 60, 1},
      {"no SOA", reply(0x8183), Kind::nxdomain, 0, 0},
      {"a referral", reply().authority(zone, 2, 900, name("ns.example.com")), Kind::nodata, 0, 0},
      {"a SOA elsewhere", reply(0x8183).authority(name("example.org"), 6, 900, soa(60)), Kind::nxdomain, 0, 0},
      {"a SOA below", reply(0x8183).authority(name("a.www.example.com"), 6, 900, soa(60)), Kind::nxdomain, 0, 0},
      {"a SOA in the answer", reply(0x8183).answer(zone, 6, 900, soa(60)), Kind::nxdomain, 0, 0},
      {"a SOA that is none", reply(0x8183).authority(zone, 6, 900, {0, 0, 1}), Kind::nxdomain, 0, 0},
      {"TTL with its top bit", reply(0x8183).authority(zone, 6, 0x80000001u, soa(60)), Kind::nxdomain, 0, 1},
      {"denial behind a CNAME",
       reply(0x8183).answer(pointer(12), 5, 7, name("x.example.net")).authority(name("example.net"), 6, 900, soa(60)),
       Kind::nxdomain, 7, 1},
      {"SOA of the alias, not of its target",
       reply(0x8183).answer(pointer(12), 5, 7, name("x.example.net")).authority(zone, 6, 900, soa(60)), Kind::nxdomain,
       0, 0},
      {"NXDOMAIN with records", reply(0x8183).answer(pointer(12), 1, 60, address), Kind::answer, 0, 0},
  };
  Reader reader;
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const Response& r = reader.read(row.message);
    CHECK(r.fault == Fault::none);
    CHECK(r.kind == row.kind);
    CHECK(r.ttl == row.ttl);
    CHECK(r.authorities == row.authorities);
  }
}

TEST_CASE("other rcodes are failures, with the upper bits from the OPT") {
  Reader reader;
  CHECK(reader.read(reply(0x8182)).kind == Kind::failure);
  CHECK(reader.response->rcode == 2);
  CHECK(reader.read(reply(0x8187).opt(1)).rcode == 23);
  CHECK(reader.response->kind == Kind::failure);
  // A server from before EDNS.
  CHECK(reader.read(Message(id, 0x8181)).fault == Fault::none);
  CHECK(reader.response->rcode == 1);
}

TEST_CASE("of a cut response counts what stands whole, and it may not be kept") {
  Reader reader;
  CHECK(reader.read(reply(0x8380).count(6, 40)).fault == Fault::none);
  CHECK(reader.response->truncated);
  CHECK(reader.response->answers == 0);
  Message message = reply(0x8380).answer(pointer(12), 1, 60, address).answer(pointer(12), 1, 60, address);
  message.answer(pointer(12), 1, 60, Octets{1, 2});
  Octets octets = message.octets();
  octets.resize(octets.size() - 1);
  wire::upstream::read_response(octets, reader.asked, *reader.response);
  CHECK(reader.response->fault == Fault::none);
  CHECK(reader.response->answers == 2);
  CHECK(reader.response->ttl == 0);
}

TEST_CASE("signatures and proofs are believed only where they are wanted") {
  const Octets signature = u16(1) + Octets(16, 0) + name("example.com") + Octets(64, 7);
  const Octets soa_signature = u16(6) + Octets(16, 0) + name("example.com") + Octets(64, 7);
  const Message signed_answer = reply().answer(pointer(12), 1, 60, address).answer(pointer(12), 46, 60, signature);
  const Message denial = reply(0x8183)
                             .authority(name("example.com"), 6, 60, soa(60))
                             .authority(name("example.com"), 46, 60, soa_signature)
                             .authority(name("example.com"), 47, 60, name("a.example.com") + Octets{0, 1, 0x40})
                             .authority(name("example.com"), 2, 60, name("ns.example.com"));
  Reader reader;
  CHECK(reader.read(signed_answer).answers == 1);
  CHECK(reader.read(denial).authorities == 1);
  reader.asked.dnssec_ok = true;
  CHECK(reader.read(signed_answer).answers == 2);
  CHECK(reader.read(denial).authorities == 3);
}

TEST_CASE("more records than a message of addresses has are refused") {
  Message message = reply();
  Octets records;
  const Octets one = Message::record({0}, 2, 1, {0});
  for (std::size_t i = 0; i <= wire::upstream::max_records; ++i) records.insert(records.end(), one.begin(), one.end());
  message.raw(records).count(6, wire::upstream::max_records + 1);
  Reader reader;
  CHECK(reader.read(message).fault == Fault::too_many);
}

TEST_CASE("a loop of CNAMEs with a signature each stays within its bounds") {
  Message message = reply();
  message.answer(pointer(12), 5, 60, pointer(12));
  const Octets signature = Message::record(pointer(12), 46, 60, u16(5) + Octets(16, 0) + Octets{0});
  Octets records;
  for (int i = 0; i < 2000; ++i) records.insert(records.end(), signature.begin(), signature.end());
  message.raw(records).count(6, 2001);
  Reader reader;
  reader.asked.dnssec_ok = true;
  const Fault fault = reader.read(message).fault;
  CHECK((fault == Fault::chain || fault == Fault::record));
}

TEST_CASE("names: pointers lead backwards, a bounded number of times") {
  Octets message(12, 0);
  const auto at = [&] { return message.size(); };
  message = message + name("example.com");
  const std::size_t www_at = at();
  message = message + Octets{3, 'w', 'w', 'w'} + pointer(12);
  std::array<std::uint8_t, wire::max_name> expanded{};
  CHECK(wire::upstream::expand_name(message, www_at, expanded) == 17);
  CHECK(wire::upstream::skip_name(message, www_at) == 6);
  CHECK(wire::upstream::is_name(message, www_at, name("WWW.example.COM")));
  CHECK_FALSE(wire::upstream::is_name(message, www_at, name("example.com")));
  std::size_t last = www_at;
  for (int i = 0; i < 63; ++i) {
    const std::size_t here = at();
    message = message + pointer(last);
    last = here;
  }
  CHECK(wire::upstream::expand_name(message, last, expanded) == 17);
  const std::size_t over = at();
  message = message + pointer(last);
  CHECK(wire::upstream::expand_name(message, over, expanded) == 0);
  const std::size_t forward = at();
  message = message + pointer(forward + 2) + name("a");
  CHECK(wire::upstream::expand_name(message, forward, expanded) == 0);
  const std::size_t header = at();
  message = message + pointer(4);
  CHECK(wire::upstream::expand_name(message, header, expanded) == 0);
}

TEST_CASE("names below zones") {
  CHECK(wire::upstream::below_or_same(name("a.b.c"), name("b.C")));
  CHECK(wire::upstream::below_or_same(name("b.c"), name("b.c")));
  CHECK(wire::upstream::below_or_same(name("b.c"), name(".")));
  CHECK_FALSE(wire::upstream::below_or_same(name("ab.c"), name("b.c")));
  CHECK_FALSE(wire::upstream::below_or_same(name("c"), name("b.c")));
  CHECK_FALSE(wire::upstream::below_or_same(name("."), name("c")));
}

TEST_CASE("random octets and broken responses do no harm") {
  std::mt19937 random(2308);
  Reader reader;
  reader.asked.dnssec_ok = true;
  const Octets signature = u16(5) + Octets(16, 0) + name("example.com") + Octets(8, 7);
  const Message sound = reply()
                            .answer(pointer(12), 5, 60, name("x") + Octets{})
                            .answer(pointer(12), 46, 60, signature)
                            .answer(pointer(16), 39, 60, name("example.net"))
                            .answer(name("x"), 1, 60, address)
                            .answer(name("x"), 35, 60, u32(1) + Octets{1, 'a', 1, 'b', 1, 'c'} + name("r.example.com"))
                            .authority(pointer(16), 6, 60, soa(60))
                            .opt();
  std::size_t believed = 0;
  for (int round = 0; round < 40000; ++round) {
    Octets octets;
    if (round % 4 == 0) {
      octets.resize(random() % 300);
      for (auto& octet : octets) octet = static_cast<std::uint8_t>(random());
      if (octets.size() > 12 && round % 8 == 0) std::copy_n(sound.octets().begin(), 12, octets.begin());
    } else {
      octets = sound.octets();
      for (auto i = random() % 6; i > 0; --i) {
        const std::size_t from = round % 2 == 0 ? 33 : 0;
        octets[from + random() % (octets.size() - from)] =
            static_cast<std::uint8_t>(random() % 3 == 0 ? 0xc0 : random());
      }
      octets.resize(octets.size() - (random() % 4 == 0 ? random() % 40 : 0));
    }
    reader.asked.type = random() % 2 == 0 ? 1 : static_cast<std::uint16_t>(random() % 60);
    const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[octets.size()]);
    std::copy(octets.begin(), octets.end(), exact.get());
    wire::upstream::read_response({exact.get(), octets.size()}, reader.asked, *reader.response);
    if (reader.response->fault == Fault::none) ++believed;
  }
  CHECK(believed > 100); // the mutations do reach the records
}
