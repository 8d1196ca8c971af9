#include "server/config/reader.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/server/config/fixture.hpp"

using namespace signpost::server;

namespace {

Corefile good(const std::string& text) {
  auto corefile = read_corefile_text(text, "Corefile", test_host());
  INFO(text);
  if (!corefile) FAIL(corefile.error());
  return std::move(*corefile);
}

std::string bad(const std::string& text) {
  const auto corefile = read_corefile_text(text, "Corefile", test_host());
  return corefile ? "no error" : corefile.error();
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

template <class T>
std::string texts(const std::vector<T>& values) {
  std::string text;
  for (const auto& value : values) text += (text.empty() ? "" : " ") + value.to_string();
  return text;
}

} // namespace

TEST_CASE("the registry block of the manual") {
  const auto [settings, warnings, unset, files] = good(R"(
cluster.local in-addr.arpa ip6.arpa {
    bind 127.0.0.1 ::1
    registry {
        data /var/lib/signpost
        listen 127.0.0.1:8080
        vip 10.96.0.0/12 fd00:10:96::/112 {
            reserve 10.96.0.10 fd00:10:96::a
        }
        history 50000 10m     # kept for watches
    }
}
)");
  CHECK(warnings.empty());
  REQUIRE(settings.blocks.size() == 1);
  const ServerBlock& block = settings.blocks[0];
  CHECK(joined(block.zones) == "cluster.local in-addr.arpa ip6.arpa");
  CHECK(texts(block.listen) == "127.0.0.1:53 [::1]:53");
  CHECK(std::holds_alternative<RegistrySource>(block.source));
  CHECK(settings.data == "/var/lib/signpost");
  CHECK(texts(settings.api) == "127.0.0.1:8080");
  CHECK(texts(settings.vips) == "10.96.0.0/12 fd00:10:96::/112");
  CHECK(texts(settings.reserved) == "10.96.0.10 fd00:10:96::a");
  CHECK(settings.history_revisions == 50000);
  CHECK(settings.history_age.count() == 600);
}

TEST_CASE("a registry without options has the documented defaults") {
  const auto settings = good("cluster.local:5300 {\n bind lo\n registry\n}\n").settings;
  CHECK(texts(settings.blocks[0].listen) == "127.0.0.1:5300 [::1]:5300");
  CHECK(settings.data == "./signpost-data");
  CHECK(texts(settings.api) == "127.0.0.1:8080");
  CHECK(texts(settings.vips) == "10.96.0.0/12 fd00:10:96::/112");
  CHECK(texts(settings.reserved) == "10.96.0.10 fd00:10:96::a");
}

TEST_CASE("a vip without reserve reserves nothing") {
  const auto settings = good("cluster.local {\n registry {\n vip 10.0.0.0/16\n }\n}\n").settings;
  CHECK(texts(settings.vips) == "10.0.0.0/16");
  CHECK(settings.reserved.empty());
}

TEST_CASE("keys, ports and addresses") {
  SUBCASE("without bind: every address of the host") {
    const auto block = good(".:5353 {\n errors\n}").settings.blocks[0];
    CHECK(texts(block.listen) == "127.0.0.1:5353 [::1]:5353 192.0.2.7:5353");
    CHECK(joined(block.zones) == ".");
    CHECK(block.errors);
    CHECK_FALSE(block.log);
  }
  SUBCASE("several zones and ports") {
    const auto block = good("a.example:54, b.example 10.0.0.0/15 {\n bind 127.0.0.1\n}").settings.blocks[0];
    CHECK(texts(block.listen) == "127.0.0.1:54 127.0.0.1:53");
    CHECK(joined(block.zones) == "a.example b.example 0.10.in-addr.arpa 1.10.in-addr.arpa");
    CHECK(joined(block.zones_on(*Endpoint::parse("127.0.0.1:54"))) == "a.example");
    CHECK(joined(block.zones_on(*Endpoint::parse("127.0.0.1:53"))) == "b.example 0.10.in-addr.arpa 1.10.in-addr.arpa");
  }
  SUBCASE("a comma carries keys over to the next line") {
    CHECK(joined(good("a,\nb {\n}").settings.blocks[0].zones) == "a b");
  }
  SUBCASE("bind by interface, wildcard and except") {
    CHECK(texts(good(". {\n bind eth0\n}").settings.blocks[0].listen) == "192.0.2.7:53");
    CHECK(texts(good(". {\n bind 0.0.0.0\n}").settings.blocks[0].listen) == "127.0.0.1:53 192.0.2.7:53");
    CHECK(texts(good(". {\n bind :: {\n except lo\n }\n}").settings.blocks[0].listen) == "192.0.2.7:53");
    CHECK(texts(good(". {\n bind lo\n bind eth0\n bind lo\n}").settings.blocks[0].listen) ==
          "127.0.0.1:53 [::1]:53 192.0.2.7:53");
  }
  SUBCASE("a host that does not tell its addresses is listened on as a whole") {
    Host host = test_host();
    host.interfaces.clear();
    host.wildcards = {address("0.0.0.0"), address("::")};
    const auto listens = [&](const char* text) {
      const auto read = read_corefile_text(text, "Corefile", host);
      return read ? texts(read->settings.blocks[0].listen) : read.error();
    };
    CHECK(listens(". {\n}") == "0.0.0.0:53 [::]:53");
    CHECK(listens(". {\n bind 0.0.0.0\n}") == "0.0.0.0:53");
    CHECK(listens(". {\n bind 127.0.0.1\n}") == "127.0.0.1:53");
    CHECK(listens(". {\n bind :: {\n except 127.0.0.1\n }\n}").find("no address to listen on") != std::string::npos);
    CHECK(host.has(address("192.0.2.200")));
    host.wildcards.pop_back();
    CHECK_FALSE(host.has(address("::1")));
  }
  SUBCASE("one zone on two addresses is two blocks") {
    CHECK(good(". {\n bind 127.0.0.1\n}\n. {\n bind 192.0.2.7\n}").settings.blocks.size() == 2);
    CHECK(good(".:53 {\n}\n.:54 {\n}").settings.blocks.size() == 2);
  }
  SUBCASE("a file with one block needs no braces") {
    const auto block = good("cluster.local\nbind lo\nlog\n").settings.blocks[0];
    CHECK(joined(block.zones) == "cluster.local");
    CHECK(block.log);
  }
}

TEST_CASE("forward") {
  const Directory directory;
  const auto resolv = directory.write("resolv.conf", "search x\nnameserver 192.0.2.53\nnameserver 2001:db8::53\n");
  SUBCASE("upstreams from words and files") {
    const auto forward =
        *good(". {\n forward . dns://192.0.2.1 192.0.2.2:5353 [2001:db8::1]:54 2001:db8::2 " + resolv + "\n}")
             .settings.blocks[0]
             .forward;
    CHECK(forward.from == ".");
    CHECK(texts(forward.upstreams) == "192.0.2.1:53 192.0.2.2:5353 [2001:db8::1]:54 [2001:db8::2]:53");
    REQUIRE(forward.files.size() == 1);
    CHECK(forward.files[0] == UpstreamFile{resolv, 4});
    CHECK(forward.policy == ForwardSettings::Policy::random);
    CHECK(forward.read_timeout.count() == 2000);
    CHECK_FALSE(forward.force_tcp);
  }
  SUBCASE("files that others write are never an error") {
    const auto bad = directory.write("bad.conf", "nameserver nobody\n");
    const auto [settings, warnings, unset, files] = good(". {\n forward . " + bad + " 192.0.2.1 /nowhere/resolv.conf\n}");
    const auto& forward = *settings.blocks[0].forward;
    CHECK(forward.files == std::vector{UpstreamFile{bad, 0}, UpstreamFile{"/nowhere/resolv.conf", 1}});
    REQUIRE(warnings.size() == 3);
    CHECK(warnings[0].starts_with("Corefile:2: " + bad + ":1: \"nobody\" is not an address"));
    CHECK(warnings[1] == "Corefile:2: " + bad + " names no nameserver");
    CHECK(warnings[2] == "Corefile:2: /nowhere/resolv.conf does not exist");
  }
  SUBCASE("options that work") {
    const auto [settings, warnings, unset, files] = good(R"(. {
      forward Example.org 192.0.2.1 {
        except a.example.org 10.0.0.0/8
        except b.example.org
        force_tcp
        read_timeout 1500ms
        policy round_robin
        max_concurrent 1000
      }
    })");
    const auto& forward = *settings.blocks[0].forward;
    CHECK(warnings.empty());
    CHECK(forward.from == "example.org");
    CHECK(joined(forward.except) == "a.example.org 10.in-addr.arpa b.example.org");
    CHECK(forward.force_tcp);
    CHECK(forward.read_timeout.count() == 1500);
    CHECK(forward.policy == ForwardSettings::Policy::round_robin);
    CHECK(forward.max_concurrent == 1000);
  }
  SUBCASE("options without effect warn") {
    const auto [settings, warnings, unset, files] = good(R"(. {
      forward . 192.0.2.1 {
        prefer_udp
        expire 10s
        max_age 1m
        max_idle_conns 4
        max_fails 3
        max_connect_attempts 2
        health_check 0.5s no_rec domain example.org
      }
    })");
    REQUIRE(warnings.size() == 7);
    CHECK(warnings[0] == "Corefile:3: prefer_udp has no effect in Signpost");
    CHECK(warnings[6] == "Corefile:9: health_check has no effect in Signpost");
  }
  SUBCASE("a reverse prefix") {
    CHECK(good(". {\n forward 10.0.0.0/8 192.0.2.1\n}").settings.blocks[0].forward->from == "10.in-addr.arpa");
  }
}

