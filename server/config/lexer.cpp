#include "server/config/lexer.hpp"

namespace signpost::server::corefile {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f'; }

class Lexer {
public:
  Lexer(std::string_view text, const std::string& file, const Host& host, Findings& findings)
      : text_(text), file_(std::make_shared<const std::string>(file)), host_(host), findings_(findings) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  std::vector<Token> run() {
    std::vector<Token> tokens;
    const auto failed = [&](const std::string& problem) {
      findings_.problems.push_back(problem);
      return tokens;
    };
    for (skip(); at_ < text_.size(); skip()) {
      Token token{.text = {}, .file = file_, .line = line_, .first = line_ != last_line_};
      const char c = text_[at_];
      if (c == '"' || c == '`') {
        if (!quoted(c, token.text))
          return failed(token.place() + "the quote " + c + " is never closed; instead: close it with another " + c);
        token.quoted = true;
      } else {
        while (at_ < text_.size() && !is_space(text_[at_])) token.text.push_back(text_[at_++]);
      }
      if (token.text.find('\0') != std::string::npos)
        return failed(token.place() + "a NUL byte: this is not a text file; instead: give a Corefile");
      substitute(token);
      last_line_ = line_;
      tokens.push_back(std::move(token));
    }
    return tokens;
  }

private:
  /// To the next word, over white space and comments.
  void skip() {
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
        if (at_ == text_.size()) return;
      }
      if (!is_space(text_[at_])) return;
      if (text_[at_] == '\n') ++line_;
    }
  }

  bool quoted(char quote, std::string& word) {
    for (++at_; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      if (c == quote) {
        ++at_;
        return true;
      }
      if (c == '\\' && quote == '"' && at_ + 1 < text_.size() && text_[at_ + 1] == '"') c = text_[++at_];
      if (c == '\n') ++line_;
      word.push_back(c);
    }
    return false;
  }

  void substitute(Token& token) {
    substitute(token, "{$", "}");
    substitute(token, "{%", "%}");
  }

  void substitute(Token& token, std::string_view open, std::string_view close) {
    std::size_t from = 0;
    for (;;) {
      const auto begin = token.text.find(open, from);
      if (begin == std::string::npos) return;
      const auto end = token.text.find(close, begin + open.size());
      if (end == std::string::npos || end == begin + open.size()) return;
      const std::string name = token.text.substr(begin + open.size(), end - begin - open.size());
      const auto value = host_.environment ? host_.environment(name) : std::nullopt;
      if (!value)
        findings_.unset.push_back(token.place() + "the environment variable " + name +
                                  " is not set, and nothing stands for it; instead: set it, or write its value");
      token.text.replace(begin, end + close.size() - begin, value.value_or(""));
      from = begin + value.value_or("").size();
    }
  }

  std::string_view text_;
  std::shared_ptr<const std::string> file_;
  const Host& host_;
  Findings& findings_;
  std::size_t at_ = 0;
  int line_ = 1;
  int last_line_ = 0; // where the last word ended
};

} // namespace

std::string Token::place() const { return *file + ":" + std::to_string(line) + ": "; }

std::vector<Token> tokens_of(std::string_view text, const std::string& file, const Host& host, Findings& findings) {
  return Lexer(text, file, host, findings).run();
}

} // namespace signpost::server::corefile
