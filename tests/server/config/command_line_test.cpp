#include "server/config/command_line.hpp"

#include <doctest/doctest.h>

#include "tests/server/config/fixture.hpp"

using namespace signpost::server;

namespace {

tl::expected<CommandLine, std::string> parse(std::vector<std::string> words, const Host& host = test_host()) {
  words.insert(words.begin(), "signpostd");
  std::vector<const char*> argv;
  for (const auto& word : words) argv.push_back(word.c_str());
  argv.push_back(nullptr);
  return parse_command_line(static_cast<int>(words.size()), argv.data(), host);
}

std::string bad(const std::vector<std::string>& words) {
  const auto line = parse(words);
  return line ? "no error" : line.error();
}

template <class T>
std::string texts(const std::vector<T>& values) {
  std::string text;
  for (const auto& value : values) text += (text.empty() ? "" : " ") + value.to_string();
  return text;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

} // namespace

TEST_CASE("no flag at all: the documented defaults") {
  const auto line = parse({});
  REQUIRE(line);
  CHECK(line->action == CommandLine::Action::serve);
  const Settings& settings = line->settings;
  REQUIRE(settings.blocks.size() == 1);
  const ServerBlock& block = settings.blocks[0];
  CHECK(joined(block.zones) == "cluster.local in-addr.arpa ip6.arpa");
  CHECK(texts(block.listen) == "127.0.0.1:5300 [::1]:5300");
  CHECK(std::holds_alternative<RegistrySource>(block.source));
  CHECK_FALSE(block.forward);
  CHECK_FALSE(block.cache);
  CHECK(texts(settings.api) == "127.0.0.1:8080");
  CHECK(settings.data == "./signpost-data");
  CHECK(texts(settings.vips) == "10.96.0.0/12 fd00:10:96::/112");
  CHECK(texts(settings.reserved) == "10.96.0.10 fd00:10:96::a");
  CHECK(settings.workers == 0);
}

TEST_CASE("a host without IPv6 gets the IPv4 default") {
  Host host = test_host();
  host.interfaces = {{"lo", {address("127.0.0.1")}}};
  CHECK(texts(parse({}, host)->settings.blocks[0].listen) == "127.0.0.1:5300");
  host.interfaces.clear();
  CHECK(texts(parse({}, host)->settings.blocks[0].listen) == "127.0.0.1:5300 [::1]:5300");
}

TEST_CASE("flags") {
  const auto line = parse({"--zone", "Prod.Example.", "--dns", "127.0.0.1:53", "--dns=[::1]:54", "--api", "[::1]:81",
                           "--data", "/d", "--vip", "10.0.0.0/16", "--workers", "3", "--check"});
  REQUIRE(line);
  CHECK(line->action == CommandLine::Action::check);
  const Settings& settings = line->settings;
  CHECK(joined(settings.blocks[0].zones) == "prod.example in-addr.arpa ip6.arpa");
  CHECK(texts(settings.blocks[0].listen) == "127.0.0.1:53 [::1]:54");
  CHECK(texts(settings.api) == "[::1]:81");
  CHECK(settings.data == "/d");
  CHECK(texts(settings.vips) == "10.0.0.0/16");
  CHECK(texts(settings.reserved) == "10.0.0.10");
  CHECK(settings.workers == 3);
}

TEST_CASE("both families of --vip, and a prefix too small for a reserved address") {
  CHECK(texts(parse({"--vip", "fd00:1::/108", "--vip", "10.0.0.0/24"})->settings.reserved) == "fd00:1::a 10.0.0.10");
  CHECK(parse({"--vip", "10.0.0.0/29"})->settings.reserved.empty());
}

TEST_CASE("--dns takes every address of a wildcard") {
  CHECK(texts(parse({"--dns", "0.0.0.0:53"})->settings.blocks[0].listen) == "127.0.0.1:53 192.0.2.7:53");
  CHECK(texts(parse({"--dns", "[::]:53"})->settings.blocks[0].listen) == "127.0.0.1:53 [::1]:53 192.0.2.7:53");
}

TEST_CASE("--objects is the source") {
  const auto line = parse({"--objects", "a.yaml", "--objects", "b.json", "--zone", "x.example"});
  REQUIRE(line);
  CHECK(joined(std::get<ObjectsSource>(line->settings.blocks[0].source).files) == "a.yaml b.json");
  CHECK(line->settings.vips.empty());
  CHECK(texts(line->settings.api) == "127.0.0.1:8080");
}

TEST_CASE("help, version and snapshot") {
  const auto help = parse({"--help"});
  REQUIRE(help);
  CHECK(help->action == CommandLine::Action::print);
  for (const char* flag : {"--config", "--check", "--version", "--help", "--zone", "--dns", "--api", "--data", "--vip",
                           "--objects", "--workers", "snapshot"}) {
    CAPTURE(flag);
    CHECK(help->text.find(flag) != std::string::npos);
  }
  CHECK(parse({"snapshot", "--help"})->action == CommandLine::Action::print);
  CHECK(parse({"--version"})->text.starts_with("signpostd 0."));

  using Verb = SnapshotCommand::Verb;
  for (const auto& [word, verb] :
       {std::pair("save", Verb::save), {"restore", Verb::restore}, {"verify", Verb::verify}}) {
    const auto line = parse({"snapshot", word, "--data", "/d", "f"});
    REQUIRE(line);
    CHECK(line->action == CommandLine::Action::snapshot);
    CHECK(line->snapshot.verb == verb);
    CHECK(line->snapshot.data == "/d");
    CHECK(line->snapshot.file == "f");
  }
  CHECK(parse({"snapshot", "verify", "f"})->snapshot.file == "f");
  CHECK(parse({"--data", "/d", "snapshot", "save", "f"})->snapshot.data == "/d");
}

TEST_CASE("flags beside a Corefile override it") {
  const Directory directory;
  const auto file = directory.write("Corefile", R"(
cluster.local:53 in-addr.arpa {
    bind 127.0.0.1
    registry {
        data /from/file
        listen 127.0.0.1:9000
        vip 10.0.0.0/8
    }
}
.:53 {
    bind 127.0.0.1
    forward . 192.0.2.53
}
)");
  const auto plain = parse({"--config", file});
  REQUIRE(plain);
  CHECK(plain->config == file);
  CHECK(texts(plain->settings.api) == "127.0.0.1:9000");

  const auto line = parse({"--config", file, "--zone", "other.example", "--dns", "[::1]:5353", "--api",
                           "127.0.0.1:9001", "--data", "/flag", "--vip", "10.5.0.0/16", "--workers", "2"});
  REQUIRE(line);
  const Settings& settings = line->settings;
  CHECK(joined(settings.blocks[0].zones) == "other.example in-addr.arpa");
  CHECK(texts(settings.blocks[0].listen) == "[::1]:5353");
  CHECK(texts(settings.blocks[1].listen) == "[::1]:5353");
  CHECK(joined(settings.blocks[0].zones_on(*Endpoint::parse("[::1]:5353"))) == "other.example in-addr.arpa");
  CHECK(joined(settings.blocks[1].zones_on(*Endpoint::parse("[::1]:5353"))) == ".");
  CHECK(texts(settings.api) == "127.0.0.1:9001");
  CHECK(settings.data == "/flag");
  CHECK(texts(settings.vips) == "10.5.0.0/16");

  CHECK(bad({"--config", file, "--objects", "x"}) ==
        "--objects: the Corefile has a registry; instead: leave one of the two out");
}

TEST_CASE("no API without a registry or --api") {
  const Directory directory;
  const auto objects = directory.write("objects", "a.example {\n bind lo\n objects x.yaml\n}\n");
  CHECK(parse({"--config", objects})->settings.api.empty());
  CHECK(texts(parse({"--config", objects, "--api", "127.0.0.1:81"})->settings.api) == "127.0.0.1:81");
  CHECK(joined(std::get<ObjectsSource>(parse({"--config", objects, "--objects", "y.yaml"})->settings.blocks[0].source)
                   .files) == "y.yaml");
  const auto root = directory.write("root", ". {\n registry cluster.local\n}\n");
  const auto renamed = parse({"--config", root, "--zone", "z.example"});
  REQUIRE(renamed);
  CHECK(joined(renamed->settings.blocks[0].zones) == ".");
  CHECK(joined(std::get<RegistrySource>(renamed->settings.blocks[0].source).zones) == "z.example");
}

TEST_CASE("one sentence says what is wrong with the flags") {
  const Directory directory;
  const auto forward = directory.write("forward", ". {\n forward . 192.0.2.1\n}\n");
  const auto twice = directory.write("twice", "a:53 {\n}\na:54 {\n}\n");
  struct Row {
    std::vector<std::string> words;
    std::string want;
  };
  const Row rows[] = {
      {{"--zon", "x"}, "there is no flag --zon; instead: did you mean --zone?"},
      {{"--frobnicate"}, "there is no flag --frobnicate; instead: see signpostd --help"},
      {{"x"}, "\"x\" is not expected; instead: flags only, see signpostd --help"},
      {{"--objects", "a", "b"}, "\"b\" is not expected; instead: flags only, see signpostd --help"},
      {{"--dns", "5300"},
       "--dns: \"5300\" is not an address with a port; instead: one like 127.0.0.1:5300 or [::1]:5300"},
      {{"--dns", "127.0.0.1:0"},
       "--dns: \"127.0.0.1:0\" is not an address with a port; instead: one like 127.0.0.1:5300 or [::1]:5300"},
      {{"--dns", "::1:5300x"},
       "--dns: \"::1:5300x\" is not an address with a port; instead: one like 127.0.0.1:5300 or [::1]:5300"},
      {{"--api", "192.0.2.7:80"},
       "--api: the API on 192.0.2.7:80 needs TLS and credentials, which Signpost does not have "
       "yet; instead: use a loopback address"},
      {{"--zone", "a..b"}, "--zone: \"a..b\" is not a zone name: a label is empty; instead: a name like cluster.local"},
      {{"--zone", "."}, "--zone: services cannot be named below \".\"; instead: a name like cluster.local"},
      {{"--zone", "10.in-addr.arpa"},
       "--zone: services cannot be named below \"10.in-addr.arpa\"; instead: a name like cluster.local"},
      {{"--vip", "10.0.0.1/8"},
       "--vip: \"10.0.0.1/8\" is not an address prefix: host bits are set; instead: 10.0.0.0/8"},
      {{"--vip", "10.0.0.0/8", "--vip", "11.0.0.0/8"},
       "--vip: the VIP prefixes 10.0.0.0/8 and 11.0.0.0/8 are of one "
       "family; instead: give one, or one of each family"},
      {{"--vip", "10.0.0.0/8", "--vip", "fd00::/112", "--vip", "fd01::/112"},
       "--vip: more than two VIP prefixes; instead: give one, or one of each family"},
      {{"--workers", "0"}, "--workers: \"0\" is not a number from 1 to 1024; instead: one like 2"},
      {{"--workers", "many"}, "--workers: \"many\" is not a number from 1 to 1024; instead: one like 2"},
      {{"--data", ""}, "--data: the name is empty; instead: name a directory"},
      {{"--objects", "x", "--vip", "10.0.0.0/8"},
       "--objects and --vip exclude each other: no address is allocated for objects read from files; instead: "
       "leave one out"},
      {{"--config", "/nowhere/Corefile"},
       "/nowhere/Corefile cannot be read: No such file or directory; instead: give --config a file that exists"},
      {{"--config", forward, "--vip", "10.0.0.0/8"},
       "--vip: there is no registry that would allocate from it; instead: leave it out"},
      {{"--config", forward, "--zone", "a.b"},
       "--zone: no block of the Corefile has a source of services; instead: write the zone as its key"},
      {{"--config", forward, "--objects", "x"},
       "--objects: no block of the Corefile has `objects`; instead: write it there"},
      {{"--config", twice, "--dns", "127.0.0.1:53"},
       "--dns: two blocks of the Corefile serve \"a\" and would share an "
       "address; instead: leave --dns out, or one of the blocks"},
      {{"snapshot"},
       "snapshot does not say what to do; instead: signpostd snapshot save|restore|verify --data DIR FILE"},
      {{"snapshot", "save", "f"},
       "snapshot does not say where the registry is; instead: signpostd snapshot "
       "save|restore|verify --data DIR FILE"},
      {{"snapshot", "save", "--data", "/d"},
       "snapshot needs one file; instead: signpostd snapshot save|restore|verify --data DIR FILE"},
      {{"snapshot", "save", "--data", "/d", "f", "g"},
       "snapshot needs one file; instead: signpostd snapshot save|restore|verify --data DIR FILE"},
  };
  for (const Row& row : rows) {
    CAPTURE(joined(row.words));
    CHECK(bad(row.words) == row.want);
  }
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"--dns"}, {"--data"}, {"--zone", "a", "--zone", "b"}, {"--check=x"}, {"--workers"}}) {
    CAPTURE(joined(words));
    CHECK(bad(words).ends_with("; instead: see signpostd --help"));
    CHECK(bad(words).find('\n') == std::string::npos);
  }
}

TEST_CASE("flags of CoreDNS and near misses are told what was meant") {
  struct Row {
    std::vector<const char*> words;
    std::string want;
  };
  const Row rows[] = {
      {{"-conf", "Corefile"}, "there is no flag -conf; instead: did you mean --config?"},
      {{"--conf=x"}, "there is no flag --conf; instead: did you mean --config?"},
      {{"-config", "x"}, "there is no flag -config; instead: did you mean --config?"},
      {{"-dns.port", "1053"}, "there is no flag -dns.port; instead: did you mean --dns ADDR:PORT?"},
      {{"-version"}, "there is no flag -version; instead: did you mean --version?"},
      {{"--worker", "2"}, "there is no flag --worker; instead: did you mean --workers?"},
      {{"check"}, "\"check\" is not expected; instead: did you mean --check?"},
      {{"--log-level", "loud"},
       "--log-level: there is no level \"loud\"; instead: debug, info, warning or error"},
  };
  for (const Row& row : rows) {
    std::vector<const char*> words = {"signpostd"};
    words.insert(words.end(), row.words.begin(), row.words.end());
    const auto line = parse_command_line(static_cast<int>(words.size()), words.data(), test_host());
    CHECK((line ? "no error" : line.error()) == row.want);
  }
}
