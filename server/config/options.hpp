// The options within a directive's block, as tables.
#pragma once

#include <algorithm>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/config/directives.hpp"
#include "server/config/values.hpp"
#include "server/config/vocabulary.hpp"

namespace signpost::server::corefile {

inline constexpr std::size_t any_number = std::numeric_limits<std::size_t>::max();

[[nodiscard]] inline tl::unexpected<std::string> wrong(const Line& line, const std::string& text) {
  return tl::unexpected(line.place() + text);
}

[[nodiscard]] inline std::string quote(std::string_view text) { return "\"" + std::string(text) + "\""; }

/// An option of a directive that is read into a T.
template <class T>
struct Option {
  std::string_view name;
  std::size_t least = 0, most = 0; // arguments
  std::string_view usage;          // what to write instead of a wrong number of arguments
  Done (*apply)(const Line& line, T& target, Reading& reading);
  bool has_block = false;
  std::string_view meaning;                // for the manual; an option without usage has none
  std::vector<Entry> (*inner)() = nullptr; // of its block
};

/// The meaning of what is taken from other servers' files and cannot change an answer here.
inline constexpr std::string_view no_effect = "accepted, with a warning; has no effect in Signpost";

/// What the manual says of a table of options; those that are only refused are left out.
template <class T>
[[nodiscard]] std::vector<Entry> entries(std::span<const Option<T>> options) {
  std::vector<Entry> all;
  for (const auto& option : options)
    if (!option.usage.empty())
      all.push_back({option.usage, option.meaning, option.inner == nullptr ? std::vector<Entry>{} : option.inner()});
  return all;
}

/// For an option that cannot change an answer here.
template <class T>
Done without_effect(const Line& line, T&, Reading& reading) {
  reading.warn(line, line.name.text + " has no effect in Signpost");
  return {};
}

/// For an option that would change answers and that Signpost does not have.
template <class T>
Done not_yet(const Line& line, T&, Reading&) {
  return wrong(line, line.name.text + " is not supported yet; instead: remove it");
}

/// What is wrong with an option is noted, and the others are read all the same.
template <class T>
void read_options(const Line& directive, std::span<const Option<T>> options, T& target, Reading& reading) {
  std::vector<std::string_view> names;
  for (const auto& option : options) names.push_back(option.name);
  const auto read = [&](const Line& line) -> Done {
    const auto option =
        std::find_if(options.begin(), options.end(), [&](const auto& o) { return o.name == line.name.text; });
    if (option == options.end()) return wrong(line, unknown_option(directive.name.text, line.name.text, names));
    if (line.arguments.size() < option->least || line.arguments.size() > option->most)
      return wrong(line, std::string(option->name) + " has " + std::to_string(line.arguments.size()) +
                             " arguments; instead: " + std::string(option->usage));
    if (line.has_block && !option->has_block)
      return wrong(line, std::string(option->name) + " takes no block; instead: remove the braces");
    return option->apply(line, target, reading);
  };
  for (const Line& line : directive.block)
    if (auto done = read(line); !done) reading.findings.problems.push_back(done.error());
}

} // namespace signpost::server::corefile
