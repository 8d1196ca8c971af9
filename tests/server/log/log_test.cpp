#include "server/log/log.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

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

TEST_CASE("an event as JSON is a JSON object, whatever the values hold") {
  const auto json = [](std::string_view component, std::string_view message, log::Fields fields) {
    return nlohmann::json::parse("{" + log::format_json(component, message, fields) + "}");
  };
  CHECK(log::format_json("dns", "listening", {{"address", "127.0.0.1:53"}, {"workers", 2}}) ==
        R"("component":"dns","message":"listening","address":"127.0.0.1:53","workers":2)");
  CHECK(json("a", "b", {{"k", "x=\"y\"\n\x01\x7f\\"}})["k"] == "x=\"y\"\n\x01\x7f\\");
  CHECK(json("a", "b", {{"k", "\xff\xfe no UTF-8"}})["message"] == "b");
  CHECK(log::format_json("a", "b", {{"k", "two\nlines"}}).find('\n') == std::string::npos);
}

TEST_CASE("lines below the level are not written") {
  log::set({.level = log::Level::warning});
  CHECK_FALSE(log::writes(log::Level::info));
  CHECK(log::writes(log::Level::warning));
  CHECK(log::writes(log::Level::error));
  log::set({.level = log::Level::debug});
  CHECK(log::writes(log::Level::debug));
  log::set({});
  CHECK_FALSE(log::writes(log::Level::debug));
  CHECK(log::writes(log::Level::info));
}

TEST_CASE("warnings and errors are counted, also those below the level") {
  const log::Tally before = log::tally();
  log::set({.level = log::Level::error});
  log::info("a", "nothing special");
  log::warning("a", "odd", {{"k", "v"}});
  log::set({});
  const log::Tally after = log::tally();
  CHECK(after.warnings == before.warnings + 1);
  CHECK(after.errors == before.errors);
  CHECK(after.last == "a: odd k=v");
}
