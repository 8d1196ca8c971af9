#include "discovery/api/selector.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>

namespace signpost::api {
namespace {

enum class Token : std::uint8_t {
  end,
  open,
  close,
  comma,
  not_sign,
  equals,
  double_equals,
  not_equals,
  greater,
  less,
  in,
  not_in,
  identifier
};

using Error = tl::unexpected<std::string>;
template <class... Args>
Error fail(fmt::format_string<Args...> format, Args&&... args) {
  return tl::make_unexpected(fmt::format(format, std::forward<Args>(args)...));
}

bool is_special(char c) { return std::string_view("=!(),<>").find(c) != std::string_view::npos; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

struct Lexeme {
  Token token = Token::end;
  std::string_view text;
};

class Lexer {
public:
  explicit Lexer(std::string_view text) : text_(text) { advance(); }

  /// `in` and `notin` are words only where an operator is expected.
  [[nodiscard]] Lexeme peek(bool operators = false) const {
    if (!operators && (next_.token == Token::in || next_.token == Token::not_in))
      return {Token::identifier, next_.text};
    return next_;
  }
  Lexeme take(bool operators = false) {
    const Lexeme taken = peek(operators);
    advance();
    return taken;
  }

private:
  void advance() {
    while (!text_.empty() && is_blank(text_.front())) text_.remove_prefix(1);
    if (text_.empty()) {
      next_ = {Token::end, ""};
      return;
    }
    if (is_special(text_.front())) {
      next_ = special();
      return;
    }
    std::size_t length = 0;
    while (length < text_.size() && !is_special(text_[length]) && !is_blank(text_[length])) ++length;
    const std::string_view word = text_.substr(0, length);
    text_.remove_prefix(length);
    next_ = {word == "in" ? Token::in : word == "notin" ? Token::not_in : Token::identifier, word};
  }

  Lexeme special() {
    struct Symbol {
      std::string_view text;
      Token token;
    };
    static constexpr Symbol symbols[] = {{"==", Token::double_equals}, {"!=", Token::not_equals}, {"=", Token::equals},
                                         {"!", Token::not_sign},       {"(", Token::open},        {")", Token::close},
                                         {",", Token::comma},          {">", Token::greater},     {"<", Token::less}};
    for (const Symbol& symbol : symbols)
      if (text_.starts_with(symbol.text)) {
        text_.remove_prefix(symbol.text.size());
        return {symbol.token, symbol.text};
      }
    return {Token::end, ""};
  }

  std::string_view text_;
  Lexeme next_;
};

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_name_part(std::string_view text) {
  if (text.empty() || text.size() > 63 || !is_alphanumeric(text.front()) || !is_alphanumeric(text.back())) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

bool is_subdomain(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  while (true) {
    const std::size_t dot = std::min(text.find('.'), text.size());
    const std::string_view label = text.substr(0, dot);
    if (label.empty() || label.front() == '-' || label.back() == '-') return false;
    for (const char c : label)
      if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
    if (dot == text.size()) return true;
    text.remove_prefix(dot + 1);
  }
}

constexpr std::string_view name_part_rule =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr std::string_view value_rule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
constexpr std::string_view prefix_rule =
    "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and "
    "must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

tl::expected<void, std::string> check_key(std::string_view key) {
  std::string_view name = key;
  const std::size_t slash = key.find('/');
  if (slash != std::string_view::npos) {
    if (!is_subdomain(key.substr(0, slash))) return fail("key: Invalid value: \"{}\": {}", key, prefix_rule);
    name = key.substr(slash + 1);
  }
  if (!is_name_part(name)) return fail("key: Invalid value: \"{}\": {}", key, name_part_rule);
  return {};
}

std::optional<std::int64_t> to_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

using Requirement = LabelSelector::Requirement;
using Operator = LabelSelector::Operator;

tl::expected<std::vector<std::string>, std::string> parse_values(Lexer& lexer) {
  if (const Lexeme open = lexer.take(); open.token != Token::open) return fail("found '{}' expected: '('", open.text);
  std::vector<std::string> values;
  if (const Lexeme first = lexer.peek(); first.token == Token::close) {
    lexer.take();
    values.emplace_back();
    return values;
  } else if (first.token != Token::identifier && first.token != Token::comma) {
    return fail("found '{}', expected: ',', ')' or identifier", first.text);
  }
  bool expect_value = true; // an empty place between commas is the empty value
  while (true) {
    const Lexeme lexeme = lexer.take();
    if (lexeme.token == Token::identifier && expect_value) {
      values.emplace_back(lexeme.text);
      expect_value = false;
    } else if (lexeme.token == Token::comma || lexeme.token == Token::close) {
      if (expect_value) values.emplace_back();
      expect_value = true;
      if (lexeme.token == Token::close) return values;
    } else {
      return fail("found '{}', expected: ',' or ')'", lexeme.text);
    }
  }
}

tl::expected<void, std::string> check_values(const Requirement& requirement) {
  if ((requirement.op == Operator::in || requirement.op == Operator::not_in) && requirement.values.empty())
    return fail("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty");
  for (std::size_t i = 0; i < requirement.values.size(); ++i) {
    const std::string& value = requirement.values[i];
    if ((requirement.op == Operator::greater || requirement.op == Operator::less) && !to_integer(value))
      return fail("values[{}]: Invalid value: \"{}\": for 'Gt', 'Lt' operators, the value must be an integer", i,
                  value);
    if (value.size() > 63)
      return fail("values[{}][{}]: Invalid value: \"{}\": must be no more than 63 bytes", i, requirement.key, value);
    if (!value.empty() && !is_name_part(value))
      return fail("values[{}][{}]: Invalid value: \"{}\": {}", i, requirement.key, value, value_rule);
  }
  return {};
}

tl::expected<Requirement, std::string> parse_requirement(Lexer& lexer) {
  Requirement requirement;
  Lexeme key = lexer.take();
  bool negated = false;
  if (key.token == Token::not_sign) {
    negated = true;
    key = lexer.take();
  }
  if (key.token != Token::identifier) return fail("found '{}', expected: identifier", key.text);
  if (auto checked = check_key(key.text); !checked) return tl::make_unexpected(checked.error());
  requirement.key = key.text;
  const Token after = lexer.peek().token;
  if (negated || after == Token::end || after == Token::comma) {
    requirement.op = negated ? Operator::does_not_exist : Operator::exists;
    return requirement;
  }
  const Lexeme op = lexer.take(true);
  switch (op.token) {
  case Token::in:
  case Token::equals:
  case Token::double_equals: requirement.op = Operator::in; break;
  case Token::not_in:
  case Token::not_equals: requirement.op = Operator::not_in; break;
  case Token::greater: requirement.op = Operator::greater; break;
  case Token::less: requirement.op = Operator::less; break;
  default: return fail("found '{}', expected: in, notin, =, ==, !=, gt, lt", op.text);
  }
  if (op.token == Token::in || op.token == Token::not_in) {
    auto values = parse_values(lexer);
    if (!values) return tl::make_unexpected(values.error());
    requirement.values = std::move(*values);
  } else if (const Token next = lexer.peek().token; next == Token::end || next == Token::comma) {
    requirement.values.emplace_back();
  } else {
    const Lexeme value = lexer.take();
    if (value.token != Token::identifier) return fail("found '{}', expected: identifier", value.text);
    requirement.values.emplace_back(value.text);
  }
  if (auto checked = check_values(requirement); !checked) return tl::make_unexpected(checked.error());
  return requirement;
}

bool holds(const Requirement& requirement, const std::string* value) {
  const auto listed = [&] {
    return std::find(requirement.values.begin(), requirement.values.end(), *value) != requirement.values.end();
  };
  switch (requirement.op) {
  case Operator::exists: return value != nullptr;
  case Operator::does_not_exist: return value == nullptr;
  case Operator::in: return value != nullptr && listed();
  case Operator::not_in: return value == nullptr || !listed();
  case Operator::greater:
  case Operator::less: {
    if (value == nullptr) return false;
    const auto have = to_integer(*value), bound = to_integer(requirement.values.front());
    if (!have || !bound) return false;
    return requirement.op == Operator::greater ? *have > *bound : *have < *bound;
  }
  }
  return false;
}

/// Undoes \\, \, and \= ; nullopt: a backslash before anything else.
std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      if (++i == text.size() || std::string_view("\\,=").find(text[i]) == std::string_view::npos) return std::nullopt;
    }
    out += text[i];
  }
  return out;
}

std::vector<std::string_view> split_terms(std::string_view text) {
  std::vector<std::string_view> terms;
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == ',') {
      terms.push_back(text.substr(start, i - start));
      start = i + 1;
    }
  }
  terms.push_back(text.substr(std::min(start, text.size())));
  return terms;
}

