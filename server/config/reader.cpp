#include "server/config/reader.hpp"

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <set>

#include "server/config/options.hpp"

namespace signpost::server {
namespace {

using corefile::Block;
using corefile::Done;
using corefile::Reading;

constexpr std::uint16_t default_port = 53;
constexpr std::size_t max_keys = 100000; // of a block: prefixes can stand for many zones

Done read_keys(const Block& source, ServerBlock& block) {
  for (const corefile::Token& word : source.keys) {
    auto keys = corefile::parse_key(word.text, default_port);
    if (!keys) return tl::unexpected(word.place() + keys.error());
    for (ZonePort& key : *keys) {
      if (std::find(block.zones.begin(), block.zones.end(), key.zone) == block.zones.end())
        block.zones.push_back(key.zone);
      if (std::find(block.keys.begin(), block.keys.end(), key) != block.keys.end())
        return tl::unexpected(word.place() + "the zone \"" + key.zone + "\" stands twice on port " +
                              std::to_string(key.port) + "; instead: remove one");
      block.keys.push_back(std::move(key));
    }
    if (block.keys.size() > max_keys)
      return tl::unexpected(word.place() + "too many zones in one block; instead: split it");
  }
  return {};
}

/// Every address on every port of the keys.
Done set_addresses(const Block& source, Reading& reading) {
  ServerBlock& block = reading.block;
  block.bindings = reading.bindings.empty() ? std::vector<Binding>(1) : reading.bindings;
  std::vector<std::uint16_t> ports;
  for (const ZonePort& key : block.keys)
    if (std::find(ports.begin(), ports.end(), key.port) == ports.end()) ports.push_back(key.port);
  for (Binding& binding : block.bindings) binding.ports = ports;
  block.listen = block.listen_on(reading.host);
  if (!block.listen.empty()) return {};
  return tl::unexpected(
      source.keys.front().place() +
      "no network interface of this host has an address; instead: bring one up, or name one with bind");
}

/// A zone is served once on an address.
class Served {
public:
  Done add(const Block& source, const ServerBlock& block) {
    const corefile::Token& head = source.keys.front();
    for (const Endpoint& endpoint : block.listen)
      for (const std::string& zone : block.zones_on(endpoint)) {
        const auto [at, inserted] = owners_.emplace(std::pair(zone, endpoint), head.place());
        if (!inserted)
          return tl::unexpected(head.place() + "\"" + zone + "\" on " + endpoint.to_string() +
                                " is served by the block at " + at->second.substr(0, at->second.size() - 2) +
                                " already; instead: remove one, or give it another port or bind address");
      }
    return {};
  }

private:
  std::map<std::pair<std::string, Endpoint>, std::string> owners_;
};

Settings settings_of(const std::vector<Block>& blocks, const Host& host, corefile::Findings& findings) {
  Settings settings;
  std::string registry_place;
  std::set<std::string> told;
  Served served;
  const bool whole = findings.problems.empty(); // of half a file nobody knows what stands twice
  for (const Block& source : blocks) {
    ServerBlock block;
    const std::size_t before = findings.problems.size();
    const auto note = [&](const Done& done) {
      if (!done) findings.problems.push_back(done.error());
    };
    note(read_keys(source, block));
    Reading reading{.settings = settings,
                    .block = block,
                    .bindings = {},
                    .registry_place = registry_place,
                    .told = told,
                    .host = host,
                    .findings = findings,
                    .seen = {}};
    for (const corefile::Line& line : source.lines) note(corefile::read_directive(line, reading));
    if (findings.problems.size() == before) note(set_addresses(source, reading));
    if (whole && findings.problems.size() == before) note(served.add(source, block));
    settings.blocks.push_back(std::move(block));
  }
  return settings;
}

/// What stood in quotes may hold line breaks: messages quote it, and are one line all the same.
std::string in_one_line(std::string message) {
  for (char& c : message)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
  return message;
}

/// Of one file the first lines first; what is said of others stays behind it.
void sort_by_line(std::vector<std::string>& findings, const std::string& name) {
  const auto line = [&](const std::string& finding) {
    return finding.starts_with(name + ":") ? std::strtol(finding.c_str() + name.size() + 1, nullptr, 10) : LONG_MAX;
  };
  std::stable_sort(findings.begin(), findings.end(),
                   [&](const std::string& a, const std::string& b) { return line(a) < line(b); });
}

tl::expected<Corefile, std::string> read_all(std::string_view text, const std::string& name, const Host& host) {
  corefile::Findings findings;
  Corefile result;
  result.files.push_back(name);
  const auto tokens =
      corefile::resolve_imports(corefile::tokens_of(text, name, host, findings), host, findings, result.files);
  const auto blocks = corefile::parse_blocks(tokens, name, findings);
  result.settings = settings_of(blocks, host, findings);
  if (!findings.problems.empty()) {
    sort_by_line(findings.problems, name);
    std::string all;
    for (const std::string& problem : findings.problems) all += (all.empty() ? "" : "\n") + in_one_line(problem);
    return tl::unexpected(std::move(all));
  }
  result.warnings = std::move(findings.warnings);
  result.unset = std::move(findings.unset);
  return result;
}

} // namespace

tl::expected<Corefile, std::string> read_corefile_text(std::string_view text, const std::string& name,
                                                       const Host& host) {
  return read_all(text, name, host);
}

tl::expected<Corefile, std::string> read_corefile(const std::string& path, const Host& host) {
  const auto text = corefile::read_text(path);
  if (!text) return tl::unexpected(text.error() + "; instead: give --config a file that exists");
  return read_corefile_text(*text, path, host);
}

} // namespace signpost::server
