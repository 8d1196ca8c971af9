#include <doctest/doctest.h>

#include <random>
#include <string>

#include "discovery/model/address.hpp"
#include "zone/schema/endpoint_label.hpp"

using namespace signpost;

namespace {

std::string label_of(const model::Address& address) {
  std::array<std::uint8_t, zone::max_endpoint_label> label;
  const std::size_t length = zone::write_endpoint_label(address.bytes(), label.data());
  return {label.begin(), label.begin() + static_cast<std::ptrdiff_t>(length)};
}

zone::LabelAddress read(const std::string& label) {
  return zone::read_endpoint_label({reinterpret_cast<const std::uint8_t*>(label.data()), label.size()});
}

} // namespace

TEST_CASE("an address becomes a label") {
  for (const auto& [text, label] : std::vector<std::pair<const char*, const char*>>{
           {"10.244.1.5", "10-244-1-5"},
           {"0.0.0.0", "0-0-0-0"},
           {"255.255.255.255", "255-255-255-255"},
           {"fd00::1", "fd00--1"},
           {"5678:abcd::", "5678-abcd--0"},
           {"::", "--0"},
           {"::1", "--1"},
           {"2001:db8::1:0:0:1", "2001-db8--1-0-0-1"},
           {"2001:0:0:1:0:0:0:1", "2001-0-0-1--1"},
           {"1:0:2:3:4:5:6:7", "1-0-2-3-4-5-6-7"},
           {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff-ffff-ffff-ffff-ffff-ffff-ffff-ffff"},
       }) {
    const auto address = model::Address::parse(text);
    REQUIRE(address);
    CHECK(label_of(*address) == label);
    const auto back = read(label);
    REQUIRE(back.length == address->bytes().size());
    CHECK(std::equal(back.octets.begin(), back.octets.begin() + static_cast<std::ptrdiff_t>(back.length),
                     address->bytes().begin()));
  }
}

TEST_CASE("only the very label is an address") {
  for (const std::string label : {"",
                                  "-",
                                  "--",
                                  "web",
                                  "10-244-1",
                                  "10-244-1-5-6",
                                  "010-244-1-5",
                                  "10-244-1-256",

                                  "-1-2-3-4",
                                  "1-2-3-4-",
                                  "fd00--",
                                  "fd00-0--1",
                                  "FD00--1",
                                  "1--2--3",
                                  "12345--1",
                                  "1-2-3-4-5-6-7-8-9",
                                  "1--2-3-4-5-6-7-8",
                                  "g--1",
                                  "---1",
                                  "1---",
                                  "0-0-0-0-0-0-0-1",
                                  "1-2-3-4-5-6-7-",
                                  "-2-3-4-5-6-7-8"}) {
    CAPTURE(label);
    CHECK(read(label).length == 0);
  }
}

TEST_CASE("random addresses and random labels") {
  std::mt19937 random(11);
  for (int round = 0; round < 50'000; ++round) {
    std::array<std::uint8_t, 16> octets{};
    for (auto& octet : octets) {
      if (random() % 2 == 0) octet = static_cast<std::uint8_t>(random());
    }
    const std::span<const std::uint8_t> bytes(octets.data(), random() % 2 == 0 ? 4 : 16);
    const auto address = model::Address::from_bytes(bytes);
    const std::string label = label_of(address);
    const auto back = read(label);
    REQUIRE(back.length == bytes.size());
    REQUIRE(std::equal(bytes.begin(), bytes.end(), back.octets.begin()));
    if (address.is_v4()) continue;
    std::string text = address.to_string();
    for (char& c : text) c = c == ':' ? '-' : c;
    if (text.back() == '-') text += '0';
    if (text.find('.') == std::string::npos) REQUIRE(label == text);

    std::string noise = label;
    noise[random() % noise.size()] = "0123456789abcdef-g"[random() % 18];
    if (const auto read_back = read(noise); read_back.length != 0) {
      REQUIRE(label_of(model::Address::from_bytes(read_back.span())) == noise);
    }
  }
}