TEST_CASE("cache") {
  const auto cache = [](const std::string& lines) {
    return *good("example.org {\n" + lines + "\n}").settings.blocks[0].cache;
  };
  CHECK(cache("cache").max_ttl.count() == 3600);
  CHECK(cache("cache").max_negative_ttl.count() == 1800);
  CHECK(cache("cache 30").max_ttl.count() == 30);
  CHECK(cache("cache 30").max_negative_ttl.count() == 30);
  CHECK(cache("cache 30 .").max_ttl.count() == 30);
  CHECK(cache("cache org").max_ttl.count() == 3600);
  CHECK(cache("cache {\n success 20000 60\n denial 20000 10 5\n}").max_ttl.count() == 60);
  CHECK(cache("cache {\n success 20000 60\n denial 20000 10 5\n}").max_negative_ttl.count() == 10);
  CHECK(cache("cache {\n success 20000\n denial 20000\n}").bytes == 40000u * 512);
  CHECK(cache("cache {\n success 1\n}").bytes == 1u << 20);
  const auto warnings =
      good(". {\n cache 30 {\n prefetch 10 1m 10%\n servfail 5s\n disable success cluster.local\n }\n}").warnings;
  REQUIRE(warnings.size() == 3);
  CHECK(warnings[0] == "Corefile:3: prefetch has no effect in Signpost");
}

