#include "server/config/resolv_conf.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include "server/config/syntax.hpp"

namespace signpost::server {

namespace {

/// Keywords that say nothing about servers: of glibc, musl and the BSDs.
constexpr std::array<std::string_view, 6> other_keywords = {"search",   "domain", "options",
                                                            "sortlist", "lookup", "family"};

/// Takes the next word off a line; empty at its end, and at a comment.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t\r\f\v"), line.size()));
  const auto word = line.substr(0, line.find_first_of(" \t\r\f\v"));
  line.remove_prefix(word.size());
  if (!word.starts_with('#') && !word.starts_with(';')) return word;
  line = {};
  return {};
}

std::string quoted(std::string_view word) {
  constexpr std::size_t longest = 64;
  std::string text = "\"";
  for (const char c : word.substr(0, longest)) text.push_back(c >= ' ' && c <= '~' ? c : '?');
  return text + (word.size() > longest ? "…\"" : "\"");
}

} // namespace

ResolvConf parse_resolv_conf(std::string_view text, const std::string& file) {
  ResolvConf found;
  for (std::size_t number = 1; !text.empty(); ++number) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto wrong = [&](const std::string& what) {
      found.problems.push_back(file + ":" + std::to_string(number) + ": " + what);
    };
    const auto keyword = take_word(line);
    if (keyword.empty() || std::find(other_keywords.begin(), other_keywords.end(), keyword) != other_keywords.end())
      continue;
    if (keyword != "nameserver") {
      wrong(quoted(keyword) + " is not understood; instead: nameserver ADDRESS");
      continue;
    }
    const auto word = take_word(line);
    const auto endpoint = Endpoint::parse(word, 53);
    if (!endpoint) {
      wrong(word.empty() ? "nameserver names no address; instead: nameserver ADDRESS"
                         : quoted(word) + " is not an address; instead: nameserver ADDRESS");
      continue;
    }
    if (ScopedAddress(endpoint->address, endpoint->zone).lacks_zone()) {
      wrong(quoted(word) + " is link-local and names no interface; instead: " + std::string(word) + "%INTERFACE");
      continue;
    }
    const bool known = std::any_of(found.servers.begin(), found.servers.end(),
                                   [&](const auto& server) { return server.endpoint == *endpoint; });
    if (!known) found.servers.push_back({*endpoint, number});
    if (const auto more = take_word(line); !more.empty())
      wrong(quoted(more) + " behind the address is passed over; instead: one address a line");
  }
  return found;
}

ResolvConf read_resolv_conf(const std::string& file) {
  ResolvConf found;
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    found.problems.push_back(file +
                             (std::filesystem::exists(file, error) ? " is not a file of text" : " does not exist"));
    return found;
  }
  const auto text = corefile::read_text(file);
  if (!text) {
    found.problems.push_back(text.error());
    return found;
  }
  found = parse_resolv_conf(*text, file);
  if (found.servers.empty()) found.problems.push_back(file + " names no nameserver");
  return found;
}

} // namespace signpost::server