bool offers(model::Kind kind, std::string_view field, bool& whole) {
  if (field == "metadata.name" || field == "metadata.namespace") return true;
  whole = true;
  const auto one_of = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), field) != names.end();
  };
  switch (kind) {
  case model::Kind::service: return one_of({"spec.clusterIP", "spec.type"});
  case model::Kind::name_space: return one_of({"status.phase"});
  case model::Kind::event:
    return one_of({"involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
                   "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
                   "reportingComponent", "source", "type"});
  case model::Kind::group_event:
    return one_of({"regarding.kind", "regarding.namespace", "regarding.name", "regarding.uid", "regarding.apiVersion",
                   "regarding.resourceVersion", "regarding.fieldPath", "reason", "reportingController", "type"});
  case model::Kind::pod:
    return one_of({"spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
                   "spec.hostNetwork", "status.phase", "status.podIP", "status.nominatedNodeName"});
  case model::Kind::node: return one_of({"spec.unschedulable"});
  default: return false;
  }
}

/// What an absent field counts as: false, where the field is a truth value.
std::string_view value_of_absent(std::string_view field) {
  return field == "spec.hostNetwork" || field == "spec.unschedulable" ? "false" : "";
}

/// Where the value of a selectable field stands in the object.
std::string_view path_of(std::string_view field) { return field == "source" ? "source.component" : field; }

} // namespace

