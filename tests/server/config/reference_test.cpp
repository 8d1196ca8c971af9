// What --help and the manual pages say comes from the tables that the parsers read, and leaves nothing out.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "server/config/directives.hpp"
#include "server/config/flags.hpp"

using namespace signpost::server;

namespace {

void check_entry(const corefile::Entry& entry) {
  CAPTURE(entry.usage);
  CHECK_FALSE(entry.usage.empty());
  CHECK_FALSE(entry.meaning.empty());
  CHECK_FALSE(entry.meaning.ends_with('.'));
  for (const auto& option : entry.options) check_entry(option);
}

} // namespace

TEST_CASE("every directive and option that is read says what it does") {
  const auto all = corefile::directive_reference();
  CHECK(all.size() >= 8);
  for (const auto& entry : all) check_entry(entry);
}

TEST_CASE("options of blocks within blocks are in the reference") {
  const auto reference = nlohmann::json::parse(reference_text());
  const auto named = [](const nlohmann::json& list, const std::string& name) {
    const auto found = std::find_if(list.begin(), list.end(), [&](const nlohmann::json& entry) {
      const auto usage = entry.at("usage").get<std::string>();
      return usage == name || usage.starts_with(name + ' ');
    });
    REQUIRE(found != list.end());
    return *found;
  };
  const auto vip = named(named(reference.at("directives"), "registry").at("options"), "vip");
  CHECK_FALSE(named(vip.at("options"), "reserve").at("meaning").get<std::string>().empty());
}

TEST_CASE("every flag for people is in --help and in the reference") {
  const auto reference = nlohmann::json::parse(reference_text());
  const std::string help = help_text();
  for (const FlagRow& row : flag_rows()) {
    CAPTURE(row.name);
    const bool shown = !row.meaning.empty();
    CHECK((help.find("\n  " + std::string(row.name) + ' ') != std::string::npos) == shown);
    const auto& flags = reference.at("flags");
    CHECK(std::any_of(flags.begin(), flags.end(), [&](const auto& flag) { return flag.at("name") == row.name; }) ==
          shown);
  }
}

TEST_CASE("--help fits a terminal") {
  std::size_t begin = 0;
  const std::string help = help_text();
  for (std::size_t end; (end = help.find('\n', begin)) != std::string::npos; begin = end + 1) {
    CAPTURE(help.substr(begin, end - begin));
    CHECK(end - begin <= 80);
  }
}
