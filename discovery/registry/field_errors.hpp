// Collects what is wrong with an object's fields, in kube-apiserver's words, for one 422 answer that names them all.
//
// Each function appends one Cause: its reason (FieldValueInvalid, …), its sentence, the field's path.
// Plain data; no thread rules.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "discovery/registry/status.hpp"

namespace signpost::registry {

/// In double quotes, escaped as Go's %q and JSON do for the characters that occur in fields.
[[nodiscard]] std::string quoted(std::string_view text);
/// ["a","b"]
[[nodiscard]] std::string quoted(const std::vector<std::string>& list);

/// "spec.ports[3].name" from ("spec.ports", 3, "name"); an empty child is left out.
[[nodiscard]] std::string item(std::string_view list, std::size_t index, std::string_view child = {});

class FieldErrors {
public:
  void required(std::string field, std::string_view detail = {});
  /// `value` as it stands in the sentence: quoted text, a number, JSON.
  void invalid(std::string field, std::string_view value, std::string_view detail);
  void invalid_text(std::string field, std::string_view text, std::string_view detail) {
    invalid(std::move(field), quoted(text), detail);
  }
  void unsupported(std::string field, std::string_view value, std::initializer_list<std::string_view> supported);
  void forbidden(std::string field, std::string_view detail);
  void duplicate(std::string field, std::string_view value);
  void too_long(std::string field, std::size_t most);
  void too_many(std::string field, std::size_t count, std::size_t most);

  [[nodiscard]] bool empty() const { return causes_.empty(); }
  /// At most some 64 KiB of them, and how many more there are: who sends a list of 40,000 bad items is not told of
  /// each.
  [[nodiscard]] std::vector<Cause> take();

private:
  void add(const char* reason, std::string message, std::string field);

  std::vector<Cause> causes_;
  std::size_t size_ = 0;   // octets of their texts
  std::size_t unsaid_ = 0; // further ones
};

} // namespace signpost::registry
