#include "discovery/registry/field_errors.hpp"

#include <utility>

namespace signpost::registry {

std::string quoted(std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default:
      if (const auto byte = static_cast<unsigned char>(c); byte < 0x20 || byte == 0x7f) {
        out.append("\\x").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
      } else {
        out += c;
      }
    }
  }
  return out += '"';
}

std::string quoted(const std::vector<std::string>& list) {
  std::string out = "[";
  for (const std::string& text : list) {
    if (out.size() > 1) out += ',';
    out += quoted(text);
  }
  return out += ']';
}

std::string item(std::string_view list, std::size_t index, std::string_view child) {
  std::string out(list);
  out.append("[").append(std::to_string(index)).append("]");
  if (!child.empty()) out.append(".").append(child);
  return out;
}

void FieldErrors::add(const char* reason, std::string message, std::string field) {
  constexpr std::size_t most = 64 << 10, most_of_one = 4 << 10;
  if (size_ > most) {
    ++unsaid_;
    return;
  }
  for (std::string* text : {&message, &field})
    if (text->size() > most_of_one) text->replace(most_of_one, std::string::npos, "...");
  size_ += message.size() + field.size();
  causes_.push_back({reason, std::move(message), std::move(field)});
}

std::vector<Cause> FieldErrors::take() {
  if (unsaid_ > 0)
    causes_.push_back({"FieldValueTooMany", "Too many: " + std::to_string(unsaid_) + " further errors", "..."});
  size_ = unsaid_ = 0;
  return std::exchange(causes_, {});
}

void FieldErrors::required(std::string field, std::string_view detail) {
  std::string message = "Required value";
  if (!detail.empty()) message.append(": ").append(detail);
  add("FieldValueRequired", std::move(message), std::move(field));
}

void FieldErrors::invalid(std::string field, std::string_view value, std::string_view detail) {
  std::string message = "Invalid value: ";
  message.append(value).append(": ").append(detail);
  add("FieldValueInvalid", std::move(message), std::move(field));
}

void FieldErrors::unsupported(std::string field, std::string_view value,
                              std::initializer_list<std::string_view> supported) {
  std::string message = "Unsupported value: " + quoted(value) + ": supported values: ";
  bool first = true;
  for (const std::string_view one : supported) {
    if (!std::exchange(first, false)) message += ", ";
    message += quoted(one);
  }
  add("FieldValueNotSupported", std::move(message), std::move(field));
}

void FieldErrors::forbidden(std::string field, std::string_view detail) {
  add("FieldValueForbidden", "Forbidden: " + std::string(detail), std::move(field));
}

void FieldErrors::duplicate(std::string field, std::string_view value) {
  add("FieldValueDuplicate", "Duplicate value: " + std::string(value), std::move(field));
}

void FieldErrors::too_long(std::string field, std::size_t most) {
  add("FieldValueTooLong", "Too long: may not be more than " + std::to_string(most) + " bytes", std::move(field));
}

void FieldErrors::too_many(std::string field, std::size_t count, std::size_t most) {
  add("FieldValueTooMany",
      "Too many: " + std::to_string(count) + ": must have at most " + std::to_string(most) + " items",
      std::move(field));
}

} // namespace signpost::registry
