#include "server/config/flags.hpp"

#include <algorithm>
#include <array>
#include <sstream>

namespace signpost::server {
namespace {

constexpr std::string_view purpose = "cluster DNS and the registry of services behind it";
constexpr std::string_view exit_codes = "0 after SIGTERM or a finished command, 1 when it cannot start.";

constexpr std::array<std::string_view, 3> usages = {
    "signpostd [flags]",
    "signpostd snapshot save|restore|verify --data DIR FILE",
    "signpostd zone export [flags] [ORIGIN]",
};

const FlagRow rows[] = {
    {"--config", "FILE", "read a Corefile; flags beside it override what it says", &Flags::config},
    {"--zone", "NAME", "the cluster's zone (cluster.local)", &Flags::zone},
    {"--dns", "ADDR:PORT", "answer DNS here over UDP and TCP; may be repeated (127.0.0.1:5300 and [::1]:5300)",
     &Flags::dns},
    {"--api", "ADDR:PORT",
     "open the API here; loopback only (127.0.0.1:8080; with --config only where the file has a registry)",
     &Flags::api},
    {"--data", "DIR", "keep the registry here (./signpost-data)", &Flags::data},
    {"--vip", "CIDR",
     "take services' virtual IPs from this prefix; twice for both families (10.96.0.0/12 and fd00:10:96::/112)",
     &Flags::vips},
    {"--objects", "FILE",
     "serve the objects of this file (JSON or YAML) instead of a registry, and read it again when it changes; may be "
     "repeated",
     &Flags::objects},
    {"--workers", "N", "threads that answer UDP, for each address (one per core)", &Flags::workers},
    {"--log-level", "NAME", "debug, info, warning, error: nothing below it is written (info)", &Flags::log_level},
    {"--log-format", "FORMAT", "text or json: the log's lines (text)", &Flags::log_format},
    {"--check", "", "read the configuration, say what is wrong, and end", &Flags::check},
    {"--version", "", "print the version and end", &Flags::version},
    {"--help", "", "print this and end", &Flags::help},
    {"--reference", "", "", &Flags::reference},
};

constexpr CommandExample examples[] = {
    {"signpostd", "A registry in ./signpost-data, API on 127.0.0.1:8080, DNS on port 5300:\n"
                  "  signpost apply -f web.yaml\n"
                  "  dig @127.0.0.1 -p 5300 web.default.svc.cluster.local"},
    {"signpostd --objects services.yaml --dns 127.0.0.1:5300", "DNS for the services of a file."},
    {"signpostd --vip 10.0.0.0/16 --dns 10.1.2.3:53 --data /var/lib/signpost",
     "IPv4 only, on port 53 of one address (needs CAP_NET_BIND_SERVICE)."},
    {"signpostd --config /etc/signpost/Corefile --check", "Is this Corefile sound?"},
    {"signpostd snapshot save --data /var/lib/signpost signpost.snapshot",
     "Copy the registry to a file; `restore` brings it back, `verify` checks it."},
    {"signpostd zone export --objects services.yaml in-addr.arpa",
     "Print what DNS would say, as a zone file (without ORIGIN: the cluster's)."},
};

/// `text` in lines of at most `width` columns, each after the first behind `indent`.
std::string wrapped(std::string_view text, std::size_t width, const std::string& indent) {
  std::string out;
  std::istringstream words{std::string(text)};
  std::size_t column = 0;
  for (std::string word; words >> word; column += word.size() + 1) {
    if (column > 0 && column + word.size() > width) {
      out += '\n' + indent;
      column = 0;
    }
    out += (column > 0 ? " " : "") + word;
  }
  return out;
}

std::string indented(std::string_view text, std::string_view indent) {
  std::string out(indent);
  for (const char c : text) {
    out += c;
    if (c == '\n') out += indent;
  }
  return out;
}

} // namespace

std::span<const FlagRow> flag_rows() { return rows; }
std::string_view command_purpose() { return purpose; }
std::string_view exit_code_text() { return exit_codes; }
std::span<const std::string_view> usage_lines() { return usages; }
std::span<const CommandExample> command_examples() { return examples; }

std::string help_text() {
  constexpr std::size_t columns = 80, left = 19; // of a terminal; where meanings begin
  std::string out = "signpostd: " + std::string(purpose) + "\n\nUsage:\n";
  for (const std::string_view usage : usages) out += "  " + std::string(usage) + '\n';
  out += "\nFlags:\n";
  for (const FlagRow& row : rows) {
    if (row.meaning.empty()) continue;
    std::string name = "  " + std::string(row.name) + (row.value.empty() ? "" : " ") + std::string(row.value);
    name.resize(std::max(left, name.size() + 1), ' ');
    out += name + wrapped(row.meaning, columns - left, std::string(left, ' ')) + '\n';
  }
  out += "\nExamples:\n";
  for (const CommandExample& example : examples)
    out += "  " + std::string(example.command) + '\n' + indented(example.meaning, "      ") + '\n';
  return out + "\nExit code: " + std::string(exit_codes) + '\n';
}

} // namespace signpost::server
