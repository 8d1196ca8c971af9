#include "server/config/scoped_address.hpp"

#include <doctest/doctest.h>
#include <net/if.h>

#include "server/config/settings.hpp"

using namespace signpost::server;

TEST_CASE("a zone stands behind link-local addresses, and only there") {
  for (const char* text : {"192.0.2.1", "2001:db8::1", "fe80::1", "fe80::1%eth0", "febf::1%7", "fe80::1%br-0.12@x"}) {
    CAPTURE(text);
    const auto scoped = ScopedAddress::parse(text);
    REQUIRE(scoped);
    CHECK(scoped->to_string() == text);
  }
  for (const char* text : {"192.0.2.1%eth0", "2001:db8::1%eth0", "::1%lo", "fe80::1%", "fe80::1%a b", "fe80::1%a/b",
                           "fe80::1%eth0%eth0", "fe80::1%sixteen-letters-", "%eth0", "fec0::1%eth0"}) {
    CAPTURE(text);
    CHECK_FALSE(ScopedAddress::parse(text));
  }
  CHECK(ScopedAddress::parse("fe80::1")->lacks_zone());
  CHECK_FALSE(ScopedAddress::parse("fe80::1%eth0")->lacks_zone());
  CHECK_FALSE(ScopedAddress::parse("::1")->lacks_zone());
}

TEST_CASE("endpoints of link-local addresses keep their zone") {
  struct Row {
    const char *text, *printed;
  };
  for (const Row& row : {Row{"[fe80::1%eth0]:5353", "[fe80::1%eth0]:5353"}, Row{"fe80::1%eth0", "[fe80::1%eth0]:53"},
                         Row{"[fe80::1%eth0]", "[fe80::1%eth0]:53"}, Row{"fe80::1%eth0:1", "[fe80::1%eth0:1]:53"}}) {
    CAPTURE(row.text);
    const auto endpoint = Endpoint::parse(row.text, 53);
    REQUIRE(endpoint);
    CHECK(endpoint->to_string() == row.printed);
    CHECK(Endpoint::parse(endpoint->to_string()) == endpoint);
  }
  CHECK_FALSE(Endpoint::parse("[::1%lo]:53"));
  CHECK(*Endpoint::parse("[fe80::1%a]:53") != *Endpoint::parse("[fe80::1%b]:53"));
}

TEST_CASE("a zone is an interface, by its name or number") {
  const unsigned lo = ::if_nametoindex("lo");
  CHECK(scope_id("lo") == lo);
  CHECK(scope_id("4711") == 4711);
  CHECK(scope_id("") == 0);
  CHECK(scope_id("no-such-if0") == 0);
}
