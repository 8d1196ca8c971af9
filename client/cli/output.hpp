// What commands print: tables, JSON, YAML, names. Cells and text from the server are made safe for a terminal.
//
// Not thread-safe; writes to the stream it is given and nothing else.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "discovery/model/kind.hpp"

namespace signpost::cli {

using Json = nlohmann::json;

enum class Output : std::uint8_t { table, wide, json, yaml, name };
[[nodiscard]] std::optional<Output> output_named(std::string_view text);
inline constexpr const char* output_names = "table, wide, json, yaml, name, jsonpath=… or custom-columns=…";

/// What could steer a terminal becomes '?': control characters (C0, DEL, C1), line and paragraph separators, those that
/// turn the direction of text around, and what is not UTF-8. The rest is one line.
[[nodiscard]] std::string printable(std::string_view text);
/// A JSON document as text that is the same to every reader, with what printable() replaces escaped. `indent` -1: one
/// line. No newline at the end.
[[nodiscard]] std::string json_text(const Json& json, int indent);

/// Prints rows below each other, their cells made printable. Columns are as wide as their widest cell so far, so a
/// table can go on for ever.
class TablePrinter {
public:
  explicit TablePrinter(std::ostream& out) : out_(out) {}
  /// Widens columns without printing.
  void measure(const std::vector<std::string>& row);
  void print(const std::vector<std::string>& cells);

private:
  std::ostream& out_;
  std::vector<std::size_t> widths_;
};

/// The rows of an API Table (meta.k8s.io/v1) as text.
struct Columns {
  bool wide = false;       // columns of priority 1 as well
  bool name_space = false; // NAMESPACE first
  bool labels = false;     // LABELS last
  std::string kind{};      // before the name: "service/" where kinds are mixed
  std::vector<std::string> header{};
  std::vector<std::size_t> cells{}; // index of each column's cell

  /// Takes the columns from a Table's columnDefinitions; keeps what it has if there are none.
  void learn(const Json& table);
  [[nodiscard]] std::vector<std::string> row(const Json& row) const;
};

/// A Table as it is, a list of objects as a Table of names and creation times (what servers without Tables send).
[[nodiscard]] Json as_table(Json reply);

void print_json(std::ostream& out, const Json& json);
void print_yaml(std::ostream& out, const Json& json);
/// "service/web", "endpointslice.discovery.k8s.io/web-1", as kubectl's -o name.
[[nodiscard]] std::string object_name(const model::KindInfo& kind, std::string_view name);

/// "3s", "5m", "4h", "12d", from an RFC 3339 time until now; "<unknown>" if it is none.
[[nodiscard]] std::string age(std::string_view created);

} // namespace signpost::cli
