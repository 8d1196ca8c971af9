// JSONPath as kubectl has it, for --sort-by and -o jsonpath|custom-columns: a path, and a text with paths in braces.
//
//   {.items[*].metadata.name}     {range .items[?(@.spec.type=="NodePort")]}{.metadata.name}{"\n"}{end}
//
// A path is steps from a document to any number of values: .name ['name'] [*] .* [1] [-1] [0,2] [1:3] ..name
// [?(@.path OP value)] with == != < <= > >= or nothing (there is such a value). What is not there is no value, and no
// error. Pure; work is bounded by the document times the steps.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/failure.hpp"

namespace signpost::cli {

using Json = nlohmann::json;

class JsonPath {
public:
  /// ".metadata.name", with or without the braces, "$" or "@" around and before it. Errors say where.
  [[nodiscard]] static Expected<JsonPath> parse(std::string_view text);

  /// The values in the document's order; they point into it.
  [[nodiscard]] std::vector<const Json*> find(const Json& document) const;

private:
  friend class JsonPathReader;
  enum class Kind : std::uint8_t { names, every, indexes, slice, below, filter };
  enum class Compare : std::uint8_t { exists, equal, unequal, less, less_or_equal, greater, greater_or_equal };
  struct Step {
    Kind kind = Kind::names;
    std::vector<std::string> names{};
    std::vector<long> indexes{};      // of a slice: none
    std::optional<long> from{}, to{}; // of a slice
    long stride = 1;                  // of a slice
    std::vector<JsonPath> sides{};    // of a filter: left, and right unless it is a literal
    std::string literal{};            // of a filter: JSON text
    Compare compare = Compare::exists;
  };
  std::vector<Step> steps_;
};

/// A text in which {path}, {"text"} and {range path}…{end} are replaced.
class JsonTemplate {
public:
  [[nodiscard]] static Expected<JsonTemplate> parse(std::string_view text);
  /// Values of one path with a space between them; strings as they are, made printable, others as JSON.
  [[nodiscard]] std::string fill(const Json& document) const;

private:
  struct Part {
    enum class Kind : std::uint8_t { text, path, range } kind = Kind::text;
    std::string text{};
    JsonPath path{};
    std::size_t end = 0; // of a range: index of the part behind its {end}
  };
  void fill(const Json& document, std::size_t from, std::size_t to, std::string& out) const;
  std::vector<Part> parts_;
};

/// -o custom-columns=HEADER:path,HEADER:path
struct CustomColumns {
  std::vector<std::string> header;
  std::vector<JsonPath> paths;

  [[nodiscard]] static Expected<CustomColumns> parse(std::string_view text);
  [[nodiscard]] std::vector<std::string> row(const Json& object) const; // "<none>" where there is no value
};

/// Negative, zero or positive: the order of two values; numbers by size, quantities and texts as texts, none first.
[[nodiscard]] int compare_values(const Json* a, const Json* b);

} // namespace signpost::cli