TEST_CASE("objects and zones of a source") {
  const auto settings = good(". {\n registry cluster.local in-addr.arpa ip6.arpa {\n ttl 30\n }\n}\n"
                             "static.example {\n objects a.yaml b.json\n}\n")
                            .settings;
  CHECK(joined(std::get<RegistrySource>(settings.blocks[0].source).zones) == "cluster.local in-addr.arpa ip6.arpa");
  CHECK(settings.blocks[0].ttl == 30);
  CHECK(joined(std::get<ObjectsSource>(settings.blocks[1].source).files) == "a.yaml b.json");
  CHECK(settings.blocks[1].ttl == 5);
  CHECK(good("x.example {\n objects a\n}").settings.api.empty());
}

TEST_CASE("imports and snippets") {
  const Directory directory;
  const auto read = [&](const std::string& text) {
    directory.write("Corefile", text);
    return read_corefile(directory.path("Corefile"), test_host());
  };
  directory.write("common", "errors\nlog");
  directory.write("custom/a.server", "a.example {\n bind lo\n}\n");
  directory.write("custom/b.server", "(inner) {\n log\n}\nb.example {\n import inner\n bind lo\n}\n");

  SUBCASE("a file within a block") {
    const auto corefile = read(". {\n import common\n}\n");
    REQUIRE(corefile);
    CHECK(corefile->settings.blocks[0].errors);
    CHECK(corefile->settings.blocks[0].log);
  }
  SUBCASE("a pattern of files with blocks, relative to the importing file") {
    const auto corefile = read("import custom/*.server\n. {\n errors\n}\n");
    REQUIRE(corefile);
    REQUIRE(corefile->settings.blocks.size() == 3);
    CHECK(joined(corefile->settings.blocks[0].zones) == "a.example");
    CHECK(corefile->settings.blocks[1].log);
  }
  SUBCASE("a pattern that matches nothing is a warning") {
    const auto corefile = read(". {\n import custom/*.override\n errors\n}\n");
    REQUIRE(corefile);
    REQUIRE(corefile->warnings.size() == 1);
    CHECK(corefile->warnings[0] ==
          directory.path("Corefile") + ":2: no file matches custom/*.override: nothing is imported");
  }
  SUBCASE("a snippet") {
    const auto corefile = read("(both) {\n errors\n cache 30 {\n success 5000\n }\n}\n. {\n import both\n}\n");
    REQUIRE(corefile);
    CHECK(corefile->settings.blocks[0].errors);
    CHECK(corefile->settings.blocks[0].cache->max_ttl.count() == 30);
  }
  SUBCASE("errors name the file they are in") {
    directory.write("common", "errors\nlgo\n");
    CHECK(read(". {\n import common\n}\n").error() ==
          directory.path("common") + ":2: there is no directive \"lgo\"; instead: did you mean \"log\"?");
    CHECK(read(". {\n import missing\n}\n").error() ==
          directory.path("Corefile") +
              ":2: there is no file and no snippet \"missing\" to import; instead: create it, or define "
              "(missing) { before this line");
    CHECK(read("import a*b*c\n").error() ==
          directory.path("Corefile") + ":1: the pattern a*b*c has more than one *; instead: use one");
    CHECK(read("import a b\n").error() ==
          directory.path("Corefile") + ":1: import takes one file, pattern or snippet; instead: import NAME");
    CHECK(read("import custom\n").error() ==
          directory.path("Corefile") + ":1: " + directory.path("custom") + " is a directory; instead: name a file");
  }
  SUBCASE("a circle ends") {
    CHECK(read("import Corefile\n").error() ==
          directory.path("Corefile") +
              ":1: import Corefile is nested more than 32 deep; instead: break the circle, it may import itself");
    std::string bomb = "(x) {\n import x\n import x\n}\n. {\n import x\n}\n";
    CHECK(read(bomb).error().find("break the circle") != std::string::npos);
  }
  SUBCASE("a file that is not there") {
    CHECK(read_corefile(directory.path("none"), test_host()).error() ==
          directory.path("none") +
              " cannot be read: No such file or directory; instead: give --config a file that exists");
  }
}

