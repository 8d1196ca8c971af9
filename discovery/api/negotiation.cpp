#include "discovery/api/negotiation.hpp"

#include <algorithm>
#include <vector>

namespace signpost::api {
namespace {

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Cuts off what stands before the separator.
std::string_view cut(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view head = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return trim(head);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

struct Clause {
  std::string type;
  std::string_view as, group, version;
  int thousandths = 1000;
};

int parse_quality(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return 1000;
  int value = (text[0] - '0') * 1000;
  int weight = 100;
  for (std::size_t i = 2; i < text.size() && i < 5; ++i, weight /= 10) {
    if (text[i] < '0' || text[i] > '9') break;
    value += (text[i] - '0') * weight;
  }
  return std::min(value, 1000);
}

Clause parse_clause(std::string_view text) {
  Clause clause;
  clause.type = lower(cut(text, ';'));
  while (!text.empty()) {
    std::string_view value = cut(text, ';');
    const std::string_view name = cut(value, '=');
    value = trim(value);
    if (name == "as") clause.as = value;
    if (name == "g") clause.group = value;
    if (name == "v") clause.version = value;
    if (name == "q") clause.thousandths = parse_quality(value);
  }
  return clause;
}

/// In the order in which they count.
std::vector<Clause> parse_clauses(std::string_view text) {
  std::vector<Clause> clauses;
  while (!text.empty() && clauses.size() < 64) clauses.push_back(parse_clause(cut(text, ',')));
  std::stable_sort(clauses.begin(), clauses.end(),
                   [](const Clause& a, const Clause& b) { return a.thousandths > b.thousandths; });
  return clauses;
}

/// What a clause's media type asks for; nullopt: nothing of ours.
std::optional<Format> format_of(const Clause& clause) {
  if (clause.type == "*/*") return Format::json;
  for (const Format format : {Format::json, Format::yaml, Format::protobuf})
    if (clause.type == media_type(format)) return format;
  return std::nullopt;
}

/// Whether a client that names this also reads it in JSON.
bool reads_json_too(const Clause& clause, const std::vector<Clause>& all) {
  return std::any_of(all.begin(), all.end(), [&](const Clause& other) {
    if (other.thousandths == 0 || format_of(other) != Format::json) return false;
    return other.as == clause.as && other.group == clause.group && other.version == clause.version;
  });
}

std::optional<Encoding> encoding_of(const Clause& clause, const std::vector<Clause>& all) {
  const auto format = format_of(clause);
  if (!format || clause.thousandths == 0) return std::nullopt;
  Encoding encoding;
  encoding.format = *format == Format::protobuf && reads_json_too(clause, all) ? Format::json : *format;
  if (clause.as.empty()) return encoding;
  if (clause.group != "meta.k8s.io") return std::nullopt;
  if (clause.version == "v1")
    encoding.version = "v1";
  else if (clause.version == "v1beta1")
    encoding.version = "v1beta1";
  else
    return std::nullopt;
  if (clause.as == "Table" && encoding.format == Format::json)
    encoding.shape = Shape::table;
  else if (clause.as == "PartialObjectMetadata" || clause.as == "PartialObjectMetadataList")
    encoding.shape = Shape::metadata, encoding.of_list = clause.as.ends_with("List");
  else
    return std::nullopt;
  // v1beta1 numbers the fields of that list the other way round; nobody asks for it.
  if (encoding.format == Format::protobuf && encoding.of_list && encoding.version == "v1beta1") return std::nullopt;
  return encoding;
}

} // namespace

std::string_view media_type(Format format) {
  switch (format) {
  case Format::yaml: return "application/yaml";
  case Format::protobuf: return "application/vnd.kubernetes.protobuf";
  default: return "application/json";
  }
}

std::optional<Encoding> negotiate(std::string_view accept) {
  if (trim(accept).empty()) return Encoding{};
  const auto clauses = parse_clauses(accept);
  for (const Clause& clause : clauses)
    if (const auto encoding = encoding_of(clause, clauses)) return encoding;
  return std::nullopt;
}

std::string_view aggregated_version(std::string_view accept) {
  for (const Clause& clause : parse_clauses(accept)) {
    if (clause.thousandths == 0) continue;
    if (clause.type == "*/*") return {};
    if (clause.type != "application/json") continue;
    if (clause.as.empty()) return {};
    if (clause.as != "APIGroupDiscoveryList" || clause.group != "apidiscovery.k8s.io") continue;
    if (clause.version == "v2") return "v2";
    if (clause.version == "v2beta1") return "v2beta1";
  }
  return {};
}

bool accepts_gzip(std::string_view accept_encoding) {
  const auto clauses = parse_clauses(accept_encoding);
  return std::any_of(clauses.begin(), clauses.end(),
                     [](const Clause& clause) { return clause.type == "gzip" && clause.thousandths != 0; });
}

std::optional<BodyFormat> body_format(std::string_view content_type) {
  const std::string type = lower(cut(content_type, ';'));
  if (type.empty() || type == media_type(Format::json)) return BodyFormat::json;
  if (type == media_type(Format::yaml)) return BodyFormat::yaml;
  if (type == media_type(Format::protobuf)) return BodyFormat::protobuf;
  if (type == "application/json-patch+json") return BodyFormat::json_patch;
  if (type == "application/merge-patch+json") return BodyFormat::merge_patch;
  if (type == "application/strategic-merge-patch+json") return BodyFormat::strategic_patch;
  if (type == "application/apply-patch+yaml") return BodyFormat::apply_patch;
  return std::nullopt;
}

} // namespace signpost::api
