#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "discovery/vip/range.hpp"

namespace signpost::vip {
namespace {

using nlohmann::json;

model::Address address(const std::string& text) {
  const auto parsed = model::Address::parse(text);
  REQUIRE_MESSAGE(parsed.has_value(), text);
  return *parsed;
}

tl::expected<Range, std::string> make(const std::string& text) {
  const auto prefix = model::Prefix::parse(text);
  REQUIRE_MESSAGE(prefix.has_value(), text);
  return Range::make(*prefix);
}

// The prefix of a case, under whichever name the case has it.
std::string prefix_of(const json& input) {
  for (const char* name : {"cidr", "service_cidr", "service_cluster_ip_range"}) {
    if (input.contains(name)) return input.at(name);
  }
  return input.contains("servicecidrs") ? std::string(input.at("servicecidrs").at(0)) : std::string();
}

} // namespace

TEST_CASE("ranges are those of Kubernetes") {
  std::ifstream file(SIGNPOST_SOURCE_DIR "/tests/discovery/vip/vip-cases.json");
  const json cases = json::parse(file).at("vip");
  int checked = 0;
  for (const json& row : cases) {
    const std::string kind = row.at("kind");
    const json& input = row.at("input");
    const json& expected = row.at("expectation");
    CAPTURE(row.at("id").get<std::string>());
    if (kind == "address-arithmetic") {
      CHECK(add(address(input.at("base")), input.at("offset")).to_string() == expected.at("result"));
      ++checked;
      continue;
    }
    if (kind != "allocator" && kind != "range-size" && kind != "broadcast" && kind != "static-band" &&
        kind != "config" && kind != "multi-cidr") {
      continue;
    }
    const auto range = make(prefix_of(input));
    CHECK(range.has_value() == expected.value("accepted", true));
    ++checked;
    if (!range) continue;
    if (expected.contains("usable") && expected.at("usable").is_number()) CHECK(range->size() == expected.at("usable"));
    if (expected.contains("free")) CHECK(range->size() == expected.at("free"));
    if (expected.contains("static_addresses")) CHECK(range->static_size() == expected.at("static_addresses"));
    if (expected.contains("last_address")) CHECK_FALSE(range->index_of(address(expected.at("last_address"))));
    if (expected.contains("kubernetes.default")) CHECK(range->first().to_string() == expected.at("kubernetes.default"));
    if (expected.contains("dns_convention")) CHECK(range->dns()->to_string() == expected.at("dns_convention"));
    for (const json& operation : input.value("ops", json::array())) {
      if (!operation.is_object() || !operation.contains("allocate")) continue;
      const bool usable = range->index_of(address(operation.at("allocate"))).has_value();
      CHECK(usable == !expected.contains("http_status"));
    }
  }
  CHECK(checked >= 25);
}

TEST_CASE("prefixes that cannot be a range are refused with a sentence") {
  struct Row {
    const char* prefix;
    const char* part; // of the sentence; nullptr: accepted
  };
  const Row rows[] = {
      {"10.0.0.0/30", "fewer than 8 addresses"},
      {"10.0.0.0/29", nullptr},
      {"10.0.0.0/31", "fewer"},
      {"10.0.0.0/32", "fewer"},
      {"fd00::/126", "/125"},
      {"fd00::/125", nullptr},
      {"fd00::/64", nullptr},
      {"fd00::/63", "/64 or longer"},
      {"::/0", "too large"},
      {"0.0.0.0/0", "too large"},
      {"0.0.0.0/1", "too large"},
      {"64.0.0.0/2", nullptr},
  };
  for (const Row& row : rows) {
    CAPTURE(row.prefix);
    const auto range = make(row.prefix);
    CHECK(range.has_value() == (row.part == nullptr));
    if (row.part == nullptr) continue;
    CHECK(range.error().find(row.part) != std::string::npos);
    CHECK(range.error().starts_with(row.prefix));
  }
}

TEST_CASE("the bands") {
  struct Row {
    const char* prefix;
    std::uint64_t size, band;
  };
  const Row rows[] = {
      {"10.0.0.0/29", 6, 0},
      {"10.0.0.0/28", 14, 0},
      {"10.0.0.0/27", 30, 16},
      {"10.0.0.0/24", 254, 16},
      {"192.168.1.0/25", 126, 16},
      {"10.0.0.0/22", 1022, 64},
      {"10.0.0.0/20", 4094, 256},
      {"10.96.0.0/12", 1048574, 256},
      {"64.0.0.0/2", 1073741822, 256},
      {"fd00::/125", 7, 0},
      {"fd00::/124", 15, 0},
      {"fd00::/122", 63, 16},
      {"fd00::/118", 1023, 64},
      {"fd00::/112", 65535, 256},
      {"fd00::/65", 0x7fffffffffffffff, 256},
      {"fd00::/64", 0xffffffffffffffff, 256},
  };
  for (const Row& row : rows) {
    CAPTURE(row.prefix);
    const auto range = make(row.prefix);
    CHECK(range->size() == row.size);
    CHECK(range->static_size() == row.band);
  }
}

TEST_CASE("addresses and indexes are each other's inverse") {
  for (const char* prefix :
       {"10.0.0.0/29", "10.96.0.0/12", "64.0.0.0/2", "fd00::/125", "fd00:10:96::/112", "fd00::/64"}) {
    CAPTURE(prefix);
    const auto range = make(prefix);
    for (const std::uint64_t index : {std::uint64_t{0}, std::uint64_t{5}, range->size() / 2, range->size() - 1}) {
      const model::Address a = range->at(index);
      CHECK(range->prefix().contains(a));
      CHECK(range->index_of(a) == index);
    }
    CHECK_FALSE(range->index_of(range->prefix().base));
    CHECK_FALSE(range->index_of(address("9.9.9.9")));
    CHECK_FALSE(range->index_of(address("2001:db8::1")));
  }
  CHECK(make("10.0.0.0/29")->at(5).to_string() == "10.0.0.6");
  CHECK_FALSE(make("10.0.0.0/29")->index_of(address("10.0.0.7"))); // broadcast
  CHECK_FALSE(make("10.0.0.0/29")->index_of(address("10.0.0.8")));
  CHECK(make("fd00::/125")->at(6).to_string() == "fd00::7"); // IPv6 has no broadcast
  CHECK(make("fd00::/64")->at(0xfffffffffffffffe).to_string() == "fd00::ffff:ffff:ffff:ffff");
  CHECK_FALSE(make("10.0.0.0/29")->dns());
  CHECK(make("10.0.0.0/28")->dns()->to_string() == "10.0.0.10");
}

TEST_CASE("adding carries and wraps") {
  CHECK(add(address("10.0.0.255"), 1).to_string() == "10.0.1.0");
  CHECK(add(address("10.255.255.255"), 1).to_string() == "11.0.0.0");
  CHECK(add(address("255.255.255.255"), 1).to_string() == "0.0.0.0");
  CHECK(add(address("fd00::ffff:ffff:ffff:ffff"), 1).to_string() == "fd00:0:0:1::");
  CHECK(add(address("::"), 0xffffffffffffffff).to_string() == "::ffff:ffff:ffff:ffff");
}

} // namespace signpost::vip
