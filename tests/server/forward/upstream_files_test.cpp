#include "server/forward/upstream_files.hpp"

#include <doctest/doctest.h>

#include <mutex>
#include <string>

#include "tests/server/config/fixture.hpp"
#include "tests/server/forward/forwarder_fixture.hpp"

using namespace signpost;
using namespace signpost::testing;
using server::Directory;
using server::Endpoint;
using server::ForwardSettings;
using server::UpstreamFiles;

namespace {

std::string texts(const std::vector<Endpoint>& endpoints) {
  std::string all;
  for (const Endpoint& endpoint : endpoints) all += (all.empty() ? "" : " ") + endpoint.to_string();
  return all;
}

/// What was told, one a line.
struct Told {
  std::mutex mutex;
  std::string lines;

  server::UpstreamFiles::Tell tell() {
    return [this](std::string_view line) {
      const std::lock_guard lock(mutex);
      lines.append(line) += "\n";
    };
  }
  std::string take() {
    const std::lock_guard lock(mutex);
    return std::exchange(lines, {});
  }
};

std::string nameserver(const ScriptedUpstream& upstream) {
  return "nameserver " + upstream.endpoint().to_string() + "\n";
}

} // namespace

TEST_CASE("a file's servers stand where the file stands, each once, ourselves left out") {
  const Directory directory;
  const auto file =
      directory.write("r", "nameserver 192.0.2.1\nnameserver 127.0.0.1\nnameserver 192.0.2.3\nnameserver 192.0.2.1\n");
  ForwardSettings settings;
  settings.upstreams = {*Endpoint::parse("192.0.2.7:53"), *Endpoint::parse("192.0.2.3:53")};
  settings.files = {{file, 1}};
  Told told;
  UpstreamFiles files(settings, {loopback(53)}, told.tell());
  CHECK(texts(files.read()) == "192.0.2.7:53 192.0.2.1:53 192.0.2.3:53");
  CHECK(told.take() ==
        file + ":2: 127.0.0.1:53 is this server itself and is left out; instead: the address of another\n");
  CHECK(texts(files.read()) == "192.0.2.7:53 192.0.2.1:53 192.0.2.3:53");
  CHECK(told.take().empty()); // once
}

TEST_CASE("a file that names nobody any more keeps what it said") {
  const Directory directory;
  const auto file = directory.write("r", "nameserver 192.0.2.1\n");
  ForwardSettings settings;
  settings.files = {{file, 0}};
  Told told;
  UpstreamFiles files(settings, {}, told.tell());
  CHECK(texts(files.read()) == "192.0.2.1:53");
  for (const char* text : {"", "search x\n", "nameserver nobody\n"}) {
    CAPTURE(text);
    directory.write("r", text);
    CHECK(texts(files.read()) == "192.0.2.1:53");
  }
  CHECK(told.take() == file + " names no nameserver\n" + file +
                           ": nobody to ask is named; those named before are asked on\n" + file +
                           ":1: \"nobody\" is not an address; instead: nameserver ADDRESS\n");
  directory.write("r", "nameserver 192.0.2.2\n");
  CHECK(texts(files.read()) == "192.0.2.2:53");
}

TEST_CASE("more servers than are asked are left out aloud") {
  const Directory directory;
  std::string text;
  for (int i = 1; i <= 20; ++i) text += "nameserver 192.0.2." + std::to_string(i) + "\n";
  ForwardSettings settings;
  settings.files = {{directory.write("r", text), 0}};
  Told told;
  UpstreamFiles files(settings, {}, told.tell());
  CHECK(files.read().size() == ForwardSettings::max_upstreams);
  CHECK(told.take().find("5 upstreams") != std::string::npos);
}

TEST_CASE("a forwarder follows its file: missing, there, another server, emptied") {
  ScriptedUpstream one(one_address), two([](const Asked&asked) {
    return Replies{asked.reply().answer(pointer(12), 1, 0, ipv4(192, 0, 2, 2)).octets()};
  });
  const Directory directory;
  const auto file = directory.write("r", "");
  std::filesystem::remove(file);
  ForwarderSettings settings = to({}, false);
  settings.routes[0].forward.files = {{file, 0}};
  Told told;
  settings.tell = told.tell();
  Running running(std::move(settings));
  Client client(running.forwarder);
  const Octets reply = client.ask(query(1, www, 1, true));
  CHECK(rcode_of(reply) == 2);
  CHECK(extended_error(reply) == 22);
  CHECK(told.take().find("nobody to ask is named") != std::string::npos);

  const auto comes_from = [&](int last) {
    return eventually([&] {
      const Octets answer = client.ask(query(1, www));
      return rcode_of(answer) == 0 && answer.back() == last;
    });
  };
  directory.write("r", nameserver(one));
  CHECK(comes_from(1));
  directory.write("r", "# changed\n" + nameserver(two));
  CHECK(comes_from(2));
  CHECK(texts(running.forwarder.upstreams()) == two.endpoint().to_string());
  directory.write("r", "");
  CHECK(eventually([&] { return told.take().find("asked on") != std::string::npos; }));
  CHECK(comes_from(2));
}
