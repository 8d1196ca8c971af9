#include <doctest/doctest.h>

#include <random>

#include "client/resolver/message.hpp"
#include "tests/client/dns_responder.hpp"

using namespace signpost::resolver;
using testing::Octets;

namespace {

testing::Asked question(const std::string& name, std::uint16_t qtype) {
  return {.name = name, .type = qtype, .query = write_query(name, qtype, 0x1234)};
}

Octets header(unsigned answers) {
  Octets out;
  for (const unsigned value : {0x1234u, 0x8180u, 0u, answers, 0u, 0u}) testing::put16(out, value);
  return out;
}

Octets joined(Octets first, const Octets& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

} // namespace

TEST_CASE("queries are what the wire has") {
  const Octets expected{0x12, 0x34, 1, 0, 0, 1, 0, 0, 0,  0, 0,    1, 3, 'w', 'e', 'b', 1,
                        'a',  0,    0, 1, 0, 1, 0, 0, 41, 4, 0xd0, 0, 0, 0,   0,   0,   0};
  CHECK(write_query("web.a", type::a, 0x1234) == expected);
  CHECK(write_query("web.a.", type::a, 0x1234) == expected);
  CHECK(write_query(".", type::ns, 1).size() == 12 + 5 + 11);
  const std::string long_label(64, 'a');
  for (const auto& name : {std::string("a..b"), std::string(".a"), long_label, std::string(300, 'a')})
    CHECK(write_query(name, type::a, 1).empty());
}

TEST_CASE("replies are read, with all their sections") {
  const auto asked = question("web.test", type::srv);
  testing::Reply reply(asked);
  reply.answer("web.test", type::srv, 5, testing::srv_data(1, 2, 80, "Target.Test"));
  reply.additional("target.test", type::a, 6, testing::address_data("10.0.0.1"));
  reply.additional("", type::opt, 0x01000000, {0, 15, 0, 5, 0, 3, 'o', 'l', 'd'});
  const auto bytes = reply.bytes();
  const auto read = read_reply(bytes);
  REQUIRE(read);
  CHECK(read->qname == "web.test");
  CHECK(read->rcode == 16);
  CHECK(read->ede == 3);
  CHECK(read->ede_text == "old");
  REQUIRE(read->records.size() == 2);
  CHECK(read_srv(bytes, read->records[0])->target == "target.test");
  CHECK(rdata_text(bytes, read->records[0]) == "1 2 80 target.test.");
  CHECK(rdata_text(bytes, read->records[1]) == "10.0.0.1");
  CHECK(read->records[1].section == Section::additional);
}

TEST_CASE("record data reads as zone files have it") {
  struct Case {
    unsigned type;
    Octets data;
    const char* text;
  };
  auto soa = joined(testing::wire_name("ns.x"), testing::wire_name("admin.x"));
  for (unsigned i = 1; i <= 5; ++i) soa = joined(soa, {0, 0, 0, static_cast<std::uint8_t>(i)});
  for (const Case& c :
       {Case{type::aaaa, testing::address_data("fd00::1"), "fd00::1"},
        Case{type::cname, testing::wire_name("a.b"), "a.b."}, Case{type::ptr, testing::wire_name(""), "."},
        Case{type::txt, {3, 'd', '"', 'q', 1, 7}, R"("d\"q" "\007")"}, Case{type::soa, soa, "ns.x. admin.x. 1 2 3 4 5"},
        Case{type::mx, joined({0, 10}, testing::wire_name("m.x")), "10 m.x."}, Case{type::a, {1, 2, 3}, "\\# 3 010203"},
        Case{type::txt, {9, 'a'}, "\\# 2 0961"}, Case{type::srv, {0, 1}, "\\# 2 0001"}, Case{65280, {}, "\\# 0"},
        Case{65280, {0xab}, "\\# 1 ab"}}) {
    const auto asked = question("x", static_cast<std::uint16_t>(c.type));
    const auto bytes = testing::Reply(asked).answer("x", c.type, 1, c.data).bytes();
    const auto read = read_reply(bytes);
    REQUIRE(read);
    CHECK(rdata_text(bytes, read->records.at(0)) == c.text);
  }
}

TEST_CASE("hostile messages are refused") {
  const Octets record_tail{0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 0, 0, 1};
  CHECK(read_reply(joined(header(1), joined({1, 'a', 0}, record_tail))));
  struct Case {
    const char* what;
    Octets message;
  };
  for (const Case& c : {
           Case{"a pointer to itself", joined(header(1), joined({0xc0, 12}, record_tail))},
           Case{"a pointer forward", joined(header(1), joined({0xc0, 20}, record_tail))},
           Case{"a pointer into the header", joined(header(1), joined({0xc0, 4}, record_tail))},
           Case{"a label of an unknown kind", joined(header(1), joined({0x41, 'a', 0}, record_tail))},
           Case{"a label past the end", joined(header(1), {63, 'a'})},
           Case{"data past the end", joined(header(1), {1, 'a', 0, 0, 1, 0, 1, 0, 0, 0, 5, 0, 5, 10, 0, 0, 1})},
           Case{"more records than there are", joined(header(2), joined({1, 'a', 0}, record_tail))},
           Case{"two questions", Octets{0, 1, 0x80, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1}},
           Case{"a query", write_query("a", type::a, 1)},
           Case{"OPT in the answer section", joined(header(1), {0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0})},
       }) {
    CAPTURE(c.what);
    CHECK_FALSE(read_reply(c.message).has_value());
  }
}

TEST_CASE("a chain of pointers ends") {
  // Each name is a pointer to the one before; a reader that follows them all does work that grows with the square.
  Octets message = header(0);
  const auto asked = question("x", type::a);
  Octets chain{1, 'a', 0};
  Octets out = joined(header(1), {1, 'a', 0, 0, 16, 0, 1, 0, 0, 0, 0});
  testing::put16(out, 100);
  std::size_t last = 12;
  for (int i = 0; i < 50; ++i) {
    const auto here = out.size();
    testing::put16(out, 0xc000u | static_cast<unsigned>(last));
    last = here;
  }
  REQUIRE(read_reply(out));
  std::size_t shallow = 12 + 3 + 10 + 2 * 10, deep = 12 + 3 + 10 + 2 * 49;
  CHECK(read_name(out, shallow, out.size()) == "a");
  CHECK_FALSE(read_name(out, deep, out.size()).has_value());
}

TEST_CASE("any damage to a reply is survived") {
  const auto asked = question("web.test", type::srv);
  testing::Reply reply(asked);
  reply.answer("web.test", type::srv, 5, testing::srv_data(1, 2, 80, "target.test"));
  reply.answer("web.test", type::cname, 5, testing::wire_name("b.test"));
  reply.additional("target.test", type::a, 6, testing::address_data("10.0.0.1"));
  const auto whole = reply.bytes();
  const auto look = [](const Octets& bytes) {
    const auto read = read_reply(bytes);
    if (!read) return;
    for (const auto& record : read->records) CHECK(rdata_text(bytes, record).size() < 100'000);
  };
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Octets cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_FALSE(read_reply(cut).has_value());
  }
  std::mt19937 random(42);
  for (int i = 0; i < 20'000; ++i) {
    auto damaged = whole;
    for (unsigned n = 1 + random() % 4; n > 0; --n)
      damaged[random() % damaged.size()] = static_cast<std::uint8_t>(random());
    look(damaged);
  }
}

TEST_CASE("types have names") {
  CHECK(type_number("aaaa") == 28);
  CHECK(type_number("TYPE65280") == 65280);
  for (const auto* const text : {"", "NOSUCH", "TYPE", "TYPE65536", "TYPE1x", "OPT"}) CHECK(type_number(text) == 0);
  CHECK(type_text(33) == "SRV");
  CHECK(type_text(65280) == "TYPE65280");
  CHECK(rcode_text(3) == "NXDOMAIN");
  CHECK(rcode_text(23) == "RCODE23");
}
