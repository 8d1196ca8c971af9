#include "server/config/lexer.hpp"

#include <doctest/doctest.h>

#include "tests/server/config/fixture.hpp"

using namespace signpost::server;
using corefile::tokens_of;

namespace {

/// "line:text" of every token, a line's first one with a ^ before it; or the error.
std::string lex(const std::string& text) {
  corefile::Findings findings;
  const auto tokens = tokens_of(text, "F", test_host(), findings);
  if (!findings.problems.empty()) return findings.problems.front();
  std::string out;
  for (const auto& token : tokens)
    out +=
        (out.empty() ? "" : " ") + std::string(token.first ? "^" : "") + std::to_string(token.line) + ":" + token.text;
  for (const auto& unset : findings.unset) out += " !" + unset;
  return out;
}

} // namespace

TEST_CASE("words, quotes, comments and their places") {
  struct Row {
    std::string text, want;
  };
  const Row rows[] = {
      {"", ""},
      {"# only a comment", ""},
      {"a b\nc", "^1:a 1:b ^2:c"},
      {"\xEF\xBB\xBF"
       "a",
       "^1:a"},
      {"a\r\nb\r\n", "^1:a ^2:b"},
      {"a # b c\nd", "^1:a ^2:d"},
      {"a#b", "^1:a#b"},
      {"\n\n  a {\n}", "^3:a 3:{ ^4:}"},
      {R"(a "b c" d)", "^1:a 1:b c 1:d"},
      {R"(a "b \"c\" \d" e)", R"(^1:a 1:b "c" \d 1:e)"},
      {"a `b \"c\" \\` d", "^1:a 1:b \"c\" \\ 1:d"},
      {"a \"b\nc\" d\ne", "^1:a 1:b\nc 2:d ^3:e"},
      {R"(a "" b)", "^1:a 1: 1:b"},
      {"a \"b", "F:1: the quote \" is never closed; instead: close it with another \""},
      {"a\n`b", "F:2: the quote ` is never closed; instead: close it with another `"},
      {std::string("a\0b", 3), "F:1: a NUL byte: this is not a text file; instead: give a Corefile"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(lex(row.text) == row.want);
  }
}

TEST_CASE("environment variables stand within a word") {
  CHECK(lex("{$ZONE}:53 {") == "^1:cluster.local:53 1:{");
  CHECK(lex("{%ZONE%} x{$ZONE}y{%ZONE%}") == "^1:cluster.local 1:xcluster.localycluster.local");
  CHECK(lex("{$TWO} c") == "^1:a b 1:c");
  CHECK(
      lex("a{$NONE}b") ==
      "^1:ab !F:1: the environment variable NONE is not set, and nothing stands for it; instead: set it, or write its "
      "value");
  CHECK(lex("{$} {$open {%%}") == "^1:{$} 1:{$open 1:{%%}");
}

TEST_CASE("a quoted brace is a word") {
  corefile::Findings findings;
  const auto tokens = tokens_of("{ } \"{\" `}`", "F", test_host(), findings);
  REQUIRE(tokens.size() == 4);
  CHECK(tokens[0].opens());
  CHECK(tokens[1].closes());
  CHECK_FALSE(tokens[2].opens());
  CHECK_FALSE(tokens[3].closes());
}
