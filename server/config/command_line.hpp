// signpostd's command line: flags and Corefile together become Settings.
//
//   signpostd [--config FILE] [--check] [--version] [--help]
//             [--zone NAME] [--dns ADDR:PORT]... [--api ADDR:PORT] [--data DIR] [--vip CIDR]...
//             [--objects FILE]... [--workers N] [--log-level NAME] [--log-format FORMAT]
//   signpostd snapshot save|restore|verify --data DIR FILE
//   signpostd zone export [flags as above] [ORIGIN]
//
// Without --config the flags make up the one server block; beside it they override what the file says.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "server/config/host.hpp"
#include "server/config/settings.hpp"

namespace signpost::server {

/// `signpostd snapshot VERB --data DIR FILE`.
struct SnapshotCommand {
  enum class Verb : std::uint8_t { save, restore, verify } verb = Verb::verify;
  std::string data; // directory of the registry
  std::string file;
};

struct CommandLine {
  enum class Action : std::uint8_t {
    serve,       // run with `settings`
    check,       // --check: the configuration was read and is sound; say so and end with 0
    print,       // --help, --version: `text` to standard output, end with 0
    snapshot,    // `snapshot` says which
    export_zone, // of `settings`, the zone `origin` to standard output
  } action = Action::serve;
  Settings settings;                 // serve, check, export_zone
  std::string config;                // the Corefile's path; empty: none was given
  std::vector<std::string> warnings; // of the Corefile, for the log
  std::vector<std::string> unset;    // of its {$NAME}: warnings for a start, problems for a check
  std::vector<std::string> files;    // that it was read from, and patterns of imports
  std::string text;                  // print: ends with a line break
  SnapshotCommand snapshot;          // snapshot
  std::string origin;                // export_zone: lower case, without trailing dot; empty: the cluster's zone
};

/// `argv` as main() has it, argv[0] included. The error is a line for everything that is wrong, for standard error, to
/// be followed by exit code 1.
[[nodiscard]] tl::expected<CommandLine, std::string> parse_command_line(int argc, const char* const* argv,
                                                                        const Host& host = this_host());

} // namespace signpost::server
