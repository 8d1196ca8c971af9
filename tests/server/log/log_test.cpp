#include "server/log/log.hpp"

#include <doctest/doctest.h>

using namespace signpost::server;

TEST_CASE("an event is one line of facts") {
  CHECK(log::format("dns", "listening", {{"address", "127.0.0.1:53"}, {"workers", 2}}) ==
        "dns: listening address=127.0.0.1:53 workers=2");
}

TEST_CASE("values that are not plain are quoted and escaped, so that a line stays a line") {
  CHECK(log::format("a", "b", {{"k", ""}}) == "a: b k=\"\"");
  CHECK(log::format("a", "b", {{"k", "two words"}}) == "a: b k=\"two words\"");
  CHECK(log::format("a", "b", {{"k", "x=\"y\"\n\x01\x7f\\"}}) == "a: b k=\"x=\\\"y\\\"\\n\\x01\\x7f\\\\\"");
  CHECK(log::format("a", "line\nbreak", {}) == "a: line\\nbreak");
}
