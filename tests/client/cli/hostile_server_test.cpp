// What a server sends that is no registry, or a hostile one: each command ends with one sentence and a code of its own.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "client/cli/http.hpp"
#include "client/cli/output.hpp"
#include "tests/client/cli/command_line.hpp"
#include "tests/client/http_responder.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using signpost::cli::Exit;
using signpost::cli::HttpClient;
using testing::HttpAnswer;
using testing::HttpAsked;
using testing::HttpResponder;
using testing::run;

namespace {

// Every command that reads from the API.
const std::vector<std::vector<std::string>> commands{
    {"get", "services"},
    {"get", "svc", "web"},
    {"get", "svc", "-o", "json"},
    {"get", "svc", "-o", "yaml"},
    {"get", "svc", "-o", "name"},
    {"get", "svc", "-w", "--count", "1"},
    {"describe", "svc"},
    {"describe", "svc", "web"},
    {"watch", "svc", "--count", "1"},
    {"watch", "svc", "-o", "json", "--count", "1"},
    {"delete", "svc", "web"},
    {"delete", "svc", "--all"},
    {"apply", "-f", "-"},
    {"env"},
    {"exec", "--", "true"},
    {"vip", "ls"},
    {"vip", "check"},
    {"status"},
    {"status", "-o", "json"},
};

const std::string manifest =
    R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"ports":[{"port":80}]}})";

std::string http(const std::string& body, const std::string& head = "") {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + head +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

bool one_sentence(const std::string& text) {
  return text.starts_with("signpost: ") && std::count(text.begin(), text.end(), '\n') == 1 && text.ends_with('\n');
}

json service(json metadata, json spec) {
  return {{"apiVersion", "v1"}, {"kind", "Service"}, {"metadata", std::move(metadata)}, {"spec", std::move(spec)}};
}

std::string list_of(json items) {
  return json{{"kind", "ServiceList"},
              {"apiVersion", "v1"},
              {"metadata", {{"resourceVersion", "3"}}},
              {"items", std::move(items)}}
      .dump();
}

} // namespace

