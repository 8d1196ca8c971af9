#include "discovery/model/manifest.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "discovery/model/document.hpp"
#include "discovery/model/yaml.hpp"

namespace signpost::model {
namespace {

using Each = std::function<tl::expected<void, ManifestError>(Json&& object)>;

std::string_view string_member(const Json& json, const char* name) {
  auto const found = json.find(name);
  if (found == json.end() || !found->is_string()) return {};
  return found->get_ref<const std::string&>();
}

std::string_view skip_blanks(std::string_view text) {
  text.remove_prefix(std::min(text.size(), text.find_first_not_of(" \t\r\n")));
  return text;
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
    if (streamed || document.is_null()) return true;
    return object(std::move(document), place, 0);
  }

  bool fail(Place place, const std::string& what) {
    error_ = ManifestError{located(place) + ": " + what};
    return false;
  }

  [[nodiscard]] tl::expected<void, ManifestError> result() && {
    if (error_) return tl::unexpected(std::move(*error_));
    return {};
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
  std::size_t items_ = 0;
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

// A mapping with quoted keys, or none; {a: b} is YAML.
bool looks_like_json(std::string_view text) {
  if (!text.starts_with('{')) return false;
  text = skip_blanks(text.substr(1));
  return text.empty() || text.front() == '"' || text.front() == '}';
}

bool read_json_document(std::string_view text, std::size_t line, Objects& objects) {
  JsonLimits const limits;
  JsonObjects handler(objects, line, limits.depth);
  try {
    if (Json::sax_parse(text.begin(), text.end(), &handler)) return handler.finish();
  } catch (const std::exception& error) { // out of memory
    return objects.fail({line, std::nullopt}, error.what());
  }
  if (handler.refused()) return false;
  auto const wrong = syntax_error(text, limits.depth);
  auto const offset = std::min(wrong.offset, text.size());
  auto const lines = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n');
  return objects.fail({line + static_cast<std::size_t>(lines), std::nullopt}, "not JSON: " + wrong.message);
}

void read_all(std::string_view text, Objects& objects) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  std::size_t line = 1;
  auto const advance = [&](std::size_t count) {
    line += static_cast<std::size_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(count), '\n'));
    text.remove_prefix(count);
  };
  while (true) {
    auto const rest = skip_blanks(text);
    if (rest.empty()) return;
    if (!looks_like_json(rest)) break;
    advance(text.size() - rest.size());
    auto const end = json_end(text);
    if (!read_json_document(text.substr(0, end), line, objects)) return;
    advance(end);
  }
  YamlObjects sink(objects, line - 1);
  auto const read = read_yaml(text, {}, true, sink);
  if (!read) objects.fail({line - 1 + read.error().line, std::nullopt}, "not YAML: " + read.error().message);
}

tl::expected<std::string, std::string> read_descriptor(int descriptor) {
  constexpr std::size_t piece = 256 * 1024;
  std::string text;
  struct stat status {};
  if (fstat(descriptor, &status) == 0 && status.st_size > 0)
    text.reserve(static_cast<std::size_t>(status.st_size) + piece); // in one go: doubling would double the peak
  while (true) {
    auto const size = text.size();
    text.resize(size + piece);
    ssize_t const got = read(descriptor, text.data() + size, piece);
    int const error = errno;
    text.resize(size + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return text;
    if (got < 0 && error != EINTR) return tl::unexpected(std::string(std::strerror(error)));
  }
}

std::string source_name(const std::string& path) { return path == "-" ? "standard input" : path; }

} // namespace

tl::expected<void, ManifestError> read_manifest(std::string_view text, std::string_view source, const Each& each) {
  Objects objects(source, each);
  read_all(text, objects);
  return std::move(objects).result();
}

tl::expected<std::string, ManifestError> read_manifest_text(const std::string& path) {
  bool const standard_input = path == "-";
  int const descriptor = standard_input ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return tl::unexpected(ManifestError{path + ": cannot be read: " + std::strerror(errno)});
  auto text = read_descriptor(descriptor);
  if (!standard_input) close(descriptor);
  if (text) return std::move(*text);
  return tl::unexpected(ManifestError{source_name(path) + ": cannot be read: " + text.error()});
}

tl::expected<void, ManifestError> read_manifest_file(const std::string& path, const Each& each) {
  auto const text = read_manifest_text(path);
  if (!text) return tl::unexpected(text.error());
  return read_manifest(*text, source_name(path), each);
}

} // namespace signpost::model
