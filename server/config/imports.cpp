#include <glob.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "server/config/syntax.hpp"

namespace signpost::server::corefile {
namespace {

constexpr int max_depth = 32;              // imports within imports
constexpr std::size_t max_imports = 10000; // as CoreDNS
constexpr std::size_t max_tokens = 1u << 20;
constexpr std::size_t max_file = 16u << 20; // octets

class Imports {
public:
  Imports(const Host& host, Findings& findings, std::vector<std::string>& files)
      : host_(host), findings_(findings), files_(files) {}

  std::vector<Token> run(const std::vector<Token>& tokens, int depth) {
    std::vector<Token> out;
    for (std::size_t at = 0; at < tokens.size();) {
      const Token& token = tokens[at];
      if (token.first && !token.quoted && braces_ == 0 && is_snippet(token.text)) {
        auto end = define(tokens, at);
        if (!end) {
          findings_.problems.push_back(end.error());
          return out;
        }
        at = *end;
        continue;
      }
      if (token.first && !token.quoted && token.text == "import") {
        const auto end = end_of_line(tokens, at);
        auto imported = import(tokens, at, end, depth);
        if (!imported) findings_.problems.push_back(imported.error());
        if (imported && !imported->empty()) {
          imported->front().first = true;
          out.insert(out.end(), imported->begin(), imported->end());
        }
        at = end;
      } else {
        if (token.opens()) ++braces_;
        if (token.closes() && braces_ > 0) --braces_;
        out.push_back(token);
        ++at;
      }
      if (out.size() > max_tokens || over_) {
        if (!over_)
          findings_.problems.push_back(token.place() +
                                       "the imports make up more than a million words; instead: import less");
        over_ = true; // ends those that this stands in, too
        return {};
      }
    }
    return out;
  }

private:
  static bool is_snippet(const std::string& text) {
    return text.size() >= 2 && text.front() == '(' && text.back() == ')';
  }

  static std::size_t end_of_line(const std::vector<Token>& tokens, std::size_t at) {
    for (++at; at < tokens.size() && !tokens[at].first; ++at) {
    }
    return at;
  }

  /// Keeps the snippet that begins at `at`; returns where the text goes on.
  tl::expected<std::size_t, std::string> define(const std::vector<Token>& tokens, std::size_t at) {
    const Token& head = tokens[at];
    const std::string name = head.text.substr(1, head.text.size() - 2);
    if (name.empty()) return tl::unexpected(head.place() + "a snippet without a name; instead: (NAME) {");
    if (++at == tokens.size() || !tokens[at].opens())
      return tl::unexpected(head.place() + "the snippet (" + name + ") has no block; instead: (" + name + ") {");
    if (snippets_.contains(name))
      return tl::unexpected(head.place() + "the snippet (" + name + ") is defined twice; instead: rename one");
    auto& body = snippets_[name];
    for (int open = 1; ++at < tokens.size();) {
      if (tokens[at].opens()) ++open;
      if (tokens[at].closes() && --open == 0) return at + 1;
      body.push_back(tokens[at]);
    }
    return tl::unexpected(head.place() + "the block of the snippet (" + name +
                          ") is never closed; instead: add a line with }");
  }

  tl::expected<std::vector<Token>, std::string> import(const std::vector<Token>& tokens, std::size_t at,
                                                       std::size_t end, int depth) {
    const Token& head = tokens[at];
    if (end - at != 2 || tokens[at + 1].opens())
      return tl::unexpected(head.place() + "import takes one file, pattern or snippet; instead: import NAME");
    const std::string& what = tokens[at + 1].text;
    if (depth >= max_depth) {
      over_ = true;
      return tl::unexpected(head.place() + "import " + what + " is nested more than " + std::to_string(max_depth) +
                            " deep; instead: break the circle, it may import itself");
    }
    if (++imports_ > max_imports) {
      over_ = true;
      return tl::unexpected(head.place() + "more than " + std::to_string(max_imports) +
                            " imports; instead: import less");
    }
    if (const auto snippet = snippets_.find(what); snippet != snippets_.end())
      return run(std::vector<Token>(snippet->second), depth + 1);

    auto files = files_of(head, what);
    if (!files) return tl::unexpected(files.error());
    std::vector<Token> out;
    for (const std::string& file : *files) {
      auto text = read_text(file);
      if (!text) return tl::unexpected(head.place() + text.error());
      const auto resolved = run(tokens_of(*text, file, host_, findings_), depth + 1);
      out.insert(out.end(), resolved.begin(), resolved.end());
    }
    return out;
  }

  /// The files that `what` names, seen from the importing file; none for a pattern that matches nothing.
  tl::expected<std::vector<std::string>, std::string> files_of(const Token& head, const std::string& what) {
    std::filesystem::path path = what;
    if (path.is_relative()) path = std::filesystem::path(*head.file).parent_path() / path;
    files_.push_back(path.string());
    if (what.find_first_of("*?[") == std::string::npos) {
      if (!std::filesystem::exists(path))
        return tl::unexpected(head.place() + "there is no file and no snippet \"" + what +
                              "\" to import; instead: create it, or define (" + what + ") { before this line");
      return std::vector<std::string>{path.string()};
    }
    if (std::count(what.begin(), what.end(), '*') > 1)
      return tl::unexpected(head.place() + "the pattern " + what + " has more than one *; instead: use one");
    glob_t found{};
    std::vector<std::string> files;
    if (::glob(path.c_str(), 0, nullptr, &found) == 0) files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    ::globfree(&found);
    if (files.empty()) findings_.warnings.push_back(head.place() + "no file matches " + what + ": nothing is imported");
    return files;
  }

  const Host& host_;
  Findings& findings_;
  std::vector<std::string>& files_;
  std::map<std::string, std::vector<Token>> snippets_;
  std::size_t imports_ = 0;
  int braces_ = 0;
  bool over_ = false; // a bound was passed: nothing more is read
};

} // namespace

tl::expected<std::string, std::string> read_text(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return tl::unexpected(path + " is a directory; instead: name a file");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return tl::unexpected(path + " cannot be read: " + std::strerror(errno != 0 ? errno : EIO));
  std::string text;
  char part[65536];
  while (file.read(part, sizeof part) || file.gcount() > 0) {
    text.append(part, static_cast<std::size_t>(file.gcount()));
    if (text.size() > max_file) return tl::unexpected(path + " is larger than 16 MB; instead: a Corefile");
  }
  return text;
}

std::vector<Token> resolve_imports(const std::vector<Token>& tokens, const Host& host, Findings& findings,
                                   std::vector<std::string>& files) {
  return Imports(host, findings, files).run(tokens, 0);
}

} // namespace signpost::server::corefile