TEST_CASE("what is wrong, where, and what to do") {
  struct Row {
    std::string text, want;
  };
  const std::string registry = "cluster.local {\n registry {\n";
  const Row rows[] = {
      {"", "Corefile:1: there is no server block; instead: one, for instance cluster.local {"},
      {"{\n}", "Corefile:1: a block without a zone; instead: ZONE {"},
      {"}", "Corefile:1: } closes nothing; instead: remove it"},
      {". {\n", "Corefile:1: the { on this line is never closed; instead: add a line with }"},
      {".{\n}", "Corefile:1: a blank is missing before { in \".{\"; instead: put one there"},
      {". {\n}\n. }", "Corefile:3: } closes nothing; instead: remove it"},
      {". { errors\n}", "Corefile:1: \"errors\" follows { on its line; instead: write it on the next"},
      {". {\n cache { success 1 }\n}", "Corefile:2: \"success\" follows { on its line; instead: write it on the next"},
      {". {\n errors }\n}", "Corefile:2: } must stand on a line of its own; instead: put it on the next"},
      {". {\n}\nb\n", "Corefile:3: the block of \"b\" has no {; instead: end the line with {"},
      {". {\n {\n }\n}", "Corefile:2: { on a line of its own; instead: write it behind the directive"},
      {"a {\n} b {\n}", "Corefile:2: \"b\" follows } on its line; instead: write it on the next"},
      {". {\n\n hosts\n}",
       "Corefile:3: \"hosts\" is a CoreDNS plugin that Signpost does not have yet; instead: remove it or keep this block on CoreDNS"},
      {". {\n chache 30\n}", "Corefile:2: there is no directive \"chache\"; instead: did you mean \"cache\"?"},
      {". {\n cache\n cache\n}",
       "Corefile:3: cache stands twice in this block, first at Corefile:2; instead: keep one"},
      {". {\n}\n\n. {\n}",
       "Corefile:4: \".\" on 127.0.0.1:53 is served by the block at Corefile:1 already; instead: remove one, or give it another "
       "port or bind address"},
      {"a a {\n}", "Corefile:1: the zone \"a\" stands twice on port 53; instead: remove one"},
      {"tls://. {\n}", "Corefile:1: Signpost does not speak tls:// yet; instead: serve \".\" with dns://"},
      {"a..b {\n}", "Corefile:1: \"a..b\" is not a zone name: a label is empty; instead: a name like cluster.local"},
      {". {\n bind\n}", "Corefile:2: bind names no address; instead: bind ADDRESS... or bind INTERFACE..."},
      {". {\n bind eth9\n}",
       "Corefile:2: \"eth9\" is neither an address nor an interface with one; instead: see `ip address`"},
      {". {\n bind lo {\n except lo\n }\n}", "Corefile:2: bind leaves no address to listen on; instead: name one more"},
      {"(x) {\n errors\n", "Corefile:1: the block of the snippet (x) is never closed; instead: add a line with }"},
      {"(x)\nerrors\n", "Corefile:1: the snippet (x) has no block; instead: (x) {"},
      {"(x) {\n}\n(x) {\n}\n", "Corefile:3: the snippet (x) is defined twice; instead: rename one"},
      {"() {\n}\n", "Corefile:1: a snippet without a name; instead: (NAME) {"},

      {". {\n forward .\n}",
       "Corefile:2: forward needs a name and an upstream; instead: forward . /etc/resolv.conf or forward . ADDRESS"},
      {". {\n forward . tls://9.9.9.9\n}",
       "Corefile:2: forwarding to \"tls://9.9.9.9\" is not supported yet; instead: name a server that takes plain DNS"},
      {". {\n forward . dns.example\n}", "Corefile:2: \"dns.example\" is neither an address nor a file; instead: "
                                         "ADDRESS[:PORT] or the path of a resolv.conf"},
      {". {\n forward . 192.0.2.1:0\n}", "Corefile:2: \"192.0.2.1:0\" is neither an address nor a file; instead: "
                                         "ADDRESS[:PORT] or the path of a resolv.conf"},
      {". {\n forward . 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 "
       "1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1\n}",
       "Corefile:2: forward has 16 upstreams; instead: at most 15"},
      {". {\n forward . 192.0.2.1 {\n policy fast\n }\n}",
       "Corefile:3: there is no policy \"fast\"; instead: random, round_robin or sequential"},
      {". {\n forward . 192.0.2.1 {\n polcy random\n }\n}",
       "Corefile:3: forward has no option \"polcy\"; instead: did you mean \"policy\"?"},
      {". {\n forward . 192.0.2.1 {\n tls\n }\n}", "Corefile:3: tls is not supported yet; instead: remove it"},
      {". {\n forward . 192.0.2.1 {\n failover SERVFAIL\n }\n}",
       "Corefile:3: failover is not supported yet; instead: remove it"},
      {". {\n forward . 192.0.2.1 {\n read_timeout 0s\n }\n}",
       "Corefile:3: read_timeout \"0s\" is not a time above zero; instead: one like 2s"},
      {". {\n forward . 192.0.2.1 {\n expire soon\n }\n}",
       "Corefile:3: expire \"soon\" is not a time; instead: one like 10s"},
      {". {\n forward . 192.0.2.1 {\n max_concurrent -1\n }\n}",
       "Corefile:3: max_concurrent \"-1\" is not a number; instead: one like 1000"},
      {". {\n forward . 192.0.2.1 {\n except\n }\n}", "Corefile:3: except has 0 arguments; instead: except NAME..."},
      {". {\n forward . 192.0.2.1 {\n force_tcp {\n }\n }\n}",
       "Corefile:3: force_tcp takes no block; instead: remove the braces"},

      {". {\n cache 0\n}", "Corefile:2: the TTL \"0\" is not a number of seconds above zero; instead: one like 30"},
      {". {\n cache -5\n}", "Corefile:2: the TTL \"-5\" is not a number of seconds above zero; instead: one like 30"},
      {". {\n cache 30 cluster.local\n}",
       "Corefile:2: a cache for some of the block's zones only is not supported yet; instead: "
       "leave \"cluster.local\" out"},
      {". {\n cache {\n serve_stale\n }\n}", "Corefile:3: serve_stale is not supported yet; instead: remove it"},
      {". {\n cache {\n keepttl\n }\n}", "Corefile:3: keepttl is not supported yet; instead: remove it"},
      {". {\n cache {\n success many\n }\n}",
       "Corefile:3: the capacity \"many\" is not a number of answers; instead: one like 9984"},
      {". {\n cache {\n success 1 2 3 4\n }\n}",
       "Corefile:3: success has 4 arguments; instead: success CAPACITY [TTL] [MINTTL]"},
      {". {\n cache {\n success 100 60 30\n }\n}",
       "Corefile:3: a least TTL above 5 s is not supported yet; instead: leave it out"},
      {". {\n cache {\n disable all\n }\n}",
       "Corefile:3: disable \"all\" is no kind of answer; instead: success or denial"},
      {". {\n cache {\n servfail 6m\n }\n}",
       "Corefile:3: servfail \"6m\" is not a time of at most 5m; instead: one like 5s"},

      {". {\n registry\n}",
       "Corefile:2: registry cannot own the root; instead: registry cluster.local in-addr.arpa ip6.arpa"},
      {"10.0.0.0/8 {\n registry\n}",
       "Corefile:2: registry has reverse zones only; instead: add the cluster's zone, for instance cluster.local"},
      {"a.example {\n registry b.example\n}",
       "Corefile:2: \"b.example\" is outside this block's zones and would never be asked; instead: add it before the {"},
      {"a {\n registry\n}\nb {\n registry\n}",
       "Corefile:5: there is a registry already at Corefile:2; instead: keep one"},
      {"a {\n registry\n objects x\n}",
       "Corefile:3: this block has a source already; instead: one of registry, objects and kubernetes"},
      {"a {\n objects\n}", "Corefile:2: objects names no file; instead: objects FILE..."},
      {"a {\n kubernetes {\n endpoint http://127.0.0.1:6443\n }\n}",
       "Corefile:2: Signpost cannot watch a Kubernetes API server yet; instead: registry or objects FILE..."},
      {registry + "vip 10.0.0.0/8 10.1.0.0/16\n}\n}",
       "Corefile:3: the VIP prefixes 10.0.0.0/8 and 10.1.0.0/16 are of one "
       "family; instead: give one, or one of each family"},
      {registry + "vip 10.96.0.1/12\n}\n}",
       "Corefile:3: \"10.96.0.1/12\" is not an address prefix: host bits are set; instead: 10.96.0.0/12"},
      {registry + "vip big\n}\n}", "Corefile:3: \"big\" is not an address prefix; instead: one like 10.96.0.0/12"},
      {registry + "vip 10.0.0.0/8 {\n reserve 11.0.0.1\n}\n}\n}",
       "Corefile:4: 11.0.0.1 lies in none of the prefixes of vip; instead: reserve one of theirs"},
      {registry + "vip 10.0.0.0/8 {\n reserv 10.0.0.1\n}\n}\n}",
       "Corefile:4: vip has no option \"reserv\"; instead: did you mean \"reserve\"?"},
      {registry + "vip 10.0.0.0/8\nvip fd00::/112\n}\n}",
       "Corefile:4: vip stands twice; instead: write both prefixes in one line"},
      {registry + "listen 8080\n}\n}",
       "Corefile:3: \"8080\" is not an address with a port; instead: one like 127.0.0.1:8080"},
      {registry + "listen 192.0.2.7:8080\n}\n}",
       "Corefile:3: the API on 192.0.2.7:8080 needs TLS and credentials, which "
       "Signpost does not have yet; instead: use a loopback address"},
      {registry + "history 0 5m\n}\n}", "Corefile:3: \"0\" is not a number of revisions; instead: history 100000 5m"},
      {registry + "history 100 soon\n}\n}",
       "Corefile:3: \"soon\" is not a time of at least 1s; instead: history 100000 5m"},
      {registry + "history 100\n}\n}", "Corefile:3: history has 1 arguments; instead: history REVISIONS DURATION"},
      {registry + "ttl 3601\n}\n}",
       "Corefile:3: ttl \"3601\" is not a number of seconds from 0 to 3600; instead: ttl 5"},
      {registry + "dta /x\n}\n}", "Corefile:3: registry has no option \"dta\"; instead: did you mean \"data\"?"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(bad(row.text) == row.want);
  }
}

TEST_CASE("no text makes the reader hang or crash") {
  std::string nested = ". {\n";
  for (int i = 0; i < 10000; ++i) nested += "a {\n";
  CHECK(bad(nested) == "Corefile:17: blocks are nested too deep; instead: nest less");
  const std::string whole =
      "(s) {\n errors\n}\na:54, {$ZONE} 10.0.0.0/12 {\n import s\n bind \"lo\" `eth0`\n forward . 1.1.1.1 {\n"
      " policy random\n }\n cache 30 {\n success 5 5\n }\n registry cluster.local {\n vip 10.0.0.0/8 {\n"
      " reserve 10.0.0.1\n }\n history 5 5s\n }\n}\n";
  CHECK(bad(whole) == "no error");
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    (void)bad(whole.substr(0, cut));
    (void)bad(whole.substr(cut));
    std::string flipped = whole;
    flipped[cut] = static_cast<char>(flipped[cut] ^ 0x15);
    (void)bad(flipped);
  }
}

