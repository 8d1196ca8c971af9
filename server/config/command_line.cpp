#include "server/config/command_line.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "discovery/model/closest.hpp"
#include "server/config/directives.hpp"
#include "server/config/flags.hpp"
#include "server/config/reader.hpp"
#include "server/config/registry_rules.hpp"
#include "server/config/values.hpp"
#include "server/config/vocabulary.hpp"

namespace signpost::server {
namespace {

constexpr std::uint64_t max_workers = 1024;

tl::unexpected<std::string> wrong(std::string text) { return tl::unexpected(std::move(text)); }

/// Flags of CoreDNS, and what others call ours.
constexpr std::pair<std::string_view, std::string_view> other_names[] = {
    {"conf", "--config"},
    {"corefile", "--config"},
    {"c", "--config"},
    {"f", "--config"},
    {"dns.port", "--dns ADDR:PORT"},
    {"p", "--dns ADDR:PORT"},
    {"port", "--dns ADDR:PORT"},
    {"listen", "--dns ADDR:PORT"},
    {"bind", "--dns ADDR:PORT"},
    {"quiet", "--log-level warning"},
    {"plugins", "--help"},
    {"v", "--version"},
    {"V", "--version"},
    {"domain", "--zone"},
    {"cluster-domain", "--zone"},
    {"data-dir", "--data"},
    {"service-cidr", "--vip"},
    {"dry-run", "--check"},
    {"test", "--check"},
    {"t", "--check"},
    {"validate", "--check"},
};

/// The flag that a word with or without dashes was meant to be; empty: none.
std::string meant_flag(std::string_view word) {
  while (word.starts_with('-')) word.remove_prefix(1);
  for (const auto& [other, ours] : other_names)
    if (word == other) return std::string(ours);
  std::vector<std::string_view> known;
  for (const FlagRow& row : flag_rows())
    if (!row.meaning.empty()) known.push_back(row.name.substr(2));
  for (const std::string_view name : known)
    if (word.size() >= 3 && (name.starts_with(word) || word.starts_with(name))) return "--" + std::string(name);
  const auto close = model::closest(word, known);
  return close.empty() ? "" : "--" + std::string(close);
}

std::string unknown_argument(const std::string& argument) {
  const std::string name = argument.substr(0, argument.find('='));
  std::string meant = meant_flag(name);
  if (!argument.starts_with('-')) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(argument, ignored)) meant = "--config " + argument;
    return "\"" + argument + "\" is not expected; instead: " +
           (meant.empty() ? "flags only, see signpostd --help" : "did you mean " + meant + "?");
  }
  return "there is no flag " + name +
         "; instead: " + (meant.empty() ? "see signpostd --help" : "did you mean " + meant + "?");
}

using Status = tl::expected<void, std::string>;

/// The default addresses that this host has; those of a host without any are left to fail by name.
std::vector<Endpoint> default_dns(const Host& host) {
  std::vector<Endpoint> all = {*Endpoint::parse("127.0.0.1:5300"), *Endpoint::parse("[::1]:5300")};
  std::vector<Endpoint> here = all;
  std::erase_if(here, [&](const Endpoint& endpoint) { return !host.has(endpoint.address); });
  return here.empty() ? all : here;
}

tl::expected<std::vector<Binding>, std::string> dns_bindings(const std::vector<std::string>& words) {
  std::vector<Binding> bindings;
  for (const std::string& word : words) {
    const auto endpoint = Endpoint::parse(word);
    if (!endpoint)
      return wrong("--dns: \"" + word +
                   "\" is not an address with a port; instead: one like 127.0.0.1:5300 or [::1]:5300");
    Binding& binding = bindings.emplace_back();
    binding.addresses = {ScopedAddress(endpoint->address, endpoint->zone)};
    binding.ports = {endpoint->port};
  }
  return bindings;
}

/// A zone that takes the place of a block's own names; reverse zones stay.
void rename(std::vector<std::string>& zones, const std::string& zone) {
  std::vector<std::string> renamed = {zone};
  for (const std::string& old : zones)
    if (corefile::is_reverse(old)) renamed.push_back(old);
  zones = std::move(renamed);
}

