#include "client/resolver/resolv_conf.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace signpost::resolver {

namespace {

constexpr std::size_t most_notes = 16;
constexpr unsigned most_ndots = 15; // as resolv.conf(5)

// Text of a file in a sentence: one line, and no longer than one.
std::string shown(std::string_view text) {
  std::string out(text.substr(0, 64));
  std::ranges::replace_if(
      out, [](char c) { return c < 0x20 || c == 0x7f; }, '?');
  return '"' + out + '"';
}

void read_options(std::istringstream& words, ResolvConf& conf, const auto& note) {
  for (std::string word; words >> word;) {
    if (!word.starts_with("ndots:")) continue;
    unsigned value = 0;
    const auto* const end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(word.data() + 6, end, value);
    if (error == std::errc{} && stop == end)
      conf.ndots = std::min(value, most_ndots);
    else
      note(shown(word) + " holds no number");
  }
}

void read_search(std::istringstream& words, ResolvConf& conf, const auto& note) {
  conf.search.clear();
  std::size_t left_out = 0;
  for (std::string word; words >> word;) {
    if (word == ".") continue; // the root: names as they are
    const auto name = canonical_name(word);
    if (!name)
      note(shown(word) + " is no domain name");
    else if (conf.search.size() == most_search_domains)
      ++left_out;
    else
      conf.search.push_back(*name);
  }
  if (left_out > 0)
    note("has more than " + std::to_string(most_search_domains) + " search domains; the last " +
         std::to_string(left_out) + " are left out");
}

} // namespace

std::string Server::to_string() const {
  const auto text = address.to_string();
  return (address.family == Family::ipv6 ? '[' + text + ']' : text) + ':' + std::to_string(port);
}

std::optional<Server> read_server(std::string_view text, std::uint16_t default_port) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  Server server{.address = {}, .port = default_port};
  std::string_view host = text, port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    host = text.substr(1, close - 1);
    port = text.substr(close + 1);
    has_port = !port.empty();
    if (has_port && !port.starts_with(':')) return std::nullopt;
    if (has_port) port.remove_prefix(1);
  } else if (std::ranges::count(text, ':') == 1) {
    host = text.substr(0, text.find(':'));
    port = text.substr(text.find(':') + 1);
    has_port = true;
  }
  const auto address = read_address(host);
  if (!address) return std::nullopt;
  server.address = *address;
  if (has_port) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), server.port);
    if (error != std::errc{} || end != port.data() + port.size() || server.port == 0) return std::nullopt;
  }
  return server;
}

ResolvConf read_resolv_conf(std::string_view text, const std::string& path) {
  ResolvConf conf;
  std::size_t number = 0, servers = 0;
  const auto note = [&](const std::string& what) {
    if (conf.notes.size() < most_notes) conf.notes.push_back(path + ':' + std::to_string(number) + ": " + what);
  };
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.starts_with('#') || line.starts_with(';')) continue;
    std::istringstream words(line);
    std::string key, word;
    if (!(words >> key)) continue;
    if (key == "nameserver") {
      words >> word;
      const auto address = read_address(word);
      if (!address)
        note(shown(word) + " is no address of a server; an IPv4 or IPv6 address without a port is wanted");
      else if (++servers > most_servers)
        note("is the " + std::to_string(servers) + "th server; only the first " + std::to_string(most_servers) +
             " are asked");
      else
        conf.servers.push_back({*address, 53});
    } else if (key == "search" || key == "domain") {
      read_search(words, conf, note);
    } else if (key == "options") {
      read_options(words, conf, note);
    } else if (key != "sortlist" && key != "lookup" && key != "family") {
      note(shown(key) + " is not understood; the line is left out");
    }
  }
  return conf;
}

} // namespace signpost::resolver
