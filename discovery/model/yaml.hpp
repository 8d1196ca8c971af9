// YAML in and out of Json: yaml-cpp's events become values, plain scalars by the rules kubectl has (YAML 1.1).
//
// Bounded: nesting, and what anchors and aliases may expand to. Private to this room; pure functions.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "discovery/model/json.hpp"

namespace signpost::model {

struct YamlError {
  std::string message; // without place
  std::size_t line;    // from 1
};

/// Receives what is read, in order; false stops the reading.
class YamlSink {
public:
  virtual ~YamlSink() = default;
  /// An element of the sequence `items` of a document that is a mapping; `head` is what was read of it so far.
  virtual bool item(Json&& item, const Json& head, std::size_t line) = 0;
  /// A whole document (its items, if given to item(), are no longer in it).
  virtual bool document(Json&& document, std::size_t line) = 0;
};

/// Reads all documents of a stream. `stream_items`: give the elements of `items` one by one.
[[nodiscard]] tl::expected<void, YamlError> read_yaml(std::string_view text, const JsonLimits& limits,
                                                      bool stream_items, YamlSink& sink);

/// What a plain (unquoted) scalar means: null, bool, number or string.
[[nodiscard]] Json plain_scalar(const std::string& text);

} // namespace signpost::model
