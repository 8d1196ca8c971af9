#include "discovery/api/head.hpp"

#include <doctest/doctest.h>

#include "discovery/api/message_body.hpp"
#include "discovery/api/negotiation.hpp"
#include "discovery/api/request.hpp"

using namespace signpost::api;

namespace {

TEST_CASE("a proper head is read") {
  const std::string text = "POST /api/v1/services?a=b HTTP/1.1\r\nHost: localhost:8080\r\nAccept: a\r\n"
                           "content-TYPE: application/json; charset=utf-8\r\nContent-Length: 12\r\nExpect: "
                           "100-continue\r\nConnection: close, x\r\n\r\n";
  const auto head = parse_head(text);
  REQUIRE(head);
  CHECK(head->method == "POST");
  CHECK(head->target == "/api/v1/services?a=b");
  CHECK(head->host == "localhost:8080");
  CHECK(head->accept == "a");
  CHECK(head->content_type == "application/json; charset=utf-8");
  CHECK(head->content_length == 12);
  CHECK(head->expect_continue);
  CHECK_FALSE(head->keep_alive);
  const auto absolute = parse_head("GET http://[::1]:80/x HTTP/1.1\r\nHost: evil\r\n\r\n");
  REQUIRE(absolute);
  CHECK(absolute->target == "/x");
  CHECK(absolute->host == "[::1]:80");
  const auto old = parse_head("GET / HTTP/1.0\r\n\r\n");
  REQUIRE(old);
  CHECK_FALSE(old->keep_alive);
}

TEST_CASE("heads that are not exactly HTTP/1.1 are refused") {
  struct Case {
    const char* text;
    int status;
  };
  const std::string start = "GET / HTTP/1.1\r\nHost: localhost\r\n";
  for (const Case& c : {Case{"Content-Length: +5", 400},
                        {"Content-Length: 0x5", 400},
                        {"Content-Length: 5, 5", 400},
                        {"Content-Length: 5,6", 400},
                        {"Content-Length: -1", 400},
                        {"Content-Length:", 400},
                        {"Content-Length: 99999999999999999999", 400},
                        {"Content-Length: 5\r\nContent-Length: 5", 400},
                        {"Host: localhost", 400},
                        {"Transfer-Encoding: gzip", 501},
                        {"Transfer-Encoding: chunked, chunked", 501},
                        {"Transfer-Encoding: chunked, identity", 501},
                        {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400},
                        {"Transfer-Encoding: chunked\r\nContent-Length: 5", 400},
                        {"Content-Length: 5\r\nTransfer-Encoding: chunked", 400},
                        {"Expect: something", 417},
                        {"X: a\r\n b", 400},
                        {"X : a", 400},
                        {": a", 400},
                        {"X", 400},
                        {"X: a\nY: b", 400},
                        {"X: a\rb", 400},
                        {"X: \x01", 400},
                        {"X\x80: a", 400}}) {
    CAPTURE(c.text);
    const auto head = parse_head(start + c.text + "\r\n\r\n");
    REQUIRE_FALSE(head);
    CHECK(head.error().status == c.status);
  }
  CHECK_FALSE(parse_head(start + std::string("X: a\0b", 6) + "\r\n\r\n"));
  std::string many = start;
  for (int i = 0; i < 101; ++i) many += "X: y\r\n";
  CHECK(parse_head(many + "\r\n").error().status == 431);

  for (const Case& c : {Case{"GET /", 400},
                        {"GET  / HTTP/1.1", 400},
                        {"GET /a b HTTP/1.1", 400},
                        {"GET / HTTP/2.0", 505},
                        {"PRI * HTTP/2.0", 505},
                        {"GET / HTTP/1.10", 400},
                        {"GET / http/1.1", 400},
                        {"GET * HTTP/1.1", 400},
                        {"GET a HTTP/1.1", 400},
                        {"GET http://user@localhost/ HTTP/1.1", 400},
                        {"GET https://localhost/ HTTP/1.1", 400},
                        {"GET /#x HTTP/1.1", 400},
                        {"G@T / HTTP/1.1", 400},
                        {" / HTTP/1.1", 400}}) {
    CAPTURE(c.text);
    const auto head = parse_head(std::string(c.text) + "\r\nHost: localhost\r\n\r\n");
    REQUIRE_FALSE(head);
    CHECK(head.error().status == c.status);
  }
  CHECK(parse_head("GET / HTTP/1.1\r\n\r\n").error().message == "missing Host");
  CHECK(parse_head("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").error().status == 400);
  CHECK(parse_head("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n").error().status == 414);
}

TEST_CASE("garbage is noticed before a head is complete") {
  CHECK(check_beginning("GET"));
  CHECK(check_beginning("GET / HTTP/1.1\r"));
  CHECK(check_beginning("GET / HTTP/1.1\r\nHost"));
  CHECK_FALSE(check_beginning("\x16\x03\x01"));
  CHECK_FALSE(check_beginning("GET /\r\n"));
  CHECK_FALSE(check_beginning("GET / HTTP/1.1\n"));
  CHECK_FALSE(check_beginning("AAAAAAAAAAAAAAAAAAAAAAAA"));
}

TEST_CASE("only this machine's names count as Host") {
  for (const char* host : {"localhost", "LOCALHOST:1", "localhost.", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:80"})
    CHECK_MESSAGE(is_loopback_host(host), host);
  for (const char* host : {"", "example.com", "10.0.0.1", "127.0.0.1.example.com", "localhost.example.com", "::1",
                           "[::1", "[::1]x", "[fe80::1]", "0.0.0.0", "127.0.0.1@evil"})
    CHECK_MESSAGE(!is_loopback_host(host), host);
}

TEST_CASE("targets are split and decoded") {
  const auto target = parse_target("/api/v1/namespaces/a%2Db/services/?watch&x=1%202+3&x=4");
  REQUIRE(target);
  CHECK(target->segments == std::vector<std::string>{"api", "v1", "namespaces", "a-b", "services"});
  CHECK(target->query.flag("watch"));
  CHECK(target->query.get("x") == "1 2 3");
  CHECK(target->query.all("x").size() == 2);
  CHECK_FALSE(target->query.flag("x"));
  CHECK(parse_target("/")->segments.empty());
  for (const char* bad : {"", "x", "//", "/a//b", "/a//", "/%", "/%2", "/%zz", "/%00", "/a%2fb", "/?a=%", "/%0a"})
    CHECK_MESSAGE(!parse_target(bad), bad);
}

TEST_CASE("Accept decides the shape") {
  struct Case {
    const char* accept;
    int shape; // -1: refused
  };
  for (
      const Case& c :
      {Case{"", 0},
       {"*/*", 0},
       {"application/json", 0},
       {"application/json, */*", 0},
       {"application/vnd.kubernetes.protobuf", 0},
       {"application/vnd.kubernetes.protobuf,application/json", 0},
       {"application/*", -1},
       {"text/html", -1},
       {"text/html,*/*;q=0.1", 0},
       {"application/json;q=0", -1},
       {"application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
        1},
       {"application/json;as=Table;v=v2;g=meta.k8s.io,application/json", 0},
       {"application/json;as=Table;v=v2;g=meta.k8s.io", -1},
       {"application/json;as=Table;v=v1;g=meta.k8s.io;q=0.1,application/json", 0},
       {"application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as="
        "PartialObjectMetadataList;g=meta.k8s.io;v=v1",
        2}}) {
    CAPTURE(c.accept);
    const auto encoding = negotiate(c.accept);
    CHECK((encoding ? static_cast<int>(encoding->shape) : -1) == c.shape);
  }
  using enum Format;
  CHECK(negotiate("application/vnd.kubernetes.protobuf")->format == protobuf);
  CHECK(negotiate("application/vnd.kubernetes.protobuf,application/json;q=0")->format == protobuf);
  CHECK(negotiate("application/vnd.kubernetes.protobuf;stream=watch, text/html")->format == protobuf);
  CHECK(negotiate("application/vnd.kubernetes.protobuf,application/json")->format == json);
  CHECK(negotiate("application/vnd.kubernetes.protobuf, */*")->format == json);
  CHECK(negotiate("application/yaml, application/json")->format == yaml);
  CHECK(negotiate("application/yaml;q=0.5, application/json")->format == json);
  // Each clause by itself: this one does not read Tables in JSON.
  const auto plain = negotiate("application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1,application/json");
  CHECK(plain->shape == Shape::object);
  CHECK(plain->format == json);
  CHECK_FALSE(negotiate("application/yaml;as=Table;g=meta.k8s.io;v=v1"));
  CHECK_FALSE(negotiate("application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1"));
  CHECK(negotiate("application/json;as=Table;v=v1beta1;g=meta.k8s.io")->version == "v1beta1");
  CHECK(body_format("") == BodyFormat::json);
  CHECK(body_format("Application/JSON; charset=utf-8") == BodyFormat::json);
  CHECK(body_format("application/apply-patch+yaml") == BodyFormat::apply_patch);
  CHECK_FALSE(body_format("text/plain"));
}

TEST_CASE("bodies are collected by length and by chunks, within limits") {
  const std::string chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const auto run = [](std::string head, const std::string& bytes, std::string& rest, std::string& body,
                      std::size_t piece) {
    MessageBody message(head, 100);
    rest.clear();
    auto state = MessageBody::State::more;
    for (std::size_t at = 0; at < bytes.size() && state == MessageBody::State::more; at += piece) {
      rest += bytes.substr(at, piece);
      state = message.take(rest);
    }
    body = message.release();
    return state;
  };
  using State = MessageBody::State;
  std::string rest, body;
  for (const std::size_t piece : {1u, 3u, 1000u}) {
    CHECK(run(chunked, "5\r\nhello\r\n1;ext=x\r\n!\r\n0\r\nTrailer: x\r\n\r\nGET", rest, body, piece) == State::done);
    CHECK(body == "hello!");
    CHECK(run("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", "abcGET", rest, body, piece) == State::done);
    CHECK(body == "abc");
  }
  CHECK(rest == "GET");
  CHECK(run(chunked, "zz\r\n", rest, body, 100) == State::malformed);
  CHECK(run(chunked, "-5\r\n", rest, body, 100) == State::malformed);
  CHECK(run(chunked, "5\nhello\r\n0\r\n\r\n", rest, body, 100) == State::malformed);
  CHECK(run(chunked, "5\r\nhelloX\r\n0\r\n\r\n", rest, body, 100) == State::malformed);
  CHECK(run(chunked, "fffffffffffffffff\r\n", rest, body, 100) != State::done);
  CHECK(run(chunked, "ff\r\n" + std::string(255, 'x') + "\r\n", rest, body, 1000) == State::too_large);
  CHECK(run(chunked, "1;" + std::string(20'000, 'x'), rest, body, 1000) == State::malformed);
  CHECK(run(chunked, "0\r\n" + std::string(20'000, 'x'), rest, body, 1000) == State::malformed);
  CHECK(run("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n", "a", rest, body, 1) == State::too_large);
}

} // namespace
