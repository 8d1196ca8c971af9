#include <doctest/doctest.h>

#include <string>

#include "tests/zone/ask.hpp"
#include "zone/wire/name.hpp"

using namespace signpost;
using namespace std::string_literals;

namespace {

std::string wire_of(const std::string& text) {
  const auto name = wire::name_from_text(text);
  return name ? std::string(reinterpret_cast<const char*>(name->octets.data()), name->length) : "none";
}

} // namespace

TEST_CASE("text becomes wire form, lower case, absolute") {
  CHECK(wire_of("") == "\0"s);
  CHECK(wire_of(".") == "\0"s);
  CHECK(wire_of("a") == "\1a\0"s);
  CHECK(wire_of("Web.Default.") == "\3web\7default\0"s);
  CHECK(wire_of("a\\.b.c") == "\3a.b\1c\0"s);
  CHECK(wire_of("a\\\\b") == "\3a\\b\0"s);
  CHECK(wire_of("a\\000\\255") == "\3a\0\xff\0"s);
  CHECK(wire_of("\\065") == "\1a\0"s);
  CHECK(wire_of(std::string(63, 'x')).size() == 65);
}

TEST_CASE("text that is no name is none") {
  for (const std::string text : {"..", ".a", "a..b", "a\\", "a\\25", "a\\256", "a\\2x5"}) {
    CAPTURE(text);
    CHECK(!wire::name_from_text(text));
  }
  CHECK(!wire::name_from_text(std::string(64, 'x')));
  std::string longest;
  for (int i = 0; i < 127; ++i) longest += "a.";
  CHECK(wire::name_from_text(longest)->length == 255);
  CHECK(wire::name_from_text(longest)->labels == 127);
  CHECK(!wire::name_from_text(longest + "a"));
}

TEST_CASE("text form round-trips every octet, as ldns writes it") {
  for (int octet = 0; octet < 256; ++octet) {
    if (octet >= 'A' && octet <= 'Z') continue;
    const std::uint8_t wire[] = {2, static_cast<std::uint8_t>(octet), 'x', 0};
    const std::string text = wire::name_to_text(wire);
    CAPTURE(text);
    const auto back = wire::name_from_text(text);
    REQUIRE(back);
    CHECK(std::equal(back->octets.begin(), back->octets.begin() + 4, wire));
    CHECK(test::name_octets(text) == test::Bytes(wire, wire + 4));
  }
  CHECK(wire::name_to_text(wire::WireName{}.span()) == ".");
}

TEST_CASE("wire form is read with its label offsets, and only when it is sound") {
  const auto read = [](const std::string& octets) {
    return wire::name_from_wire({reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size()});
  };
  const auto name = read("\3Web\2ns\0rest"s);
  REQUIRE(name);
  CHECK(name->labels == 2);
  CHECK(name->length == 8);
  CHECK(name->label_offset[1] == 4);
  CHECK(name->label_offset[2] == 7);
  CHECK(*name == *wire::name_from_text("web.ns"));
  CHECK(!read(""));
  CHECK(!read("\3we"s));
  CHECK(!read("\3web"s));
  CHECK(!read("\xc0\0"s));
  CHECK(!read("\x40" + std::string(64, 'a') + "\0"s));
  CHECK(!read(std::string(300, '\1')));
}
