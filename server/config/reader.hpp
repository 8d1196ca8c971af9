// Reads a Corefile (CoreDNS's configuration language and our additions to it) into typed settings.
//
//   cluster.local in-addr.arpa ip6.arpa {
//       bind 127.0.0.1 ::1
//       registry {
//           data /var/lib/signpost
//       }
//   }
//
// Three steps, each a file: text -> tokens (lexer.hpp), tokens -> a tree of lines with imports and snippets in place
// (syntax.hpp), tree -> Settings (here and directives.hpp). What CoreDNS has and Signpost does not have is refused by
// name; what cannot change an answer is accepted with a warning. Everything is called once, from one thread, at start.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "server/config/host.hpp"
#include "server/config/settings.hpp"

namespace signpost::server {

struct Corefile {
  Settings settings;                 // api is empty unless a `registry` opens one
  std::vector<std::string> warnings; // "FILE:LINE: …", one sentence each
  std::vector<std::string> unset;    // the same of {$NAME} without a value
  std::vector<std::string> files;    // what was read, and patterns of imports
};

/// Reads `path`. The error is a line for everything that is wrong: "FILE:LINE: what; instead: what to write".
[[nodiscard]] tl::expected<Corefile, std::string> read_corefile(const std::string& path,
                                                                const Host& host = this_host());

/// The same of a text in memory; `name` stands for the file in messages and is the place that imports are relative to.
[[nodiscard]] tl::expected<Corefile, std::string> read_corefile_text(std::string_view text, const std::string& name,
                                                                     const Host& host = this_host());

} // namespace signpost::server
