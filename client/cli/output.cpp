#include "client/cli/output.hpp"

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "client/cli/api.hpp"
#include "discovery/model/manifest.hpp"
#include "discovery/model/text.hpp"

namespace signpost::cli {

namespace {

constexpr std::string_view gap = "   ";

std::string cell_text(const Json& cell) {
  if (cell.is_string()) return printable(cell.get_ref<const std::string&>());
  if (cell.is_null()) return "<none>";
  return printable(cell.dump(-1, ' ', false, Json::error_handler_t::replace));
}

// The length of what steers a terminal at the start of `text`, of which `sequence` octets are a character of UTF-8 (0:
// none is); 0: it is harmless.
std::size_t steering(std::string_view text, std::size_t sequence) {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (sequence == 0) return 1;
  if (sequence == 1) return octet(0) < 0x20 || octet(0) == 0x7f ? 1 : 0;
  if (sequence == 2) return octet(0) == 0xc2 && octet(1) < 0xa0 ? 2 : 0; // U+0080 … U+009F
  if (sequence != 3 || octet(0) != 0xe2) return 0;
  const bool separator_or_embedding = octet(1) == 0x80 && octet(2) >= 0xa8 && octet(2) <= 0xae; // U+2028 … U+202E
  const bool isolate = octet(1) == 0x81 && octet(2) >= 0xa6 && octet(2) <= 0xa9;                // U+2066 … U+2069
  return separator_or_embedding || isolate ? 3 : 0;
}

std::string escaped(std::string_view character) {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  unsigned code = octet(0);
  if (character.size() == 2) code = (octet(0) & 0x1fu) << 6 | (octet(1) & 0x3fu);
  if (character.size() == 3) code = (octet(0) & 0x0fu) << 12 | (octet(1) & 0x3fu) << 6 | (octet(2) & 0x3fu);
  std::string out = "\\u";
  for (const int shift : {12, 8, 4, 0}) out += "0123456789abcdef"[code >> shift & 15];
  return out;
}

// "app=web,tier=front"
std::string labels_text(const Json& object) {
  const Json::json_pointer labels("/metadata/labels");
  std::string out;
  if (object.is_object() && object.contains(labels) && object[labels].is_object())
    for (const auto& [key, value] : object[labels].items())
      (((out += out.empty() ? "" : ",") += printable(key)) += '=') += cell_text(value);
  return out.empty() ? "<none>" : out;
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

} // namespace

std::optional<Output> output_named(std::string_view text) {
  if (text == "table") return Output::table;
  if (text == "wide") return Output::wide;
  if (text == "json") return Output::json;
  if (text == "yaml") return Output::yaml;
  if (text == "name") return Output::name;
  return std::nullopt;
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto sequence = model::utf8_length(text), bad = steering(text, sequence);
    if (bad == 0)
      out += text.substr(0, sequence);
    else
      out += '?';
    text.remove_prefix(std::max(sequence, bad));
  }
  return out;
}

std::string json_text(const Json& json, int indent) {
  // Control characters below 0x20 are escaped in it already, but for the line feeds between members.
  const auto text = json.dump(indent, ' ', false, Json::error_handler_t::replace);
  std::string out;
  for (std::string_view rest = text; !rest.empty();) {
    const auto sequence = std::max<std::size_t>(model::utf8_length(rest), 1);
    const auto character = rest.substr(0, sequence);
    if (character != "\n" && steering(rest, sequence) != 0)
      out += escaped(character);
    else
      out += character;
    rest.remove_prefix(sequence);
  }
  return out;
}

void TablePrinter::measure(const std::vector<std::string>& row) {
  if (widths_.size() < row.size()) widths_.resize(row.size());
  for (std::size_t i = 0; i < row.size(); ++i) widths_[i] = std::max(widths_[i], printable(row[i]).size());
}

void TablePrinter::print(const std::vector<std::string>& cells) {
  std::vector<std::string> row;
  for (const auto& cell : cells) row.push_back(printable(cell));
  measure(row);
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    line += row[i];
    if (i + 1 < row.size()) (line += std::string(widths_[i] - row[i].size(), ' ')) += gap;
  }
  out_ << line << '\n';
}

void Columns::learn(const Json& table) {
  const auto definitions = table.find("columnDefinitions");
  if (definitions == table.end() || !definitions->is_array() || definitions->empty()) return;
  header.clear();
  cells.clear();
  if (name_space) header.emplace_back("NAMESPACE");
  for (std::size_t i = 0; i < definitions->size(); ++i) {
    const auto& definition = (*definitions)[i];
    const auto priority = definition.is_object() ? definition.find("priority") : definition.end();
    const bool extra =
        definition.is_object() && priority != definition.end() && priority->is_number() && *priority != 0;
    if (extra && !wide) continue;
    header.push_back(upper(printable(text_member(definition, "name"))));
    cells.push_back(i);
  }
  if (labels) header.emplace_back("LABELS");
}

std::vector<std::string> Columns::row(const Json& row) const {
  std::vector<std::string> out;
  const auto object = row.find("object");
  if (name_space) out.push_back(object == row.end() ? "" : printable(metadata_text(*object, "namespace")));
  const auto found = row.find("cells");
  for (const auto index : cells)
    out.push_back(found != row.end() && found->is_array() && index < found->size() ? cell_text((*found)[index]) : "");
  if (!cells.empty()) out[name_space ? 1 : 0].insert(0, kind);
  if (labels) out.push_back(object == row.end() ? "<none>" : labels_text(*object));
  return out;
}

Json as_table(Json reply) {
  if (text_member(reply, "kind") == "Table") return reply;
  Json rows = Json::array();
  const auto add = [&](Json& object) {
    rows.push_back({{"cells", {metadata_text(object, "name"), age(metadata_text(object, "creationTimestamp"))}},
                    {"object", {{"metadata", std::move(object["metadata"])}}}});
  };
  Json metadata = reply.contains("metadata") ? reply["metadata"] : Json::object();
  if (const auto items = reply.find("items"); items != reply.end() && items->is_array())
    for (auto& item : *items) add(item);
  else
    add(reply);
  return {{"kind", "Table"},
          {"metadata", std::move(metadata)},
          {"columnDefinitions", {{{"name", "Name"}}, {{"name", "Age"}}}},
          {"rows", std::move(rows)}};
}

void print_json(std::ostream& out, const Json& json) { out << json_text(json, 4) << '\n'; }

void print_yaml(std::ostream& out, const Json& json) {
  auto text = model::to_yaml(json);
  if (!text.ends_with('\n')) text += '\n';
  out << text;
}

std::string object_name(const model::KindInfo& kind, std::string_view name) {
  std::string out(kind.singular);
  if (!kind.group.empty()) (out += '.') += kind.group;
  return (out += '/') += printable(name);
}

std::string age(std::string_view created) {
  std::tm parts{};
  const std::string text(created);
  const char* end = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (end == nullptr) return "<unknown>";
  const auto seconds = std::max<std::time_t>(0, std::time(nullptr) - timegm(&parts));
  if (seconds < 120) return std::to_string(seconds) + 's';
  if (seconds < 2 * 3600) return std::to_string(seconds / 60) + 'm';
  if (seconds < 48 * 3600) return std::to_string(seconds / 3600) + 'h';
  return std::to_string(seconds / 86400) + 'd';
}

} // namespace signpost::cli