void override_zone(ServerBlock& block, const std::string& zone) {
  const auto source_zones = [&](std::vector<std::string>& zones) {
    if (!zones.empty())
      rename(zones, zone);
    else if (std::find(block.zones.begin(), block.zones.end(), ".") != block.zones.end())
      zones = {zone, "in-addr.arpa", "ip6.arpa"};
  };
  if (auto* registry = std::get_if<RegistrySource>(&block.source)) source_zones(registry->zones);
  if (auto* objects = std::get_if<ObjectsSource>(&block.source)) source_zones(objects->zones);
  if (std::find(block.zones.begin(), block.zones.end(), ".") != block.zones.end()) return;
  rename(block.zones, zone);
  std::vector<ZonePort> keys;
  for (const ZonePort& key : block.keys) {
    ZonePort renamed{corefile::is_reverse(key.zone) ? key.zone : zone, key.port};
    if (std::find(keys.begin(), keys.end(), renamed) == keys.end()) keys.push_back(std::move(renamed));
  }
  block.keys = std::move(keys);
}

bool has_source(const ServerBlock& block) { return !std::holds_alternative<std::monostate>(block.source); }

/// What a Corefile is when there is none.
Settings default_settings(const Host& host) {
  Settings settings;
  settings.vips = default_vips();
  settings.reserved = reserved_of(settings.vips);
  settings.api = {default_api()};
  ServerBlock block;
  block.zones = {"cluster.local", "in-addr.arpa", "ip6.arpa"};
  block.listen = default_dns(host);
  block.source = RegistrySource{};
  settings.blocks.push_back(std::move(block));
  return settings;
}

Status apply_zone(const Flags& flags, Settings& settings) {
  if (!flags.zone) return {};
  const auto zone = corefile::parse_zone(*flags.zone);
  if (!zone) return wrong("--zone: " + zone.error() + "; instead: a name like cluster.local");
  if (*zone == "." || corefile::is_reverse(*zone))
    return wrong("--zone: services cannot be named below \"" + *zone + "\"; instead: a name like cluster.local");
  bool any = false;
  for (ServerBlock& block : settings.blocks)
    if (has_source(block)) {
      override_zone(block, *zone);
      any = true;
    }
  if (!any)
    return wrong("--zone: no block of the Corefile has a source of services; instead: write the zone as its key");
  return {};
}

Status apply_objects(const Flags& flags, Settings& settings) {
  if (flags.objects.empty()) return {};
  if (!flags.vips.empty())
    return wrong("--objects and --vip exclude each other: no address is allocated for objects read from files; "
                 "instead: leave one out");
  bool any = false;
  for (ServerBlock& block : settings.blocks) {
    if (auto* objects = std::get_if<ObjectsSource>(&block.source)) {
      objects->files = flags.objects;
      any = true;
    } else if (std::holds_alternative<RegistrySource>(block.source)) {
      if (flags.config) return wrong("--objects: the Corefile has a registry; instead: leave one of the two out");
      block.source = ObjectsSource{.files = flags.objects, .zones = {}};
      any = true;
    }
  }
  if (!any) return wrong("--objects: no block of the Corefile has `objects`; instead: write it there");
  settings.vips.clear();
  settings.reserved.clear();
  return {};
}

Status apply_vips(const Flags& flags, Settings& settings) {
  if (flags.vips.empty()) return {};
  const bool registry = std::any_of(settings.blocks.begin(), settings.blocks.end(), [](const ServerBlock& block) {
    return std::holds_alternative<RegistrySource>(block.source);
  });
  if (!registry) return wrong("--vip: there is no registry that would allocate from it; instead: leave it out");
  const auto prefixes = vip_prefixes(flags.vips);
  if (!prefixes) return wrong("--vip: " + prefixes.error());
  settings.vips = *prefixes;
  settings.reserved = reserved_of(settings.vips);
  return {};
}

