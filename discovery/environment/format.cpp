#include <algorithm>
#include <nlohmann/json.hpp>

#include "discovery/environment/environment.hpp"

namespace signpost::environment {
namespace {

bool shell_name(std::string_view name) {
  auto const letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::string shell_quoted(std::string_view text) {
  std::string result = "'";
  for (char const c : text) {
    if (c == '\'') {
      result += "'\\''";
    } else {
      result += c;
    }
  }
  return result + "'";
}

std::string one_line(std::string_view text) {
  std::string result(text);
  std::replace_if(
      result.begin(), result.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, '?');
  return result;
}

std::string json_text(std::span<const Variable> variables) {
  auto array = nlohmann::json::array();
  for (const auto& variable : variables) array.push_back({{"name", variable.name}, {"value", variable.value}});
  return array.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

// NAME=VALUE, and nothing tells where a value of several lines ends.
tl::expected<std::string, std::string> env_text(std::span<const Variable> variables) {
  std::string out;
  for (const auto& [name, value] : variables) {
    if (value.find_first_of("\r\n") != std::string::npos || name.find_first_of("\r\n") != std::string::npos) {
      return tl::unexpected(one_line(name) +
                            " has several lines, of which each would be a variable; use --format export or json");
    }
    out += name + "=" + value + "\n";
  }
  return out;
}

// docker reads lines literally: no quotes, no escapes, '#' starts a comment, names have no blanks.
tl::expected<std::string, std::string> docker_text(std::span<const Variable> variables) {
  std::string out;
  for (const auto& [name, value] : variables) {
    if (value.find_first_of("\r\n") != std::string::npos) {
      return tl::unexpected("the value of " + one_line(name) +
                            " has several lines, which docker's env files cannot carry; use --format json");
    }
    if (name.find_first_of(" \t\r\n") != std::string::npos || name.starts_with('#')) {
      return tl::unexpected("docker's env files cannot carry a variable named \"" + one_line(name) +
                            "\"; use --format json");
    }
    out += name + "=" + value + "\n";
  }
  return out;
}

} // namespace

std::optional<Format> parse_format(std::string_view text) {
  if (text == "env") return Format::env;
  if (text == "export") return Format::export_;
  if (text == "json") return Format::json;
  if (text == "docker") return Format::docker;
  return std::nullopt;
}

tl::expected<std::string, std::string> format(std::span<const Variable> variables, Format format) {
  std::string out;
  switch (format) {
  case Format::json: return json_text(variables);
  case Format::docker: return docker_text(variables);
  case Format::env: return env_text(variables);
  case Format::export_:
    for (const auto& [name, value] : variables) {
      if (shell_name(name)) {
        out += "export " + name + "=" + shell_quoted(value) + "\n";
      } else {
        out += "# " + one_line(name) + ": not a name that a shell can export\n";
      }
    }
    break;
  }
  return out;
}

} // namespace signpost::environment
