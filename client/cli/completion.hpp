// Completion scripts for shells, made from the program's own option tables, so that they cannot say anything else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace signpost::cli {

[[nodiscard]] std::vector<std::string> completion_shells(); // bash, zsh, fish

/// The script for one of completion_shells().
[[nodiscard]] std::string completion_script(const CLI::App& app, std::string_view shell);

} // namespace signpost::cli
