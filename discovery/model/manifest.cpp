#include "discovery/model/manifest.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "discovery/model/document.hpp"
#include "discovery/model/manifest_text.hpp"
#include "discovery/model/yaml.hpp"

namespace signpost::model {
namespace {

using Each = std::function<tl::expected<void, ManifestError>(Json&& object)>;

std::string_view string_member(const Json& json, const char* name) {
  auto const found = json.find(name);
  if (found == json.end() || !found->is_string()) return {};
  return found->get_ref<const std::string&>();
}

/// Where something stands: a line from 1 (0: unknown), and in a list of JSON the element's number.
struct Place {
  std::size_t line = 0;
  std::optional<std::size_t> item;
};

// Turns documents and list items into objects: flattens lists, gives items of typed lists their kind, checks, and
// hands them on. Holds items back only while a typed list has not yet said of what it is one.
class Objects {
public:
  Objects(std::string_view source, const Each& each) : source_(source), each_(each) {}

  bool item(Json&& item, const Json& head, Place place) {
    ++items_;
    bool const own_kind = item.is_object() && !string_member(item, "kind").empty();
    if (!held_.empty() || (!own_kind && string_member(head, "kind").empty())) {
      held_.emplace_back(std::move(item), place);
      return true;
    }
    return list_item(std::move(item), head, place);
  }

  bool document(Json&& document, Place place) {
    for (auto& [item, where] : held_) {
      if (!list_item(std::move(item), document, where)) return false;
    }
    held_.clear();
    bool const streamed = std::exchange(items_, 0) > 0;
    documents_ += streamed || !document.is_null();
    if (streamed || document.is_null()) return true;
    return object(std::move(document), place, 0);
  }

  bool fail(Place place, const std::string& what) {
    error_ = ManifestError{located(place) + ": " + what};
    return false;
  }

  [[nodiscard]] tl::expected<std::size_t, ManifestError> result() && {
    if (error_) return tl::unexpected(std::move(*error_));
    return documents_;
  }

private:
  [[nodiscard]] std::string located(Place place) const {
    std::string text(source_);
    if (place.line > 0) text += ':' + std::to_string(place.line);
    if (place.item) text += ": items[" + std::to_string(*place.item) + ']';
    return text;
  }

  bool list_item(Json&& item, const Json& head, Place place, int depth = 0) {
    auto const list_kind = string_member(head, "kind");
    if (item.is_object() && list_kind.size() > 4 && list_kind.ends_with("List")) {
      if (string_member(item, "kind").empty()) item["kind"] = list_kind.substr(0, list_kind.size() - 4);
      if (string_member(item, "apiVersion").empty()) item["apiVersion"] = string_member(head, "apiVersion");
    }
    return object(std::move(item), place, depth + 1);
  }

  bool object(Json&& json, Place place, int depth) {
    if (!json.is_object()) {
      return fail(place, std::string("an object was expected, not ") + article(json) + json.type_name() +
                             "; it begins with apiVersion, kind and metadata");
    }
    std::string_view const kind = string_member(json, "kind");
    if (kind.empty()) return fail(place, "the object has no kind; add for example \"kind: Service\"");
    if (string_member(json, "apiVersion").empty()) {
      return fail(place, "the " + std::string(kind) + " has no apiVersion; add for example \"apiVersion: v1\"");
    }
    if (kind.ends_with("List")) return list(std::move(json), place, depth);
    auto given = each_(std::move(json));
    if (given) return true;
    auto& message = given.error().message;
    auto const prefix = std::string(source_) + ": ";
    if (message.starts_with(prefix)) message = located(place) + ": " + message.substr(prefix.size());
    error_ = std::move(given.error());
    return false;
  }

  bool list(Json&& json, Place place, int depth) {
    constexpr int max_lists = 8;
    if (depth > max_lists) return fail(place, "lists within lists within lists; flatten them");
    auto const items = json.find("items");
    if (items == json.end() || items->is_null()) return true;
    if (!items->is_array()) return fail(place, "items is not a list");
    Json elements = std::move(*items);
    for (auto& element : elements) {
      if (!list_item(std::move(element), json, place, depth)) return false;
    }
    return true;
  }

  static std::string article(const Json& json) { return json.is_array() ? "an " : json.is_null() ? "" : "a "; }