tl::expected<LabelSelector, std::string> LabelSelector::parse(std::string_view text) {
  LabelSelector selector;
  Lexer lexer(text);
  while (true) {
    const Lexeme first = lexer.peek();
    if (first.token == Token::end) return selector;
    if (first.token != Token::identifier && first.token != Token::not_sign)
      return fail("found '{}', expected: !, identifier, or 'end of string'", first.text);
    auto requirement = parse_requirement(lexer);
    if (!requirement) return fail("unable to parse requirement: {}", requirement.error());
    selector.requirements_.push_back(std::move(*requirement));
    const Lexeme behind = lexer.take();
    if (behind.token == Token::end) return selector;
    if (behind.token != Token::comma) return fail("found '{}', expected: ',' or 'end of string'", behind.text);
    if (const Lexeme next = lexer.peek(); next.token != Token::identifier && next.token != Token::not_sign)
      return fail("found '{}', expected: identifier after ','", next.text);
  }
}

bool LabelSelector::matches(const std::map<std::string, std::string, std::less<>>& labels) const {
  return std::all_of(requirements_.begin(), requirements_.end(), [&](const Requirement& requirement) {
    const auto found = labels.find(requirement.key);
    return holds(requirement, found == labels.end() ? nullptr : &found->second);
  });
}

tl::expected<FieldSelector, std::string> FieldSelector::parse(std::string_view text, model::Kind kind) {
  FieldSelector selector;
  for (const std::string_view part : split_terms(text)) {
    if (part.empty()) continue;
    std::size_t at = 0;
    while (at < part.size() && part[at] != '=' && !(part[at] == '!' && part.substr(at).starts_with("!=")))
      at += part[at] == '\\' ? 2 : 1;
    if (at >= part.size()) return fail("invalid selector: '{}'; can't understand '{}'", text, part);
    Term term;
    term.equal = part[at] == '=';
    const std::size_t width = part.substr(at).starts_with("==") || part[at] == '!' ? 2 : 1;
    auto value = unescape(part.substr(at + width));
    if (!value) return fail("invalid field selector: invalid escape sequence in '{}'", part);
    term.field = part.substr(0, at);
    term.value = std::move(*value);
    bool whole = false;
    if (!offers(kind, term.field, whole)) {
      if (model::info(kind).group.empty()) return fail("field label not supported: {}", term.field);
      return fail("\"{}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"", term.field);
    }
    selector.needs_whole_ = selector.needs_whole_ || whole;
    selector.terms_.push_back(std::move(term));
  }
  return selector;
}

bool FieldSelector::matches(const ObjectSummary& summary) const {
  return std::all_of(terms_.begin(), terms_.end(), [&](const Term& term) {
    if (term.field == "metadata.name") return (summary.name == term.value) == term.equal;
    if (term.field == "metadata.namespace") return (summary.name_space == term.value) == term.equal;
    auto found = summary.fields.find(path_of(term.field));
    if (term.field == "source" && found == summary.fields.end()) found = summary.fields.find("reportingComponent");
    const std::string_view value = found == summary.fields.end() ? value_of_absent(term.field) : found->second;
    return (value == term.value) == term.equal;
  });
}

} // namespace signpost::api
