#include "client/cli/json_path.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "client/cli/output.hpp"

namespace signpost::cli {

namespace {

constexpr std::size_t most_nested = 16; // filters in filters, ranges in ranges

bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '/' || c == '\\';
}

std::string value_text(const Json& value) {
  return value.is_string() ? printable(value.get_ref<const std::string&>()) : json_text(value, -1);
}

} // namespace

class JsonPathReader {
public:
  explicit JsonPathReader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() {
    skip_spaces();
    return at_ == text_.size();
  }
  [[nodiscard]] bool take(std::string_view word) {
    skip_spaces();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  [[nodiscard]] tl::unexpected<Failure> wrong(const std::string& what) const {
    return fail(Exit::usage, "the path \"" + printable(text_) + "\": " + what + " at character " +
                                 std::to_string(at_ + 1) + "; a path is like .metadata.name or .spec.ports[0].port");
  }

  // Until what is no step any more.
  Expected<JsonPath> path(std::size_t depth = 0) {
    if (depth > most_nested) return wrong("filters are nested too deeply");
    JsonPath out;
    if (!take("$")) (void)take("@");
    while (at_ < text_.size()) {
      if (text_.substr(at_).starts_with("..")) {
        at_ += 2;
        out.steps_.push_back({.kind = JsonPath::Kind::below});
        if (at_ < text_.size() && text_[at_] == '[') continue;
        if (auto named = name(out); !named) return tl::make_unexpected(named.error());
      } else if (text_[at_] == '.') {
        ++at_;
        if (at_ == text_.size() || text_[at_] == '[') continue; // "." is the document, ".[0]" is "[0]"
        if (auto named = name(out); !named) return tl::make_unexpected(named.error());
      } else if (text_[at_] == '[') {
        ++at_;
        if (auto read = bracket(out, depth); !read) return tl::make_unexpected(read.error());
      } else if (out.steps_.empty() && letter(text_[at_])) { // "metadata.name", as custom-columns take it
        if (auto named = name(out); !named) return tl::make_unexpected(named.error());
      } else {
        break;
      }
    }
    return out;
  }

  // '…' or "…"; nullopt: there is none.
  Expected<std::optional<std::string>> quoted() {
    skip_spaces();
    if (at_ == text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) return std::nullopt;
    const char quote = text_[at_++];
    std::string out;
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] != '\\' || at_ + 1 == text_.size()) {
        out += text_[at_];
        continue;
      }
      const char c = text_[++at_];
      out += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
    }
    if (at_ == text_.size()) return wrong("a closing quote is missing");
    ++at_;
    return out;
  }

