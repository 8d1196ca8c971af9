#include "client/resolver/settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace signpost::resolver {

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

std::string read_file(const std::string& path) {
  constexpr std::size_t longest = 64 * 1024;
  std::ifstream file(path, std::ios::binary);
  std::string text(longest, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return text;
}

// kubelet writes "<namespace>.svc.<domain> svc.<domain> <domain> …".
void learn_home(const std::vector<std::string>& search, Home& home) {
  for (const auto& entry : search) {
    const auto svc = entry.find(".svc.");
    if (svc == std::string::npos || entry.find('.') != svc) continue;
    home = {entry.substr(0, svc), entry.substr(svc + 5)};
    return;
  }
}

void settle_servers(const Options& options, const ResolvConf& conf, Settings& settings) {
  std::vector<std::string> texts = options.servers;
  std::string from = "the option servers";
  if (texts.empty()) {
    std::istringstream list(environment("SIGNPOST_DNS"));
    for (std::string text; std::getline(list, text, ',');) texts.push_back(text);
    from = "SIGNPOST_DNS";
  }
  for (const auto& text : texts) {
    const auto server = read_server(text);
    if (!server) {
      settings.error = "\"" + text + "\" in " + from + " is not ADDR, ADDR:PORT or [ADDR]:PORT";
      return;
    }
    settings.servers.push_back(*server);
  }
  if (texts.empty()) settings.servers = conf.servers;
  if (settings.servers.empty()) settings.servers.push_back(*read_server("127.0.0.1"));
  if (settings.servers.size() > most_servers) settings.servers.resize(most_servers);
}

void settle_name(std::string& name, const std::string& option, const char* variable, const char* what,
                 Settings& settings) {
  const std::string given = option.empty() ? environment(variable) : option;
  if (given.empty()) return;
  const auto canonical = canonical_name(given);
  if (canonical)
    name = *canonical;
  else
    settings.error = "\"" + given + "\" is not a DNS name, so it cannot be the " + what;
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

ResolvConf read_resolv_conf(std::string_view text) {
  ResolvConf conf;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#') || line.starts_with(';')) continue;
    std::istringstream words(line);
    std::string key, word;
    words >> key;
    if (key == "nameserver" && words >> word) {
      const auto address = read_address(word);
      if (address) conf.servers.push_back({*address, 53});
    } else if (key == "search" || key == "domain") {
      conf.search.clear();
      while (words >> word)
        if (const auto name = canonical_name(word)) conf.search.push_back(*name);
    }
  }
  return conf;
}

Settings settle(const Options& options) {
  Settings settings{.servers = {}, .home = {}, .timeout = options.timeout, .tries = options.tries, .error = {}};
  const auto conf = read_resolv_conf(read_file(options.resolv_conf));
  learn_home(conf.search, settings.home);
  settle_name(settings.home.name_space, options.name_space, "SIGNPOST_NAMESPACE", "namespace", settings);
  settle_name(settings.home.cluster_domain, options.cluster_domain, "SIGNPOST_CLUSTER_DOMAIN", "cluster domain",
              settings);
  settle_servers(options, conf, settings);
  if (options.timeout <= std::chrono::milliseconds(0)) settings.error = "timeout must be more than zero";
  if (options.tries < 1 || options.tries > most_tries)
    settings.error = "tries must be 1 to " + std::to_string(most_tries) + ", not " + std::to_string(options.tries);
  return settings;
}

} // namespace signpost::resolver
