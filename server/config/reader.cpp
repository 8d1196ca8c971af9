#include "server/config/reader.hpp"

#include <algorithm>

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
                              std::to_string(key.port) + "; remove one");
      block.keys.push_back(std::move(key));
    }
    if (block.keys.size() > max_keys) return tl::unexpected(word.place() + "too many zones in one block; split it");
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
  return tl::unexpected(source.keys.front().place() +
                        "no network interface of this host has an address; bring one up, or name one with bind");
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
                                " already; remove one, or give it another port or bind address");
      }
    return {};
  }

private:
  std::map<std::pair<std::string, Endpoint>, std::string> owners_;
};

tl::expected<Corefile, std::string> settings_of(const std::vector<Block>& blocks, const Host& host,
                                                std::vector<std::string> warnings) {
  Corefile result;
  result.warnings = std::move(warnings);
  std::string registry_place;
  Served served;
  for (const Block& source : blocks) {
    ServerBlock block;
    if (auto done = read_keys(source, block); !done) return tl::unexpected(done.error());
    Reading reading{.settings = result.settings,
                    .block = block,
                    .bindings = {},
                    .registry_place = registry_place,
                    .host = host,
                    .warnings = result.warnings,
                    .seen = {}};
    for (const corefile::Line& line : source.lines)
      if (auto done = corefile::read_directive(line, reading); !done) return tl::unexpected(done.error());
    if (auto done = set_addresses(source, reading); !done) return tl::unexpected(done.error());
    if (auto done = served.add(source, block); !done) return tl::unexpected(done.error());
    result.settings.blocks.push_back(std::move(block));
  }
  return result;
}

/// What stood in quotes may hold line breaks: messages quote it, and are one line all the same.
std::string in_one_line(std::string message) {
  for (char& c : message)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
  return message;
}

tl::expected<Corefile, std::string> read_all(std::string_view text, const std::string& name, const Host& host) {
  std::vector<std::string> warnings;
  auto tokens = corefile::tokens_of(text, name, host, warnings);
  if (!tokens) return tl::unexpected(tokens.error());
  auto resolved = corefile::resolve_imports(std::move(*tokens), host, warnings);
  if (!resolved) return tl::unexpected(resolved.error());
  auto blocks = corefile::parse_blocks(*resolved, name);
  if (!blocks) return tl::unexpected(blocks.error());
  return settings_of(*blocks, host, std::move(warnings));
}

} // namespace

tl::expected<Corefile, std::string> read_corefile_text(std::string_view text, const std::string& name,
                                                       const Host& host) {
  return read_all(text, name, host).map_error(in_one_line);
}

tl::expected<Corefile, std::string> read_corefile(const std::string& path, const Host& host) {
  const auto text = corefile::read_text(path);
  if (!text) return tl::unexpected(text.error() + "; give --config a file that exists");
  return read_corefile_text(*text, path, host);
}

} // namespace signpost::server
