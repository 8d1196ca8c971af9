#include "server/config/syntax.hpp"

namespace signpost::server::corefile {
namespace {

constexpr int max_nesting = 16;

class Parser {
public:
  explicit Parser(const std::vector<Token>& tokens) : tokens_(tokens) {}

  std::vector<Block> run(Findings& findings) {
    std::vector<Block> blocks;
    while (!done()) {
      Block block;
      if (auto read = this->block(block, blocks.empty()); !read) {
        findings.problems.push_back(read.error());
        blocks.push_back(std::move(block)); // the lines before it are looked at, too
        if (blocks.back().keys.empty()) blocks.pop_back();
        break;
      }
      blocks.push_back(std::move(block));
    }
    return blocks;
  }

private:
  using Done = tl::expected<void, std::string>;

  [[nodiscard]] bool done() const { return at_ == tokens_.size(); }
  [[nodiscard]] const Token& here() const { return tokens_[at_]; }

  Done block(Block& block, bool first) {
    if (auto read = keys(block); !read) return read;
    if (!done() && here().opens()) {
      const Token open = here();
      ++at_;
      if (!done() && !here().first && !here().closes()) return follows(open);
      return lines(block.lines, open, 1);
    }
    if (!first) // a file with one block needs no braces
      return tl::unexpected(block.keys.front().place() + "the block of \"" + block.keys.front().text +
                            "\" has no {; instead: end the line with {");
    while (!done())
      if (auto read = line(block.lines, 1); !read) return read;
    return {};
  }

  /// What is wrong with the word here, behind a brace.
  [[nodiscard]] tl::unexpected<std::string> follows(const Token& brace) const {
    return tl::unexpected(brace.place() + "\"" + here().text + "\" follows " + brace.text +
                          " on its line; instead: write it on the next");
  }

  Done keys(Block& block) {
    const Token& head = here();
    if (head.opens()) return tl::unexpected(head.place() + "a block without a zone; instead: ZONE {");
    if (head.closes()) return tl::unexpected(head.place() + "} closes nothing; instead: remove it");
    bool more = true; // a comma at the end of the line: keys go on
    for (; !done() && !here().opens() && (more || !here().first); ++at_) {
      Token key = here();
      if (key.closes()) return tl::unexpected(key.place() + "} closes nothing; instead: remove it");
      more = !key.quoted && key.text.ends_with(',');
      if (more) key.text.pop_back();
      if (!key.text.empty()) {
        if (key.text.back() == '{' && !key.quoted)
          return tl::unexpected(key.place() + "a blank is missing before { in \"" + key.text +
                                "\"; instead: put one there");
        block.keys.push_back(std::move(key));
      }
    }
    if (block.keys.empty()) return tl::unexpected(head.place() + "a block without a zone; instead: ZONE {");
    return {};
  }

  /// Lines up to and with the closing brace.
  Done lines(std::vector<Line>& out, const Token& open, int nesting) {
    while (!done()) {
      if (here().closes()) {
        const Token close = here();
        ++at_;
        if (!done() && !here().first) return follows(close);
        return {};
      }
      if (auto read = line(out, nesting); !read) return read;
    }
    return tl::unexpected(open.place() + "the { on this line is never closed; instead: add a line with }");
  }

  Done line(std::vector<Line>& out, int nesting) {
    Line line{.name = here(), .arguments = {}, .block = {}, .has_block = false};
    if (line.name.opens())
      return tl::unexpected(line.place() + "{ on a line of its own; instead: write it behind the directive");
    if (line.name.closes()) return tl::unexpected(line.place() + "} closes nothing; instead: remove it");
    for (++at_; !done() && !here().first; ++at_) {
      const Token& token = here();
      if (token.closes())
        return tl::unexpected(token.place() + "} must stand on a line of its own; instead: put it on the next");
      if (!token.opens()) {
        line.arguments.push_back(token);
        continue;
      }
      if (nesting >= max_nesting)
        return tl::unexpected(token.place() + "blocks are nested too deep; instead: nest less");
      ++at_;
      if (!done() && !here().first) return follows(token);
      line.has_block = true;
      if (auto read = lines(line.block, token, nesting + 1); !read) return read;
      break;
    }
    out.push_back(std::move(line));
    return {};
  }

  const std::vector<Token>& tokens_;
  std::size_t at_ = 0;
};

} // namespace

std::vector<Block> parse_blocks(const std::vector<Token>& tokens, const std::string& file, Findings& findings) {
  auto blocks = Parser(tokens).run(findings);
  if (blocks.empty() && findings.problems.empty())
    findings.problems.push_back(file + ":1: there is no server block; instead: one, for instance cluster.local {");
  return blocks;
}

} // namespace signpost::server::corefile