  std::string_view source_;
  const Each& each_;
  std::vector<std::pair<Json, Place>> held_;
  std::size_t items_ = 0;     // of the document that is being read
  std::size_t documents_ = 0; // that are not empty
  std::optional<ManifestError> error_;
};

class YamlObjects : public YamlSink {
public:
  YamlObjects(Objects& objects, std::size_t lines_before) : objects_(objects), lines_before_(lines_before) {}
  bool item(Json&& item, const Json& head, std::size_t line) override {
    return objects_.item(std::move(item), head, {lines_before_ + line, std::nullopt});
  }
  bool document(Json&& document, std::size_t line) override {
    return objects_.document(std::move(document), {lines_before_ + line, std::nullopt});
  }

private:
  Objects& objects_;
  std::size_t lines_before_;
};

// Parser events of one JSON document: what belongs to an element of the root's `items` builds that element, which is
// handed on when it is complete; everything else builds the document.
class JsonObjects {
public:
  using number_integer_t = Json::number_integer_t;
  using number_unsigned_t = Json::number_unsigned_t;
  using number_float_t = Json::number_float_t;
  using string_t = Json::string_t;
  using binary_t = Json::binary_t;

  JsonObjects(Objects& objects, std::size_t line, std::size_t depth)
      : objects_(objects), line_(line), head_(depth), item_(depth) {}

  bool null() {
    return value([](auto& to) { return to.null(); });
  }
  bool boolean(bool flag) {
    return value([=](auto& to) { return to.boolean(flag); });
  }
  bool number_integer(number_integer_t number) {
    return value([=](auto& to) { return to.number_integer(number); });
  }
  bool number_unsigned(number_unsigned_t number) {
    return value([=](auto& to) { return to.number_unsigned(number); });
  }
  bool number_float(number_float_t number, const string_t& text) {
    return value([&](auto& to) { return to.number_float(number, text); });
  }
  bool string(string_t& text) {
    return value([&](auto& to) { return to.string(text); });
  }
  bool binary(binary_t&) { return false; }
  bool start_object(std::size_t size) {
    return value([=](auto& to) { return to.start_object(size); });
  }
  bool end_object() {
    return value([](auto& to) { return to.end_object(); });
  }
  bool key(string_t& name) {
    if (in_items_) return item_.key(name);
    items_next_ = head_.depth() == 1 && name == "items";
    return head_.key(name);
  }
  bool start_array(std::size_t size) {
    if (std::exchange(items_next_, false)) {
      in_items_ = true;
      return head_.start_array(size);
    }
    return value([=](auto& to) { return to.start_array(size); });
  }
  bool end_array() {
    if (in_items_ && item_.depth() == 0) {
      in_items_ = false;
      return head_.end_array();
    }
    return value([](auto& to) { return to.end_array(); });
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) { return false; }

  bool finish() { return objects_.document(head_.take(), {line_, std::nullopt}); }
  /// The reading ended because the objects' receiver wanted it so.
  [[nodiscard]] bool refused() const { return refused_; }

private:
  template <class Event>
  bool value(Event&& event) {
    items_next_ = false;
    if (!in_items_) return event(head_);
    if (!event(item_)) return false;
    if (item_.depth() > 0) return true;
    if (objects_.item(item_.take(), head_.root(), {line_, count_++})) return true;
    refused_ = true;
    return false;
  }

  Objects& objects_;
  std::size_t line_;
  DocumentBuilder head_, item_;
  bool items_next_ = false;
  bool in_items_ = false;
  bool refused_ = false;
  std::size_t count_ = 0;
};

// One past the bracket that closes the first one; the whole text if nothing does.
std::size_t json_end(std::string_view text) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
    case '{':
    case '[': ++depth; break;
    case '}':
    case ']':
      if (--depth == 0) return i + 1;
      break;
    case '"':
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\') ++i;
      }
      break;
    default: break;
    }
  }
  return text.size();
}

