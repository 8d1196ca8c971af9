// Tokens -> a tree: server blocks of lines, each a word, its arguments and perhaps a block of lines.
//
// `import FILE|GLOB|SNIPPET` is replaced by what it names before the tree is built, so it may stand wherever a line or
// a server block may. Nesting, imports and sizes are bounded: a file that includes itself is an error, not a hang.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "server/config/lexer.hpp"

namespace signpost::server::corefile {

struct Line {
  Token name;
  std::vector<Token> arguments;
  std::vector<Line> block;
  bool has_block = false;

  [[nodiscard]] std::string place() const { return name.place(); }
};

struct Block {
  std::vector<Token> keys; // at least one
  std::vector<Line> lines;
};

/// Replaces imports and takes the snippets out; what cannot be imported is left out, and a problem. `files` gets the
/// path of every file that is read, and every pattern that names some.
[[nodiscard]] std::vector<Token> resolve_imports(const std::vector<Token>& tokens, const Host& host, Findings& findings,
                                                 std::vector<std::string>& files);

/// The blocks before the first problem, if there is one.
[[nodiscard]] std::vector<Block> parse_blocks(const std::vector<Token>& tokens, const std::string& file,
                                              Findings& findings);

/// A file's text. The error names it and says why it cannot be read.
[[nodiscard]] tl::expected<std::string, std::string> read_text(const std::string& path);

} // namespace signpost::server::corefile