TEST_CASE("everything that is wrong is said in one run, in the order of the lines") {
  CHECK(bad("cluster.local:99999 {\n cache 0\n registry {\n  ttl never\n  dta /var\n  vip 10.0.0.0/99\n }\n hotss\n"
            " import nowhere\n}\n. {\n forward . nobody {\n  policy x\n }\n}") ==
        "Corefile:1: \"99999\" in \"cluster.local:99999\" is not a port; instead: a number from 1 to 65535\n"
        "Corefile:2: the TTL \"0\" is not a number of seconds above zero; instead: one like 30\n"
        "Corefile:4: ttl \"never\" is not a number of seconds from 0 to 3600; instead: ttl 5\n"
        "Corefile:5: registry has no option \"dta\"; instead: did you mean \"data\"?\n"
        "Corefile:6: \"10.0.0.0/99\" is not an address prefix; instead: one like 10.96.0.0/12\n"
        "Corefile:8: there is no directive \"hotss\"; instead: did you mean \"hosts\"?\n"
        "Corefile:9: there is no file and no snippet \"nowhere\" to import; instead: create it, or define (nowhere) { "
        "before this line\n"
        "Corefile:12: \"nobody\" is neither an address nor a file; instead: ADDRESS[:PORT] or the path of a "
        "resolv.conf\n"
        "Corefile:13: there is no policy \"x\"; instead: random, round_robin or sequential");
  CHECK(bad("a {\n cach\n}\nb {\n chache\n}\nc {\n").find("Corefile:7: the { on this line") != std::string::npos);
}

