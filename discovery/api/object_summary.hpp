// The few facts about a stored object that routing it needs, read from its text without building the whole.
//
// A watch of a hundred namespaces must not decode every slice that passes; names and labels stand at the front of the
// text, and reading ends behind them. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace signpost::api {

struct ObjectSummary {
  std::string name_space, name, uid;
  std::map<std::string, std::string, std::less<>> labels;
  bool deleting = false; // has a deletionTimestamp
  /// Texts and truth values at the top and one level below, by path ("reason", "spec.clusterIP"); only from
  /// read_whole_summary().
  std::map<std::string, std::string, std::less<>> fields;
};

/// From metadata alone. What cannot be read stays empty.
[[nodiscard]] ObjectSummary read_summary(std::string_view json);
/// With the fields that field selectors may name.
[[nodiscard]] ObjectSummary read_whole_summary(std::string_view json);

} // namespace signpost::api