Status apply_addresses(const Flags& flags, Settings& settings, const Host& host) {
  if (!flags.dns.empty()) {
    const auto bindings = dns_bindings(flags.dns);
    if (!bindings) return tl::unexpected(bindings.error());
    std::vector<std::string> served;
    for (ServerBlock& block : settings.blocks) {
      block.bindings = *bindings;
      block.listen = block.listen_on(host);
      block.keys.clear();
      for (const std::string& zone : block.zones) {
        if (std::find(served.begin(), served.end(), zone) != served.end())
          return wrong("--dns: two blocks of the Corefile serve \"" + zone +
                       "\" and would share an address; instead: leave --dns out, or one of the blocks");
        served.push_back(zone);
      }
    }
  }
  if (flags.api) {
    const auto endpoint = api_endpoint(*flags.api);
    if (!endpoint) return wrong("--api: " + endpoint.error());
    settings.api = {*endpoint};
  }
  return {};
}

Status apply_rest(const Flags& flags, Settings& settings) {
  if (flags.data) {
    if (flags.data->empty()) return wrong("--data: the name is empty; instead: name a directory");
    settings.data = *flags.data;
  }
  if (flags.workers) {
    const auto workers = corefile::parse_number(*flags.workers, 1, max_workers);
    if (!workers)
      return wrong("--workers: \"" + *flags.workers + "\" is not a number from 1 to 1024; instead: one like 2");
    settings.workers = static_cast<unsigned>(*workers);
  }
  if (flags.log_level) {
    const auto level = corefile::parse_log_level(*flags.log_level);
    if (!level)
      return wrong("--log-level: there is no level \"" + *flags.log_level +
                   "\"; instead: debug, info, warning or error");
    settings.log.level = *level;
  }
  if (flags.log_format) {
    if (*flags.log_format != "text" && *flags.log_format != "json")
      return wrong("--log-format: there is no format \"" + *flags.log_format + "\"; instead: text or json");
    settings.log.json = *flags.log_format == "json";
  }
  return {};
}

bool share(const Endpoint& a, const Endpoint& b) {
  if (a.port != b.port) return false;
  const auto all = [](const Endpoint& one, const Endpoint& other) {
    return one.address.is_unspecified() && (!one.address.is_v4() || other.address.is_v4());
  };
  return a.address == b.address || all(a, b) || all(b, a);
}

/// Pages and API each need an address of their own.
Status apart(const Settings& settings) {
  for (const PageAddress& page : settings.pages)
    for (const Endpoint& api : settings.api)
      if (share(page.endpoint, api))
        return wrong(page.place.text + page.endpoint.to_string() + " is where the API is served (" + api.to_string() +
                     "); instead: another port here, or `listen` in registry");
  return {};
}

tl::expected<CommandLine, std::string> serve(const Flags& flags, const Host& host) {
  CommandLine result;
  result.action = flags.check ? CommandLine::Action::check : CommandLine::Action::serve;
  if (flags.config) {
    auto corefile = read_corefile(*flags.config, host);
    if (!corefile) return tl::unexpected(corefile.error());
    result.config = *flags.config;
    result.settings = std::move(corefile->settings);
    result.warnings = std::move(corefile->warnings);
    result.unset = std::move(corefile->unset);
    result.files = std::move(corefile->files);
  } else {
    result.settings = default_settings(host);
  }
  Settings& settings = result.settings;
  std::string problems;
  for (const Status& status : {apply_zone(flags, settings), apply_objects(flags, settings), apply_vips(flags, settings),
                               apply_addresses(flags, settings, host), apply_rest(flags, settings), apart(settings)})
    if (!status) problems += (problems.empty() ? "" : "\n") + status.error();
  if (!problems.empty()) return tl::unexpected(std::move(problems));
  return result;
}

void add_flag(CLI::App& app, const FlagRow& row, Flags& flags) {
  const std::string name = row.name == "--help" ? "--help,-h" : std::string(row.name);
  if (const auto* on = std::get_if<bool Flags::*>(&row.target))
    app.add_flag(name, flags.**on);
  else if (const auto* value = std::get_if<std::optional<std::string> Flags::*>(&row.target))
    app.add_option(name, flags.**value);
  else // each occurrence takes one value
    app.add_option(name, flags.*std::get<std::vector<std::string> Flags::*>(row.target))->allow_extra_args(false);
}

struct SnapshotFlags {
  CLI::App* save = nullptr;
  CLI::App* restore = nullptr;
  CLI::App* verify = nullptr;
  std::vector<std::string> files;
};

