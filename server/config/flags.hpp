// The flags of signpostd: one table, from which the parser, --help, the manual page and "did you mean" are made.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace signpost::server {

/// What the flags said; nullopt and empty: not given.
struct Flags {
  bool help = false, version = false, check = false, reference = false;
  std::optional<std::string> config, zone, api, data, workers, log_level, log_format;
  std::vector<std::string> dns, vips, objects;
};

struct FlagRow {
  std::string_view name;    // with its dashes
  std::string_view value;   // what it takes, as --help calls it; empty: nothing
  std::string_view meaning; // empty: not for people, and not shown
  std::variant<bool Flags::*, std::optional<std::string> Flags::*, std::vector<std::string> Flags::*> target;

  [[nodiscard]] bool repeats() const { return target.index() == 2; }
};

[[nodiscard]] std::span<const FlagRow> flag_rows();

/// A way to start the program, with what it does.
struct CommandExample {
  std::string_view command; // more lines than one: what to type beside it
  std::string_view meaning;
};

[[nodiscard]] std::string_view command_purpose();
[[nodiscard]] std::span<const std::string_view> usage_lines();
[[nodiscard]] std::string_view exit_code_text();
[[nodiscard]] std::span<const CommandExample> command_examples();

/// What --help prints.
[[nodiscard]] std::string help_text();

/// Usage, flags, examples and directives as a JSON object, from which the manual pages are made.
[[nodiscard]] std::string reference_text();

} // namespace signpost::server
