#include "server/config/values.hpp"

#include <doctest/doctest.h>

#include "server/config/vocabulary.hpp"

using namespace signpost::server;
using namespace signpost::server::corefile;

TEST_CASE("durations as Go writes them") {
  struct Row {
    const char* text;
    long long want; // nanoseconds; -1: none
  };
  const Row rows[] = {
      {"5s", 5'000'000'000},
      {"1m30s", 90'000'000'000},
      {"500ms", 500'000'000},
      {"1.5h", 5'400'000'000'000},
      {"0", 0},
      {"0s", 0},
      {"10us", 10'000},
      {"10\xC2\xB5s", 10'000},
      {"7ns", 7},
      {".5s", 500'000'000},
      {"1h1m1s1ms", 3'661'001'000'000},
      {"", -1},
      {"5", -1},
      {"s", -1},
      {"-5s", -1},
      {"5 s", -1},
      {"5x", -1},
      {".s", -1},
      {"1..5s", -1},
      {"9999999999999h", -1},
      {"1e3s", -1},
      {"5ss", -1},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto duration = parse_duration(row.text);
    CHECK((duration ? duration->count() : -1) == row.want);
  }
}

TEST_CASE("zone names") {
  CHECK(parse_zone("Cluster.LOCAL.").value() == "cluster.local");
  CHECK(parse_zone(".").value() == ".");
  CHECK(parse_zone("_tcp.a-b").value() == "_tcp.a-b");
  CHECK(parse_zone(std::string(63, 'a') + ".x").has_value());
  for (const std::string bad : {"", "..", "a..b", ".a", "a b", "a/b", "a:b", "\xC3\xA4", "a.*"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_zone(bad).has_value());
  }
  CHECK_FALSE(parse_zone(std::string(64, 'a')).has_value());
  std::string longest;
  for (int i = 0; i < 127; ++i) longest += "a.";
  CHECK(parse_zone(longest).has_value()); // 253 letters and the last dot
  CHECK_FALSE(parse_zone("b" + longest).has_value());
}

TEST_CASE("prefixes become reverse zones") {
  const auto zones = [](const char* text) { return reverse_zones(text).value_or(std::vector<std::string>{"none"}); };
  CHECK(zones("10.0.0.0/8") == std::vector<std::string>{"10.in-addr.arpa"});
  CHECK(zones("10.1.2.0/24") == std::vector<std::string>{"2.1.10.in-addr.arpa"});
  CHECK(zones("10.1.2.3/32") == std::vector<std::string>{"3.2.1.10.in-addr.arpa"});
  CHECK(zones("0.0.0.0/0") == std::vector<std::string>{"in-addr.arpa"});
  CHECK(zones("::/0") == std::vector<std::string>{"ip6.arpa"});
  CHECK(zones("fd00::/8") == std::vector<std::string>{"d.f.ip6.arpa"});
  CHECK(zones("fd00::/7") == std::vector<std::string>{"c.f.ip6.arpa", "d.f.ip6.arpa"});
  CHECK(zones("10.96.0.0/15") == std::vector<std::string>{"96.10.in-addr.arpa", "97.10.in-addr.arpa"});
  CHECK(zones("10.97.3.4/15") == std::vector<std::string>{"96.10.in-addr.arpa", "97.10.in-addr.arpa"});
  CHECK(zones("10.96.0.0/12").size() == 16);
  CHECK(zones("10.0.0.0/9").size() == 128);
  CHECK(zones("10.96.0.0/12").back() == "111.10.in-addr.arpa");
  CHECK(zones("2001:db8::/33") == std::vector<std::string>{"0.8.b.d.0.1.0.0.2.ip6.arpa", "1.8.b.d.0.1.0.0.2.ip6.arpa",
                                                           "2.8.b.d.0.1.0.0.2.ip6.arpa", "3.8.b.d.0.1.0.0.2.ip6.arpa",
                                                           "4.8.b.d.0.1.0.0.2.ip6.arpa", "5.8.b.d.0.1.0.0.2.ip6.arpa",
                                                           "6.8.b.d.0.1.0.0.2.ip6.arpa", "7.8.b.d.0.1.0.0.2.ip6.arpa"});
  for (const char* bad :
       {"10.0.0.0", "10.0.0.0/33", "10.0.0/8", "fd00::/129", "/8", "a/8", "10.0.0.0/", "10.0.0.0/8x"}) {
    CAPTURE(bad);
    CHECK_FALSE(reverse_zones(bad).has_value());
  }
}

TEST_CASE("keys of server blocks") {
  struct Row {
    const char* text;
    const char* want; // ZONE:PORT of the first, or the error
  };
  const Row rows[] = {
      {".", ".:53"},
      {".:5353", ".:5353"},
      {":5353", ".:5353"},
      {"Example.ORG.", "example.org:53"},
      {"example.org:1", "example.org:1"},
      {"dns://example.org:65535", "example.org:65535"},
      {"dns://", ".:53"},
      {"10.0.0.0/8", "10.in-addr.arpa:53"},
      {"10.0.0.0/8:54", "10.in-addr.arpa:54"},
      {"fd00::/8:54", "d.f.ip6.arpa:54"},
      {"tls://example.org", "Signpost does not speak tls:// yet; instead: serve \"example.org\" with dns://"},
      {"grpc://.", "Signpost does not speak grpc:// yet; instead: serve \".\" with dns://"},
      {"ftp://x", "there is no scheme \"ftp://\"; instead: dns:// or leave it out"},
      {"a:0", "\"0\" in \"a:0\" is not a port; instead: a number from 1 to 65535"},
      {"a:65536", "\"65536\" in \"a:65536\" is not a port; instead: a number from 1 to 65535"},
      {"a:", "\"\" in \"a:\" is not a port; instead: a number from 1 to 65535"},
      {"a:b", "\"b\" in \"a:b\" is not a port; instead: a number from 1 to 65535"},
      {"10.0.0/8", "\"10.0.0/8\" is not an address prefix; instead: one like 10.0.0.0/8 or fd00::/8"},
      {"a..b", "\"a..b\" is not a zone name: a label is empty; instead: a name like cluster.local"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto keys = parse_key(row.text, 53);
    CHECK((keys ? keys->front().zone + ":" + std::to_string(keys->front().port) : keys.error()) == row.want);
  }
}

TEST_CASE("endpoints") {
  const auto text = [](const char* word, std::optional<std::uint16_t> port = std::nullopt) {
    const auto endpoint = Endpoint::parse(word, port);
    return endpoint ? endpoint->to_string() : "none";
  };
  CHECK(text("127.0.0.1:53") == "127.0.0.1:53");
  CHECK(text("[::1]:53") == "[::1]:53");
  CHECK(text("[0:0::1]:65535") == "[::1]:65535");
  CHECK(text("::1", 53) == "[::1]:53");
  CHECK(text("[::1]", 53) == "[::1]:53");
  CHECK(text("127.0.0.1", 53) == "127.0.0.1:53");
  for (const char* bad : {"", ":53", "127.0.0.1", "::1", "[::1]", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:53x",
                          "[127.0.0.1]:53", "[::1]53", "[::1", "localhost:53", "127.0.0.1:", "127.0.0.1:-1"}) {
    CAPTURE(bad);
    CHECK(text(bad) == "none");
  }
}

TEST_CASE("misspelt words") {
  CHECK(
      unknown_directive("prometheus") ==
      "\"prometheus\" is a CoreDNS plugin that Signpost does not have yet; instead: remove it or keep this block on CoreDNS");
  CHECK(unknown_directive("forwrad") == "there is no directive \"forwrad\"; instead: did you mean \"forward\"?");
  CHECK(unknown_directive("regsitry") == "there is no directive \"regsitry\"; instead: did you mean \"registry\"?");
  CHECK(unknown_directive("kubernets") == "there is no directive \"kubernets\"; instead: did you mean \"kubernetes\"?");
  CHECK(unknown_directive("qqqqqqqq") ==
        "there is no directive \"qqqqqqqq\"; instead: one of bind, log, errors, debug, forward, cache, registry, "
        "objects, nsid, prometheus, health, ready, reload, loop, loadbalance, bufsize, minimal, local");
  CHECK(unknown_directive(std::string(100000, 'x')).starts_with("there is no directive"));
}
