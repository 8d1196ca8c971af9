// What the program can do, as JSON, from its own option tables: the manual page is made of it.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace signpost::cli {

/// Commands, options, examples and exit codes; ends with a line break. What is hidden from --help is left out.
[[nodiscard]] std::string reference_text(const CLI::App& app);

} // namespace signpost::cli