// Blanks from `ahead` octets on.
std::size_t count_blanks(ManifestText& text, std::size_t ahead) {
  auto const blank = [](int octet) { return octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n'; };
  std::size_t count = 0;
  while (blank(text.peek(ahead + count))) ++count;
  return count;
}

// A mapping with quoted keys, or none; {a: b} is YAML.
bool looks_like_json(ManifestText& text, std::size_t ahead) {
  if (text.peek(ahead) != '{') return false;
  ++ahead;
  int const next = text.peek(ahead + count_blanks(text, ahead));
  return next == ManifestText::end || next == '"' || next == '}';
}

bool read_json_document(ManifestText& text, Objects& objects) {
  JsonLimits const limits;
  std::size_t const start = text.offset(), line = text.line();
  JsonObjects handler(objects, line, limits.depth);
  try {
    ManifestText::Iterator const begin(text), end;
    // Not strict: the parser stops behind the bracket that closes the document, where the next one may begin.
    if (Json::sax_parse(begin, end, &handler, Json::input_format_t::json, false)) return handler.finish();
  } catch (const std::exception& error) { // out of memory
    return objects.fail({line, std::nullopt}, error.what());
  }
  if (handler.refused() || text.error() != 0) return false;
  auto const again = text.from(start);
  auto const document = std::string_view(again).substr(0, json_end(again));
  auto const wrong = syntax_error(document, limits.depth);
  auto const offset = std::min(wrong.offset, document.size());
  auto const lines = std::count(document.begin(), document.begin() + static_cast<std::ptrdiff_t>(offset), '\n');
  return objects.fail({line + static_cast<std::size_t>(lines), std::nullopt}, "not JSON: " + wrong.message);
}

void read_all(ManifestText& text, Objects& objects) {
  if (text.peek(0) == 0xef && text.peek(1) == 0xbb && text.peek(2) == 0xbf) text.skip(3);
  while (true) {
    auto const blanks = count_blanks(text, 0);
    if (text.peek(blanks) == ManifestText::end) return;
    if (!looks_like_json(text, blanks)) break;
    text.skip(blanks);
    if (!read_json_document(text, objects)) return;
  }
  auto const lines_before = text.line() - 1;
  auto const rest = text.rest();
  if (text.error() != 0) return;
  YamlObjects sink(objects, lines_before);
  auto const read = read_yaml(rest, {}, true, sink);
  if (!read) objects.fail({lines_before + read.error().line, std::nullopt}, "not YAML: " + read.error().message);
}

tl::expected<std::string, int> read_descriptor(int descriptor) {
  constexpr std::size_t piece = 64 * 1024;
  std::string text;
  while (true) {
    auto const size = text.size();
    text.resize(size + piece);
    ssize_t const got = read(descriptor, text.data() + size, piece);
    int const error = errno;
    text.resize(size + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return text;
    if (got < 0 && error != EINTR) return tl::unexpected(error);
  }
}

std::string source_name(const std::string& path) { return path == "-" ? "standard input" : path; }

ManifestError unreadable(const std::string& path, int error) {
  return {source_name(path) + ": cannot be read: " + std::strerror(error)};
}

class Descriptor {
public:
  explicit Descriptor(const std::string& path)
      : standard_input_(path == "-"),
        number_(standard_input_ ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (!standard_input_ && number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool standard_input() const { return standard_input_; }

private:
  bool standard_input_;
  int number_;
};

bool written_between(const struct stat& before, const struct stat& after) {
  return before.st_size != after.st_size || before.st_mtim.tv_sec != after.st_mtim.tv_sec ||
         before.st_mtim.tv_nsec != after.st_mtim.tv_nsec;
}

} // namespace

tl::expected<std::size_t, ManifestError> read_manifest(std::string_view text, std::string_view source, const Each& each) {
  Objects objects(source, each);
  ManifestText whole(text);
  read_all(whole, objects);
  return std::move(objects).result();
}

tl::expected<std::size_t, ManifestError> read_manifest_file(const std::string& path, const Each& each) {
  Descriptor const descriptor(path);
  struct stat before {};
  if (descriptor.number() < 0 || fstat(descriptor.number(), &before) != 0)
    return tl::unexpected(unreadable(path, errno));
  if (descriptor.standard_input() || !S_ISREG(before.st_mode)) { // can be read once only
    auto const text = read_descriptor(descriptor.number());
    if (!text) return tl::unexpected(unreadable(path, text.error()));
    return read_manifest(*text, source_name(path), each);
  }
  Objects objects(path, each);
  ManifestText text(descriptor.number());
  read_all(text, objects);
  if (text.error() != 0) return tl::unexpected(unreadable(path, text.error()));
  struct stat after {};
  if (fstat(descriptor.number(), &after) == 0 && written_between(before, after))
    return tl::unexpected(
        ManifestError{path + ": was written to while it was read; put the new file in its place by renaming"});
  return std::move(objects).result();
}

} // namespace signpost::model