private:
  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }

  Expected<void> name(JsonPath& out) {
    if (take("*")) {
      out.steps_.push_back({.kind = JsonPath::Kind::every});
      return {};
    }
    std::string word;
    while (at_ < text_.size() && letter(text_[at_])) {
      if (text_[at_] == '\\' && ++at_ == text_.size()) break;
      word += text_[at_++];
    }
    if (word.empty()) return wrong("a name is missing");
    out.steps_.push_back({.kind = JsonPath::Kind::names, .names = {std::move(word)}});
    return {};
  }

  std::optional<long> number() {
    skip_spaces();
    long value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc()) return std::nullopt;
    at_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }

  // Behind "[".
  Expected<void> bracket(JsonPath& out, std::size_t depth) {
    JsonPath::Step step;
    if (take("?(")) {
      if (auto read = filter(step, depth); !read) return read;
    } else if (take("*")) {
      step.kind = JsonPath::Kind::every;
    } else if (auto read = listed(step); !read) {
      return read;
    }
    if (!take("]")) return wrong("a ] is missing");
    out.steps_.push_back(std::move(step));
    return {};
  }

  // 'name','name' or 1,2 or 1:3.
  Expected<void> listed(JsonPath::Step& step) {
    do {
      auto name = quoted();
      if (!name) return tl::make_unexpected(name.error());
      if (*name) {
        step.names.push_back(std::move(**name));
        continue;
      }
      const auto index = number();
      if (take(":")) {
        step.kind = JsonPath::Kind::slice;
        step.from = index;
        step.to = number();
        if (take(":")) step.stride = number().value_or(1);
        if (step.stride < 1) return wrong("steps of a slice must go forward");
        return {};
      }
      if (!index) return wrong("a number, a quoted name or * is missing");
      step.indexes.push_back(*index);
    } while (take(","));
    if (!step.names.empty() && !step.indexes.empty()) return wrong("names and numbers are mixed");
    if (step.names.empty()) step.kind = JsonPath::Kind::indexes;
    return {};
  }

  // Behind "?(".
  Expected<void> filter(JsonPath::Step& step, std::size_t depth) {
    using Compare = JsonPath::Compare;
    step.kind = JsonPath::Kind::filter;
    auto left = path(depth + 1);
    if (!left) return tl::make_unexpected(left.error());
    step.sides.push_back(std::move(*left));
    static constexpr std::pair<std::string_view, Compare> signs[] = {
        {"==", Compare::equal}, {"!=", Compare::unequal},          {"<=", Compare::less_or_equal},
        {"<", Compare::less},   {">=", Compare::greater_or_equal}, {">", Compare::greater}};
    for (const auto& [sign, compare] : signs)
      if (take(sign)) {
        step.compare = compare;
        break;
      }
    if (step.compare != Compare::exists)
      if (auto read = right(step, depth); !read) return read;
    if (!take(")")) return wrong("a ) is missing");
    return {};
  }

  Expected<void> right(JsonPath::Step& step, std::size_t depth) {
    auto text = quoted();
    if (!text) return tl::make_unexpected(text.error());
    if (*text) {
      step.literal = Json(**text).dump(-1, ' ', false, Json::error_handler_t::replace);
      return {};
    }
    skip_spaces();
    if (at_ < text_.size() && (text_[at_] == '@' || text_[at_] == '$')) {
      auto path_there = path(depth + 1);
      if (!path_there) return tl::make_unexpected(path_there.error());
      step.sides.push_back(std::move(*path_there));
      return {};
    }
    const auto end = std::min(text_.find_first_of(") ", at_), text_.size());
    step.literal = text_.substr(at_, end - at_);
    if (!Json::accept(step.literal)) return wrong("a value to compare with is missing");
    at_ = end;
    return {};
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

Expected<JsonPath> JsonPath::parse(std::string_view text) {
  if (text.starts_with('{') && text.ends_with('}')) text = text.substr(1, text.size() - 2);
  JsonPathReader reader(text);
  auto path = reader.path();
  if (path && !reader.at_end()) return reader.wrong("this is no step");
  return path;
}

int compare_values(const Json* a, const Json* b) {
  if (a == nullptr || b == nullptr) return a == b ? 0 : a == nullptr ? -1 : 1;
  if (a->is_string() && b->is_string())
    return a->get_ref<const std::string&>().compare(b->get_ref<const std::string&>());
  return *a == *b ? 0 : *a < *b ? -1 : 1;
}

std::vector<const Json*> JsonPath::find(const Json& document) const {
  std::vector<const Json*> now{&document};
  for (const Step& step : steps_) {
    std::vector<const Json*> next;
    const auto at = [&](const Json& list, long index) {
      const auto size = static_cast<long>(list.size());
      if (index < 0) index += size;
      if (index >= 0 && index < size) next.push_back(&list[static_cast<std::size_t>(index)]);
    };
    for (const Json* value : now) {
      switch (step.kind) {
      case Kind::names:
        for (const auto& name : step.names)
          if (value->is_object())
            if (const auto found = value->find(name); found != value->end()) next.push_back(&*found);
        break;
      case Kind::every:
        if (value->is_structured())
          for (const auto& item : *value) next.push_back(&item);
        break;
      case Kind::indexes:
        if (value->is_array())
          for (const long index : step.indexes) at(*value, index);
        break;
      case Kind::slice:
        if (value->is_array()) {
          const auto size = static_cast<long>(value->size());
          const auto place = [&](long index) { return std::clamp(index < 0 ? index + size : index, 0L, size); };
          const long to = place(step.to.value_or(size));
          for (long index = place(step.from.value_or(0)); index < to; index += std::min(step.stride, size))
            at(*value, index);
        }
        break;
      case Kind::below: {
        std::vector<const Json*> open{value};
        while (!open.empty()) {
          const Json* one = open.back();
          open.pop_back();
          next.push_back(one);
          if (!one->is_structured()) continue;
          std::vector<const Json*> inner;
          for (const auto& item : *one) inner.push_back(&item);
          open.insert(open.end(), inner.rbegin(), inner.rend());
        }
        break;
      }
      case Kind::filter:
        if (value->is_array())
          for (const auto& item : *value) {
            const auto left = step.sides[0].find(item);
            if (step.compare == Compare::exists) {
              if (!left.empty()) next.push_back(&item);
              continue;
            }
            const Json literal = step.sides.size() == 1 ? Json::parse(step.literal) : Json();
            const auto right = step.sides.size() == 1 ? std::vector<const Json*>{&literal} : step.sides[1].find(item);
            if (left.empty() || right.empty()) continue;
            const int order = compare_values(left[0], right[0]);
            const bool holds = step.compare == Compare::equal           ? order == 0
                               : step.compare == Compare::unequal       ? order != 0
                               : step.compare == Compare::less          ? order < 0
                               : step.compare == Compare::less_or_equal ? order <= 0
                               : step.compare == Compare::greater       ? order > 0
                                                                        : order >= 0;
            if (holds) next.push_back(&item);
          }
        break;
      }
    }
    now = std::move(next);
  }
  return now;
}

Expected<JsonTemplate> JsonTemplate::parse(std::string_view text) {
  JsonTemplate out;
  std::vector<std::size_t> open; // ranges
  while (!text.empty()) {
    const auto brace = std::min(text.find('{'), text.size());
    if (brace != 0) out.parts_.push_back({.kind = Part::Kind::text, .text = std::string(text.substr(0, brace))});
    text.remove_prefix(brace);
    if (text.empty()) break;
    std::size_t end = 1;
    for (char quote = 0; end < text.size() && (quote != 0 || text[end] != '}'); ++end) {
      if (quote != 0 && text[end] == '\\')
        ++end;
      else if (quote != 0 && text[end] == quote)
        quote = 0;
      else if (quote == 0 && (text[end] == '"' || text[end] == '\''))
        quote = text[end];
    }
    if (end >= text.size()) return fail(Exit::usage, "-o jsonpath: a closing brace is missing");
    const auto inside = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    JsonPathReader reader(inside);
    auto literal = reader.quoted();
    if (!literal) return tl::make_unexpected(literal.error());
    if (*literal) {
      out.parts_.push_back({.kind = Part::Kind::text, .text = std::move(**literal)});
    } else if (reader.take("end") && reader.at_end()) {
      if (open.empty()) return fail(Exit::usage, "-o jsonpath: {end} without {range …}");
      out.parts_[open.back()].end = out.parts_.size();
      open.pop_back();
    } else if (inside.starts_with("range ")) {
      if (open.size() >= most_nested) return fail(Exit::usage, "-o jsonpath: ranges are nested too deeply");
      auto path = JsonPath::parse(inside.substr(6));
      if (!path) return tl::make_unexpected(path.error());
      open.push_back(out.parts_.size());
      out.parts_.push_back({.kind = Part::Kind::range, .path = std::move(*path)});
    } else {
      auto path = JsonPath::parse(inside);
      if (!path) return tl::make_unexpected(path.error());
      out.parts_.push_back({.kind = Part::Kind::path, .path = std::move(*path)});
    }
  }
  if (!open.empty()) return fail(Exit::usage, "-o jsonpath: {range …} without {end}");
  return out;
}

std::string JsonTemplate::fill(const Json& document) const {
  std::string out;
  fill(document, 0, parts_.size(), out);
  return out;
}

void JsonTemplate::fill(const Json& document, std::size_t from, std::size_t to, std::string& out) const {
  for (std::size_t i = from; i < to; ++i) {
    const Part& part = parts_[i];
    if (part.kind == Part::Kind::text) {
      out += part.text;
      continue;
    }
    const auto values = part.path.find(document);
    if (part.kind == Part::Kind::range) {
      for (const Json* value : values) fill(*value, i + 1, part.end, out);
      i = part.end - 1;
      continue;
    }
    for (std::size_t v = 0; v < values.size(); ++v) (out += v == 0 ? "" : " ") += value_text(*values[v]);
  }
}

Expected<CustomColumns> CustomColumns::parse(std::string_view text) {
  CustomColumns out;
  while (!text.empty()) {
    std::size_t end = 0; // a comma within brackets is the path's
    for (int depth = 0; end < text.size() && (depth > 0 || text[end] != ','); ++end)
      depth += text[end] == '[' ? 1 : text[end] == ']' ? -1 : 0;
    const auto column = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto colon = column.find(':');
    if (colon == std::string_view::npos || colon == 0)
      return fail(Exit::usage, "-o custom-columns: \"" + printable(column) + "\" is not HEADER:PATH");
    auto path = JsonPath::parse(column.substr(colon + 1));
    if (!path) return tl::make_unexpected(path.error());
    out.header.emplace_back(column.substr(0, colon));
    out.paths.push_back(std::move(*path));
  }
  if (out.header.empty())
    return fail(Exit::usage, "-o custom-columns needs columns: custom-columns=NAME:.metadata.name,IP:.spec.clusterIP");
  return out;
}

std::vector<std::string> CustomColumns::row(const Json& object) const {
  std::vector<std::string> out;
  for (const JsonPath& path : paths) {
    std::string cell;
    for (const Json* value : path.find(object)) (cell += cell.empty() ? "" : ",") += value_text(*value);
    out.push_back(cell.empty() ? "<none>" : std::move(cell));
  }
  return out;
}

} // namespace signpost::cli
