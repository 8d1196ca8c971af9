// Corefile text -> tokens with their place.
//
// Words are separated by white space; "…" keeps white space and line breaks (\" is a quote, any other backslash stays),
// `…` keeps everything; # at the start of a word begins a comment. {$NAME} and {%NAME%} become the environment's value
// within the word, which stays one word. Pure function.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/config/findings.hpp"
#include "server/config/host.hpp"

namespace signpost::server::corefile {

struct Token {
  std::string text;
  std::shared_ptr<const std::string> file;
  int line = 0;        // of its first character, from 1
  bool first = false;  // first of its line
  bool quoted = false; // a quoted word is never a brace or a comment

  /// "FILE:LINE: "
  [[nodiscard]] std::string place() const;
  [[nodiscard]] bool opens() const { return !quoted && text == "{"; }
  [[nodiscard]] bool closes() const { return !quoted && text == "}"; }
};

/// Up to the first problem, if there is one. An environment variable that is not set becomes nothing.
[[nodiscard]] std::vector<Token> tokens_of(std::string_view text, const std::string& file, const Host& host,
                                           Findings& findings);

} // namespace signpost::server::corefile
