#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <istream>
#include <map>
#include <streambuf>

#include "discovery/model/manifest.hpp"
#include "discovery/model/yaml.hpp"

namespace signpost::model {
namespace {

// What anchors may be copied to in all, counted as nodes and 16-byte pieces of text. A manifest that uses anchors by
// hand stays below a thousand.
constexpr std::size_t max_copied = 1 << 18;

struct Stopped {};

class TextBuffer : public std::streambuf {
public:
  explicit TextBuffer(std::string_view text) {
    char* const begin = const_cast<char*>(text.data()); // only read through
    setg(begin, begin, begin + text.size());
  }
};

std::size_t weight(const Json& json) {
  std::size_t sum = 1;
  if (const auto* const text = json.get_ptr<const std::string*>()) return sum + text->size() / 16;
  for (const auto& member : json.items())
    sum += json.is_structured() ? weight(member.value()) + member.key().size() / 16 : 0;
  return sum;
}

class Events : public YAML::EventHandler {
public:
  Events(const JsonLimits& limits, bool stream_items, YamlSink& sink)
      : limits_(limits), stream_items_(stream_items), sink_(sink) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    // yaml-cpp makes empty documents without end of a token that can begin none ("a: b\n]").
    if (mark.pos == last_start_) fail(mark, "this belongs to no value; is it indented wrongly, or a bracket too many?");
    last_start_ = mark.pos;
    open_.clear();
    anchors_.clear();
    line_ = line_of(mark);
    root_ = nullptr;
  }
  void OnDocumentEnd() override {
    if (!sink_.document(std::move(root_), line_)) throw Stopped{};
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(nullptr, anchor, mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto const found = anchors_.find(anchor);
    if (found == anchors_.end()) fail(mark, "an alias stands inside of what it refers to");
    charge(found->second, mark);
    add(Json(found->second), YAML::NullAnchor, mark);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    bool const key_wanted = !open_.empty() && open_.back().container.is_object() && !open_.back().has_key;
    if (key_wanted && tag == "?" && value == "<<") {
      open_.back().merging = true;
      open_.back().has_key = true;
      return;
    }
    bool const text = tag == "!" || tag == "tag:yaml.org,2002:str" || tag == "tag:yaml.org,2002:binary";
    add(text ? Json(value) : plain_scalar(value), anchor, mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Json::array(), anchor, mark);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Json::object(), anchor, mark);
  }
  void OnMapEnd() override { close(); }

private:
  struct Level {
    Json container;
    YAML::anchor_t anchor;
    YAML::Mark mark;
    std::string key;
    bool has_key = false;
    bool merging = false; // the key is <<
    Json merges = nullptr;
  };

  static std::size_t line_of(const YAML::Mark& mark) { return static_cast<std::size_t>(std::max(mark.line, 0)) + 1; }
  [[noreturn]] static void fail(const YAML::Mark& mark, const std::string& what) {
    throw YAML::ParserException(mark, what);
  }

  void charge(const Json& json, const YAML::Mark& mark) {
    copied_ += weight(json);
    if (copied_ > max_copied) fail(mark, "anchors and aliases expand to too much; write the values out");
  }

  void open(Json container, YAML::anchor_t anchor, const YAML::Mark& mark) {
    if (open_.size() >= limits_.depth) fail(mark, "nested deeper than " + std::to_string(limits_.depth) + " levels");
    if (!open_.empty() && open_.back().container.is_object() && !open_.back().has_key) {
      fail(mark, "a key must be a string, not a list or mapping");
    }
    if (open_.empty()) line_ = line_of(mark);
    open_.push_back({std::move(container), anchor, mark, {}, false, false, nullptr});
  }

  void close() {
    Level level = std::move(open_.back());
    open_.pop_back();
    merge(level);
    add(std::move(level.container), level.anchor, level.mark);
  }

  // Keys of the mapping itself win over merged ones, earlier merged ones over later ones.
  static void merge(Level& level) {
    if (level.merges.is_null()) return;
    auto const merge_one = [&](const Json& from) {
      if (!from.is_object()) fail(level.mark, "<< takes a mapping or a list of mappings");
      for (const auto& member : from.items()) level.container.emplace(member.key(), member.value());
    };
    if (level.merges.is_array()) {
      for (const auto& from : level.merges) merge_one(from);
    } else {
      merge_one(level.merges);
    }
  }

  // The elements of the root's `items` go out one by one.
  [[nodiscard]] bool in_items() const {
    return stream_items_ && open_.size() == 2 && open_[1].container.is_array() && open_[1].anchor == YAML::NullAnchor &&
           open_[0].container.is_object() && open_[0].key == "items";
  }

  void add(Json value, YAML::anchor_t anchor, const YAML::Mark& mark) {
    if (anchor != YAML::NullAnchor) {
      charge(value, mark);
      anchors_[anchor] = value;
    }
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    if (in_items()) {
      if (!sink_.item(std::move(value), open_[0].container, line_of(mark))) throw Stopped{};
      return;
    }
    auto& level = open_.back();
    if (level.container.is_array()) {
      level.container.push_back(std::move(value));
    } else if (!level.has_key) {
      set_key(level, value, mark);
    } else if (level.merging) {
      level.merges = std::move(value);
      level.merging = level.has_key = false;
    } else {
      level.container[level.key] = std::move(value);
      level.has_key = false;
    }
  }

  static void set_key(Level& level, const Json& key, const YAML::Mark& mark) {
    if (key.is_structured()) fail(mark, "a key must be a string, not a list or mapping");
    level.key = key.is_string() ? key.get<std::string>() : key.dump();
    level.has_key = true;
    if (level.container.contains(level.key)) fail(mark, "key \"" + level.key + "\" already set in map");
  }

  JsonLimits limits_;
  bool stream_items_;
  YamlSink& sink_;
  std::vector<Level> open_;
  std::map<YAML::anchor_t, Json> anchors_;
  Json root_;
  std::size_t line_ = 1;
  std::size_t copied_ = 0;
  int last_start_ = -1;
};

class OneDocument : public YamlSink {
public:
  bool item(Json&&, const Json&, std::size_t) override { return false; }
  bool document(Json&& document, std::size_t line) override {
    if (found_) {
      second_line_ = line;
      return false;
    }
    found_ = true;
    value_ = std::move(document);
    return true;
  }
  bool found_ = false;
  std::size_t second_line_ = 0;
  Json value_;
};

} // namespace

tl::expected<void, YamlError> read_yaml(std::string_view text, const JsonLimits& limits, bool stream_items,
                                        YamlSink& sink) {
  try {
    TextBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    Events events(limits, stream_items, sink);
    while (parser.HandleNextDocument(events)) {
    }
  } catch (const Stopped&) {
    return {};
  } catch (const YAML::Exception& error) {
    return tl::unexpected(YamlError{error.msg, static_cast<std::size_t>(std::max(error.mark.line, 0)) + 1});
  } catch (const std::exception& error) { // out of memory
    return tl::unexpected(YamlError{error.what(), 1});
  }
  return {};
}

tl::expected<Json, DecodeError> parse_yaml(std::string_view text, const JsonLimits& limits) {
  OneDocument one;
  auto const read = read_yaml(text, limits, false, one);
  if (!read) {
    return tl::unexpected(DecodeError{"yaml: line " + std::to_string(read.error().line) + ": " + read.error().message});
  }
  if (one.second_line_ != 0) {
    return tl::unexpected(DecodeError{"yaml: line " + std::to_string(one.second_line_) + ": a second document"});
  }
  return std::move(one.value_);
}

} // namespace signpost::model