TEST_CASE("the Corefile of kubeadm, without its kubernetes block") {
  const auto corefile = good(R"(.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    prometheus :9153
    forward . 192.0.2.53 {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance
    bufsize 1232
    minimal
}
other.example {
    prometheus :9153
    loop
}
)");
  const Settings& settings = corefile.settings;
  CHECK(settings.lameduck.count() == 5000);
  REQUIRE(settings.reload);
  CHECK(settings.reload->interval.count() == 30000);
  REQUIRE(settings.pages.size() == 3); // the two blocks' 9153 is one
  CHECK(settings.pages[0].endpoint.to_string() == "[::]:8080");
  CHECK(settings.pages[1].endpoint.to_string() == "[::]:8181");
  CHECK(settings.pages[2].endpoint.to_string() == "[::]:9153");
  const auto& warnings = corefile.warnings;
  for (const char* word : {"loop", "loadbalance", "bufsize", "minimal"})
    CHECK(std::count_if(warnings.begin(), warnings.end(), [&](const std::string& warning) {
            return warning.find(std::string(": ") + word + " has no effect") != std::string::npos;
          }) == 1);
}

TEST_CASE("addresses of pages") {
  const auto page = [](const char* line) { return good(std::string(". {\n ") + line + "\n}").settings.pages.at(0); };
  CHECK(page("prometheus").endpoint.to_string() == "127.0.0.1:9153");
  CHECK(page("prometheus localhost:1").endpoint.to_string() == "127.0.0.1:1");
  CHECK(page("health 192.0.2.7:8080").endpoint.to_string() == "192.0.2.7:8080");
  CHECK(page("ready [::1]:8181").endpoint.to_string() == "[::1]:8181");
  CHECK(bad(". {\n health 8080\n}").starts_with("Corefile:2: \"8080\" is not an address with a port; instead:"));
  CHECK(bad(". {\n loadbalance weighted f\n}").find("is not supported yet; instead:") != std::string::npos);
  CHECK(bad(". {\n reload 1s\n}").find("is not a time of at least 2s") != std::string::npos);
}

TEST_CASE("the log's form and level") {
  const auto log = good(". {\n log {\n format json\n level warning\n }\n}").settings.log;
  CHECK(log.json);
  CHECK(log.level == LogSettings::Level::warning);
  CHECK(good(". {\n debug\n}").settings.log.level == LogSettings::Level::debug);
  CHECK(bad(". {\n log {\n format xml\n level loud\n }\n}") ==
        "Corefile:3: there is no log format \"xml\"; instead: text or json\n"
        "Corefile:4: there is no log level \"loud\"; instead: debug, info, warning or error");
}