void add_snapshot(CLI::App& app, SnapshotFlags& flags) {
  CLI::App* snapshot = app.add_subcommand("snapshot");
  snapshot->set_help_flag();
  snapshot->fallthrough(); // --data and --help are the program's
  const auto verb = [&](const char* name) {
    CLI::App* command = snapshot->add_subcommand(name);
    command->set_help_flag();
    command->fallthrough();
    command->add_option("FILE", flags.files);
    return command;
  };
  flags.save = verb("save");
  flags.restore = verb("restore");
  flags.verify = verb("verify");
}

tl::expected<CommandLine, std::string> snapshot_command(const SnapshotFlags& flags,
                                                        const std::optional<std::string>& data) {
  constexpr auto usage = "signpostd snapshot save|restore|verify --data DIR FILE";
  CommandLine result;
  result.action = CommandLine::Action::snapshot;
  if (flags.save->parsed())
    result.snapshot.verb = SnapshotCommand::Verb::save;
  else if (flags.restore->parsed())
    result.snapshot.verb = SnapshotCommand::Verb::restore;
  else if (flags.verify->parsed())
    result.snapshot.verb = SnapshotCommand::Verb::verify;
  else
    return wrong(std::string("snapshot does not say what to do; instead: ") + usage);
  const bool reads_file_only = result.snapshot.verb == SnapshotCommand::Verb::verify;
  if (!reads_file_only && (!data || data->empty()))
    return wrong(std::string("snapshot does not say where the registry is; instead: ") + usage);
  if (flags.files.size() != 1) return wrong(std::string("snapshot needs one file; instead: ") + usage);
  result.snapshot.data = data.value_or("");
  result.snapshot.file = flags.files.front();
  return result;
}

struct ZoneFlags {
  CLI::App* exporting = nullptr;
  std::vector<std::string> origins;
};

void add_zone(CLI::App& app, ZoneFlags& flags) {
  CLI::App* zone = app.add_subcommand("zone");
  zone->set_help_flag();
  zone->fallthrough();
  flags.exporting = zone->add_subcommand("export");
  flags.exporting->set_help_flag();
  flags.exporting->fallthrough();
  flags.exporting->add_option("ORIGIN", flags.origins);
}

tl::expected<CommandLine, std::string> zone_command(const ZoneFlags& zone, const Flags& flags, const Host& host) {
  constexpr auto usage = "signpostd zone export [flags] [ORIGIN]";
  if (!zone.exporting->parsed()) return wrong(std::string("zone does not say what to do; instead: ") + usage);
  if (zone.origins.size() > 1) return wrong(std::string("zone export takes one origin; instead: ") + usage);
  auto result = serve(flags, host);
  if (!result) return result;
  result->action = CommandLine::Action::export_zone;
  if (zone.origins.empty()) return result;
  const auto origin = corefile::parse_zone(zone.origins.front());
  if (!origin) return wrong("\"" + zone.origins.front() + "\" is no domain name; instead: " + usage);
  result->origin = *origin;
  return result;
}

CommandLine print(std::string text) {
  CommandLine result;
  result.action = CommandLine::Action::print;
  result.text = std::move(text);
  return result;
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text + "; instead: see signpostd --help";
}

} // namespace

tl::expected<CommandLine, std::string> parse_command_line(int argc, const char* const* argv, const Host& host) {
  Flags flags;
  SnapshotFlags snapshot;
  CLI::App app("signpostd");
  app.set_help_flag();
  app.allow_extras();
  for (const FlagRow& row : flag_rows()) add_flag(app, row, flags);
  add_snapshot(app, snapshot);
  ZoneFlags zone;
  add_zone(app, zone);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return wrong(one_line(error.what()));
  }

  if (flags.help) return print(help_text());
  if (flags.reference) return print(reference_text());
  if (flags.version) return print("signpostd " SIGNPOST_VERSION "\n");
  if (const auto extras = app.remaining(true); !extras.empty()) return wrong(unknown_argument(extras.front()));
  if (app.got_subcommand("snapshot")) return snapshot_command(snapshot, flags.data);
  if (app.got_subcommand("zone")) return zone_command(zone, flags, host);
  return serve(flags, host);
}

} // namespace signpost::server