TEST_CASE("a reply that is none ends each command with one sentence") {
  std::string deep(1'000'000, '['), many = "[1";
  for (int i = 0; i < 4'100'000; ++i) many += ",1";
  struct Case {
    const char* what;
    std::string raw;
  };
  for (const Case& c : {
           Case{"garbage", std::string(5000, '\x07')},
           Case{"garbage as JSON", http("\x1b]0;owned\x07")},
           Case{"an endless head", "HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'a')},
           Case{"a length that no reply has",
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999999999\r\n\r\n{"},
           Case{"half of what its length says",
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"},
           Case{"two lengths", http("{}", "Content-Length: 7\r\n")},
           Case{"too deep", http(deep)},
           Case{"too many values", http(many + ']')},
           Case{"a list", http("[]")},
           Case{"a redirection", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"},
           Case{"an error in HTML", "HTTP/1.1 500 X\r\nContent-Length: 6\r\n\r\n<html>"},
       }) {
    HttpResponder server([&](const HttpAsked&) { return HttpAnswer{.raw = c.raw}; });
    for (auto words : commands) {
      CAPTURE(c.what);
      CAPTURE(words[0]);
      words.insert(words.begin(), {"--server", server.url()});
      const auto ran = run(words, manifest);
      CHECK(ran.code != 0);
      CHECK(ran.out.empty());
      CHECK_MESSAGE(one_sentence(ran.err), ran.err);
      CHECK(ran.err == "signpost: " + signpost::cli::printable(ran.err.substr(10, ran.err.size() - 11)) + '\n');
    }
  }
}

TEST_CASE("a body without an end is cut off, a trickle and a silence end in time") {
  HttpResponder endless([](const HttpAsked&) {
    return HttpAnswer{.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                      .more = [] { return "10000\r\n" + std::string(65536, '[') + "\r\n"; }};
  });
  const auto url = [](const HttpResponder& server) { return *signpost::cli::read_url(server.url()); };
  auto reply = HttpClient(url(endless), {.body = 1 << 20}).send({.target = "/"});
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == Exit::error);
  CHECK(reply.error().message.find("more than 1 MiB") != std::string::npos);

  HttpResponder trickle([](const HttpAsked&) {
    return HttpAnswer{.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .more = [] {
                        std::this_thread::sleep_for(2ms);
                        return std::string("1\r\n[\r\n");
                      }};
  });
  reply = HttpClient(url(trickle), {.reply = 1h, .whole = 50ms}).send({.target = "/"});
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == Exit::unavailable);

  HttpResponder silent([](const HttpAsked&) {
    return HttpAnswer{.raw = "HTTP/1.1 200 OK\r\n", .more = [] {
                        std::this_thread::sleep_for(200ms);
                        return std::string();
                      }};
  });
  reply = HttpClient(url(silent), {.reply = 20ms}).send({.target = "/"});
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == Exit::unavailable);
}

TEST_CASE("a list that does not end is given up") {
  HttpResponder circle([](const HttpAsked&) {
    return HttpAnswer{.body = R"({"kind":"ServiceList","metadata":{"resourceVersion":"1","continue":"x"},"items":[]})"};
  });
  for (const auto& words : {std::vector<std::string>{"get", "svc"}, {"env"}, {"vip", "check"}}) {
    auto all = words;
    all.insert(all.begin(), {"--server", circle.url()});
    const auto ran = run(all);
    CHECK(ran.code == 1);
    CHECK(ran.err.find("does not end") != std::string::npos);
  }
  int page = 0;
  HttpResponder forever([&](const HttpAsked&) {
    return HttpAnswer{.body = json{{"kind", "ServiceList"},
                                   {"metadata", {{"resourceVersion", "1"}, {"continue", std::to_string(++page)}}},
                                   {"items", json::array()}}
                                  .dump()};
  });
  const auto ran = run({"--server", forever.url(), "get", "svc"});
  CHECK(ran.code == 1);
  CHECK(ran.err.find("does not end") != std::string::npos);
}

TEST_CASE("a service makes no variable but its own") {
  const json port{{"port", 80}};
  struct Case {
    const char* what;
    json metadata, spec;
  };
  using namespace std::string_literals;
  for (const Case& c : {
           Case{"NUL and = in a name", {{"name", "a\0b=c\nX"s}}, {{"clusterIP", "10.0.0.1"}, {"ports", {port}}}},
           Case{"a line feed in a name", {{"name", "a\nEVIL=1;b"}}, {{"clusterIP", "10.0.0.1"}, {"ports", {port}}}},
           Case{"= in a name", {{"name", "PATH=/tmp:"}}, {{"clusterIP", "10.0.0.1"}, {"ports", {port}}}},
           Case{"no name", json::object(), {{"clusterIP", "10.0.0.1"}, {"ports", {port}}}},
           Case{"a line feed in an address", {{"name", "a"}}, {{"clusterIP", "10.0.0.1\nEVIL=1"}, {"ports", {port}}}},
           Case{"a word as address", {{"name", "a"}}, {{"clusterIP", "nowhere"}, {"ports", {port}}}},
           Case{"a line feed in the second address",
                {{"name", "a"}},
                {{"clusterIPs", {"10.0.0.1\nEVIL=1"}}, {"ports", {port}}}},
           Case{"a line feed in a port's name",
                {{"name", "a"}},
                {{"clusterIP", "10.0.0.1"}, {"ports", {{{"name", "x\nEVIL=1"}, {"port", 80}}}}}},
           Case{"a line feed in a protocol",
                {{"name", "a"}},
                {{"clusterIP", "10.0.0.1"}, {"ports", {{{"protocol", "TCP\nEVIL=1"}, {"port", 80}}}}}},
       }) {
    CAPTURE(c.what);
    HttpResponder server([&](const HttpAsked&) {
      auto metadata = c.metadata;
      metadata["namespace"] = "default";
      return HttpAnswer{.body = list_of({service(metadata, c.spec)})};
    });
    for (const auto& words : {std::vector<std::string>{"env"},
                              {"env", "--format", "export"},
                              {"env", "--format", "json"},
                              {"env", "--format", "docker"},
                              {"exec", "--", "false"}}) {
      auto all = words;
      all.insert(all.begin(), {"--server", server.url()});
      const auto ran = run(all);
      CHECK(ran.code == 1);
      CHECK(ran.out.empty());
      CHECK_MESSAGE(one_sentence(ran.err), ran.err);
    }
  }
}

TEST_CASE("nothing is deleted by a name that is none") {
  for (const auto* const name : {"", ".", "..", "a/b", "../../namespaces/default"}) {
    HttpResponder server([&](const HttpAsked&) {
      return HttpAnswer{.body = list_of({service({{"name", name}, {"namespace", "default"}}, json::object())})};
    });
    CHECK(run({"--server", server.url(), "delete", "svc", "--all"}).code == 1);
    for (const auto& asked : server.asked()) CHECK(asked.method == "GET");
  }
}

TEST_CASE("what steers a terminal stays in the server's reply") {
  // ESC, CSI as C1, DEL, a right-to-left override, a line separator, and octets that are no UTF-8 in a header.
  const std::string evil = "a\x1b[2J\xc2\x9b"
                           "2J\x7f\xe2\x80\xae\xe2\x80\xa8"
                           "b";
  HttpResponder server([&](const HttpAsked& asked) {
    const auto one = service({{"name", evil},
                              {"namespace", "default"},
                              {"resourceVersion", evil},
                              {"labels", {{evil, evil}}},
                              {"creationTimestamp", evil}},
                             {{"clusterIP", evil}, {"type", evil}});
    const std::string head = "Warning: 299 - \"\xc2\x9b"
                             "2J\x9b"
                             "31m\"\r\n";
    if (asked.method == "DELETE")
      return HttpAnswer{.status = 403,
                        .body = testing::status(403, "Forbidden", R"(no\u001b[2J\nsignpost: all is well\u009b)")};
    if (asked.target.find("watch=true") != std::string::npos)
      return HttpAnswer{.body = json{{"type", "MODIFIED\x1b"}, {"object", one}}.dump() + '\n'};
    return HttpAnswer{.body = asked.target.ends_with("/web") ? one.dump() : list_of({one}), .head = head};
  });
  for (auto words : commands) {
    if (words[0] == "exec") continue;
    CAPTURE(words[0]);
    words.insert(words.begin(), {"--server", server.url()});
    const auto ran = run(words, manifest);
    for (const auto& text : {ran.out, ran.err})
      for (const auto* const bad : {"\x1b", "\x7f", "\x9b", "\xe2\x80\xae", "\xe2\x80\xa8"})
        CHECK(text.find(bad) == std::string::npos);
    if (words[2] == "delete") CHECK(ran.code != 0);
    if (words[2] == "get" && words[3] == "services") CHECK(ran.out.find("a?[2J?2J???b") != std::string::npos);
    if (words[2] == "get") CHECK(ran.err.find("Warning: ?2J?31m") != std::string::npos);
  }
  // And nothing is lost in what programs read.
  const auto ran = run({"--server", server.url(), "get", "svc", "web", "-o", "json"});
  CHECK(json::parse(ran.out)["metadata"]["name"] == evil);
  CHECK(signpost::cli::printable("wörld ✓ 𝄞") == "wörld ✓ 𝄞");
}
