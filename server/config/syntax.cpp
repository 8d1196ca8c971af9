#include "server/config/syntax.hpp"

namespace signpost::server::corefile {
namespace {

constexpr int max_nesting = 16;

class Parser {
public:
  explicit Parser(const std::vector<Token>& tokens) : tokens_(tokens) {}

  tl::expected<std::vector<Block>, std::string> run() {
    std::vector<Block> blocks;
    while (!done()) {
      Block block;
      if (auto read = keys(block); !read) return tl::unexpected(read.error());
      if (!done() && here().opens()) {
        const Token open = here();
        ++at_;
        if (!done() && !here().first && !here().closes())
          return tl::unexpected(open.place() + "\"" + here().text + "\" follows { on its line; write it on the next");
        if (auto read = lines(block.lines, open, 1); !read) return tl::unexpected(read.error());
      } else { // a file with one block needs no braces
        if (!blocks.empty())
          return tl::unexpected(block.keys.front().place() + "the block of \"" + block.keys.front().text +
                                "\" has no {; end the line with {");
        while (!done()) {
          if (auto read = line(block.lines, 1); !read) return tl::unexpected(read.error());
        }
      }
      blocks.push_back(std::move(block));
    }
    return blocks;
  }

private:
  using Done = tl::expected<void, std::string>;

  [[nodiscard]] bool done() const { return at_ == tokens_.size(); }
  [[nodiscard]] const Token& here() const { return tokens_[at_]; }

  Done keys(Block& block) {
    const Token& head = here();
    if (head.opens()) return tl::unexpected(head.place() + "a block without a zone; write ZONE {");
    if (head.closes()) return tl::unexpected(head.place() + "} closes nothing; remove it");
    bool more = true; // a comma at the end of the line: keys go on
    for (; !done() && !here().opens() && (more || !here().first); ++at_) {
      Token key = here();
      if (key.closes()) return tl::unexpected(key.place() + "} closes nothing; remove it");
      more = !key.quoted && key.text.ends_with(',');
      if (more) key.text.pop_back();
      if (!key.text.empty()) {
        if (key.text.back() == '{' && !key.quoted)
          return tl::unexpected(key.place() + "a blank is missing before { in \"" + key.text + "\"; put one there");
        block.keys.push_back(std::move(key));
      }
    }
    if (block.keys.empty()) return tl::unexpected(head.place() + "a block without a zone; write ZONE {");
    return {};
  }

  /// Lines up to and with the closing brace.
  Done lines(std::vector<Line>& out, const Token& open, int nesting) {
    while (!done()) {
      if (here().closes()) {
        const Token close = here();
        ++at_;
        if (!done() && !here().first)
          return tl::unexpected(close.place() + "\"" + here().text + "\" follows } on its line; write it on the next");
        return {};
      }
      if (auto read = line(out, nesting); !read) return read;
    }
    return tl::unexpected(open.place() + "the { on this line is never closed; add a line with }");
  }

  Done line(std::vector<Line>& out, int nesting) {
    Line line{.name = here(), .arguments = {}, .block = {}, .has_block = false};
    if (line.name.opens())
      return tl::unexpected(line.place() + "{ on a line of its own; write it behind the directive");
    if (line.name.closes()) return tl::unexpected(line.place() + "} closes nothing; remove it");
    for (++at_; !done() && !here().first; ++at_) {
      const Token& token = here();
      if (token.closes())
        return tl::unexpected(token.place() + "} must stand on a line of its own; put it on the next");
      if (!token.opens()) {
        line.arguments.push_back(token);
        continue;
      }
      if (nesting >= max_nesting) return tl::unexpected(token.place() + "blocks are nested too deep; nest less");
      ++at_;
      if (!done() && !here().first)
        return tl::unexpected(token.place() + "\"" + here().text + "\" follows { on its line; write it on the next");
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

tl::expected<std::vector<Block>, std::string> parse_blocks(const std::vector<Token>& tokens, const std::string& file) {
  auto blocks = Parser(tokens).run();
  if (blocks && blocks->empty())
    return tl::unexpected(file + ":1: there is no server block; write one, for instance cluster.local {");
  return blocks;
}

} // namespace signpost::server::corefile
