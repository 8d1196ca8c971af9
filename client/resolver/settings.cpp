#include "client/resolver/settings.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace signpost::resolver {

namespace {

constexpr std::size_t longest_file = 1024 * 1024;
constexpr std::chrono::seconds times_are_fresh{1};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

ResolvConf read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  std::string chunk(64 * 1024, '\0');
  while (text.size() <= longest_file &&
         file.read(chunk.data(), static_cast<std::streamsize>(chunk.size())).gcount() > 0)
    text.append(chunk, 0, static_cast<std::size_t>(file.gcount()));
  const bool cut = text.size() > longest_file;
  if (cut) text.resize(text.rfind('\n', longest_file) == std::string::npos ? 0 : text.rfind('\n', longest_file));
  auto conf = read_resolv_conf(text, path);
  if (cut) conf.notes.push_back(path + ": is larger than 1 MiB; the rest is left out");
  return conf;
}

// kubelet writes "<namespace>.svc.<domain> svc.<domain> <domain> …".
void learn_home(const std::vector<std::string>& search, Home& home) {
  for (const auto& entry : search) {
    const auto svc = entry.find(".svc.");
    if (svc == std::string::npos || entry.find('.') != svc) continue;
    home.name_space = entry.substr(0, svc);
    home.cluster_domain = entry.substr(svc + 5);
    return;
  }
}

void settle_servers(const Options& options, const std::string& variable, const ResolvConf& conf, const Settings* before,
                    Settings& settings) {
  std::vector<std::string> texts = options.servers;
  std::string from = "the option servers";
  if (texts.empty()) {
    std::istringstream list(variable);
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
  if (texts.size() > most_servers)
    settings.error = "at most " + std::to_string(most_servers) + " servers can be asked, not the " +
                     std::to_string(texts.size()) + " in " + from;
  if (texts.empty()) settings.servers = conf.servers;
  if (settings.servers.empty() && before != nullptr) settings.servers = before->servers;
  if (settings.servers.empty()) settings.servers.push_back(*read_server("127.0.0.1"));
}

void settle_name(std::string& name, const std::string& option, const std::string& variable, const char* what,
                 Settings& settings) {
  const std::string& given = option.empty() ? variable : option;
  if (given.empty()) return;
  const auto canonical = canonical_name(given);
  if (canonical)
    name = *canonical;
  else
    settings.error = "\"" + given + "\" is not a DNS name, so it cannot be the " + what;
}

std::chrono::nanoseconds since_epoch(const timespec& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

} // namespace

SettingsSource::SettingsSource(Options options)
    : options_(std::move(options)), dns_(environment("SIGNPOST_DNS")), name_space_(environment("SIGNPOST_NAMESPACE")),
      cluster_domain_(environment("SIGNPOST_CLUSTER_DOMAIN")) {
  static_cast<void>(current());
}

std::shared_ptr<const Settings> SettingsSource::current() {
  const std::scoped_lock lock(mutex_);
  const auto seen = look();
  if (current_ && seen == seen_ && !fresh_) return current_;
  // Looked at before it is read: a change in between is found the next time.
  const auto age = std::chrono::system_clock::now().time_since_epoch() - std::max(seen.modified, seen.changed);
  fresh_ = seen.inode != 0 && age < times_are_fresh;
  seen_ = seen;
  return current_ = std::make_shared<const Settings>(settle(current_.get()));
}

SettingsSource::Seen SettingsSource::look() const {
  struct stat status {};
  if (::stat(options_.resolv_conf.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino, status.st_size, since_epoch(status.st_mtim), since_epoch(status.st_ctim)};
}

Settings SettingsSource::settle(const Settings* before) const {
  Settings settings{
      .servers = {}, .home = {}, .timeout = options_.timeout, .tries = options_.tries, .error = {}, .notes = {}};
  auto conf = read_file(options_.resolv_conf);
  learn_home(conf.search, settings.home);
  // Without a server the file is unfinished, and its search list as well.
  if (conf.servers.empty() && before != nullptr) settings.home = before->home;
  settle_name(settings.home.name_space, options_.name_space, name_space_, "namespace", settings);
  settle_name(settings.home.cluster_domain, options_.cluster_domain, cluster_domain_, "cluster domain", settings);
  if (!conf.servers.empty() || before == nullptr) {
    settings.home.ndots = conf.ndots;
    for (auto& domain : conf.search)
      if (!within(domain, settings.home.cluster_domain)) settings.home.search.push_back(std::move(domain));
  }
  settle_servers(options_, dns_, conf, before, settings);
  settings.notes = std::move(conf.notes);
  if (options_.timeout <= std::chrono::milliseconds(0)) settings.error = "timeout must be more than zero";
  if (options_.tries < 1 || options_.tries > most_tries)
    settings.error = "tries must be 1 to " + std::to_string(most_tries) + ", not " + std::to_string(options_.tries);
  return settings;
}

Settings settle(const Options& options) { return *SettingsSource(options).current(); }

} // namespace signpost::resolver
