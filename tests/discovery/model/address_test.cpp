#include "discovery/model/address.hpp"

#include <doctest/doctest.h>

using signpost::model::Address;
using signpost::model::Family;
using signpost::model::Prefix;

TEST_CASE("an address prints in its canonical form") {
  struct Row {
    const char* text;
    const char* canonical; // nullptr: refused
  };
  for (const auto& [text, canonical] : std::initializer_list<Row>{
           {"0.0.0.0", "0.0.0.0"},
           {"10.96.0.1", "10.96.0.1"},
           {"255.255.255.255", "255.255.255.255"},
           {"::", "::"},
           {"::1", "::1"},
           {"1::", "1::"},
           {"2001:DB8::", "2001:db8::"},
           {"2000:0::0099", "2000::99"},
           {"fd00:10:96::a", "fd00:10:96::a"},
           {"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
           {"1:0:0:2:3:0:0:4", "1::2:3:0:0:4"},
           {"1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"},
           {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
           {"::ffff:10.0.0.1", "::ffff:10.0.0.1"},
           {"::10.0.0.1", "::a00:1"},
           {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
           {"", nullptr},
           {"10.0.0", nullptr},
           {"10.0.0.1.2", nullptr},
           {"10.0.0.256", nullptr},
           {"10.0.0.1000", nullptr},
           {"010.0.0.1", nullptr},
           {"10.0.0.1 ", nullptr},
           {" 10.0.0.1", nullptr},
           {"10.0..1", nullptr},
           {"-1.0.0.1", nullptr},
           {"None", nullptr},
           {":", nullptr},
           {":::", nullptr},
           {"1::2::3", nullptr},
           {"fe80::1%eth0", nullptr},
           {"[::1]", nullptr},
           {"12345::", nullptr},
           {"1:2:3:4:5:6:7", nullptr},
           {"1:2:3:4:5:6:7:8:9", nullptr},
       }) {
    CAPTURE(text);
    auto const address = Address::parse(text);
    REQUIRE(address.has_value() == (canonical != nullptr));
    if (canonical == nullptr) continue;
    CHECK(address->to_string() == canonical);
    CHECK(Address::parse(address->to_string()) == address);
    CHECK(Address::from_bytes(address->bytes()) == *address);
  }
  CHECK_FALSE(Address::parse(std::string_view("::1\0", 4)));
}

TEST_CASE("families have names and sizes") {
  CHECK(to_string(Family::ipv4) == "IPv4");
  CHECK(to_string(Family::ipv6) == "IPv6");
  CHECK(Address::parse("1.2.3.4")->bytes().size() == 4);
  CHECK(Address::parse("::")->bytes().size() == 16);
  CHECK(Address::parse("0.0.0.0") != Address::parse("::"));
}

TEST_CASE("loopback and unspecified addresses are known") {
  CHECK(Address::parse("127.0.0.1")->is_loopback());
  CHECK(Address::parse("127.8.8.8")->is_loopback());
  CHECK(Address::parse("::1")->is_loopback());
  CHECK_FALSE(Address::parse("::2")->is_loopback());
  CHECK_FALSE(Address::parse("1::1")->is_loopback());
  CHECK(Address::parse("0.0.0.0")->is_unspecified());
  CHECK(Address::parse("::")->is_unspecified());
  CHECK_FALSE(Address::parse("::1")->is_unspecified());
}

TEST_CASE("a prefix is parsed strictly") {
  for (const char* text : {"10.96.0.0/12", "0.0.0.0/0", "1.2.3.4/32", "fd00:10:96::/112", "::/0", "::1/128"}) {
    CAPTURE(text);
    auto const prefix = Prefix::parse(text);
    REQUIRE(prefix);
    CHECK(prefix->to_string() == text);
  }
  for (const char* text :
       {"", "/", "10.96.0.0", "10.96.0.0/", "10.96.0.1/12", "10.96.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/08",
        "10.0.0.0/8 ", "10.0.0.0/+8", "fd00::1/64", "10.0.0.0/8/8", "10.0.0.0/x", "10.0.0.0/99999999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(Prefix::parse(text));
  }
}

TEST_CASE("a prefix contains its addresses and no others") {
  struct Row {
    const char *prefix, *address;
    bool contained;
  };
  for (const auto& [prefix, address, contained] : std::initializer_list<Row>{
           {"10.96.0.0/12", "10.96.0.0", true},
           {"10.96.0.0/12", "10.111.255.255", true},
           {"10.96.0.0/12", "10.112.0.0", false},
           {"10.96.0.0/12", "10.95.255.255", false},
           {"10.96.0.0/12", "::", false},
           {"0.0.0.0/0", "255.1.1.1", true},
           {"0.0.0.0/0", "::", false},
           {"1.2.3.4/32", "1.2.3.4", true},
           {"1.2.3.4/32", "1.2.3.5", false},
           {"fd00:10:96::/112", "fd00:10:96::ffff", true},
           {"fd00:10:96::/112", "fd00:10:96::1:0", false},
       }) {
    CAPTURE(prefix);
    CAPTURE(address);
    CHECK(Prefix::parse(prefix)->contains(*Address::parse(address)) == contained);
  }
}
