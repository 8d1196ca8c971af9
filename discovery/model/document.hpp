// Builds a Json value from nlohmann's parser events, with what the library's own builder does not do: a bound on
// depth, and duplicate keys noted with their path. Private to this room.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "discovery/model/json.hpp"

namespace signpost::model {

class DocumentBuilder {
public:
  using number_integer_t = Json::number_integer_t;
  using number_unsigned_t = Json::number_unsigned_t;
  using number_float_t = Json::number_float_t;
  using string_t = Json::string_t;
  using binary_t = Json::binary_t;

  explicit DocumentBuilder(std::size_t depth, DecodeNotes* notes = nullptr) : max_depth_(depth), notes_(notes) {}

  // The parser's events; false stops it.
  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(number_integer_t value) { return add(value); }
  bool number_unsigned(number_unsigned_t value) { return add(value); }
  bool number_float(number_float_t value, const string_t&) { return add(value); }
  bool string(string_t& value) { return add(std::move(value)); }
  bool binary(binary_t&) { return false; }
  bool start_object(std::size_t) { return open(Json::object()); }
  bool start_array(std::size_t) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(string_t& name);
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
    position_ = position;
    return false;
  }

  /// Containers that are open.
  [[nodiscard]] std::size_t depth() const { return open_.size(); }
  [[nodiscard]] bool too_deep() const { return too_deep_; }
  /// Bytes read when the text turned out to be wrong.
  [[nodiscard]] std::size_t position() const { return position_; }

  /// What has been built so far.
  [[nodiscard]] const Json& root() const { return root_; }

  /// The whole value, once the parser is through; the builder is then as new.
  [[nodiscard]] Json take();

private:
  struct Level {
    Json* container;
    Json* slot = nullptr; // of an object: where the value of the last key goes
    std::string key;      // of an object, kept for paths
  };

  template <class T>
  bool add(T&& value) {
    return place(Json(std::forward<T>(value))) != nullptr;
  }
  Json* place(Json value);
  bool open(Json container);
  bool close();
  void note_duplicate(const std::string& name);

  Json root_;
  std::vector<Level> open_;
  std::size_t max_depth_;
  DecodeNotes* notes_;
  std::size_t duplicates_ = 0;
  bool too_deep_ = false;
  std::size_t position_ = 0;
};

/// Go's text for what is wrong with a JSON text ("unexpected end of JSON input", "invalid character 'x' after …"), and
/// where (bytes from the start). Called only for texts that the parser refused.
struct SyntaxError {
  std::string message;
  std::size_t offset;
};
[[nodiscard]] SyntaxError syntax_error(std::string_view text, std::size_t max_depth);

} // namespace signpost::model
