#include <charconv>

#include "discovery/model/fields.hpp"
#include "discovery/model/json.hpp"
#include "discovery/model/text.hpp"

namespace signpost::model {
namespace {

template <Structure T>
void write(std::string& out, const T& value);
template <class T>
void write(std::string& out, const std::vector<T>& values);

void write(std::string& out, const std::string& text) { append_json_string(out, text); }

void write(std::string& out, bool flag) { out += flag ? "true" : "false"; }

template <class Integer>
requires(std::is_same_v<Integer, std::int32_t> || std::is_same_v<Integer, std::int64_t>) void write(std::string& out,
                                                                                                    Integer number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void write(std::string& out, const IntOrString& value) {
  std::visit([&](const auto& alternative) { write(out, alternative); }, value.value);
}

void write(std::string& out, const std::map<std::string, std::string>& values) {
  char separator = '{';
  for (const auto& [key, value] : values) {
    out += separator;
    append_json_string(out, key);
    out += ':';
    append_json_string(out, value);
    separator = ',';
  }
  if (separator == '{') out += '{';
  out += '}';
}

template <class T>
void write(std::string& out, const std::optional<T>& value) {
  write(out, *value);
}

template <class T>
void write(std::string& out, const std::vector<T>& values) {
  char separator = '[';
  for (const auto& value : values) {
    out += separator;
    write(out, value);
    separator = ',';
  }
  if (separator == '[') out += '[';
  out += ']';
}

template <class T>
bool is_empty(const T& value) {
  if constexpr (Structure<T>)
    return false;
  else if constexpr (requires { value.has_value(); })
    return !value.has_value();
  else if constexpr (requires { value.empty(); })
    return value.empty();
  else
    return value == T{};
}

template <class Owner, class Member>
void write_field(std::string& out, char& separator, const Field<Owner, Member>& field, const Owner& owner) {
  const auto& value = owner.*field.member;
  if (field.omit == Omit::empty && is_empty(value)) return;
  out += separator;
  out += '"';
  out += field.name;
  out += "\":";
  write(out, value);
  separator = ',';
}

template <Structure T>
void write_fields(std::string& out, char& separator, const T& value) {
  std::apply([&](const auto&... fields) { (write_field(out, separator, fields, value), ...); }, Schema<T>::fields);
  if constexpr (Open<T>) {
    for (const auto& [name, json] : value.*Schema<T>::others) {
      out += separator;
      append_json_string(out, name);
      out += ':';
      out += json;
      separator = ',';
    }
  }
}

template <Structure T>
void write(std::string& out, const T& value) {
  char separator = '{';
  write_fields(out, separator, value);
  if (separator == '{') out += '{';
  out += '}';
}

} // namespace

void encode(const Object& object, std::string& out) {
  const auto& kind = info(kind_of(object));
  out += "{\"kind\":\"";
  out += kind.name;
  out += "\",\"apiVersion\":\"";
  out += kind.api_version();
  out += '"';
  char separator = ',';
  std::visit([&](const auto& alternative) { write_fields(out, separator, alternative); }, object);
  out += '}';
}

void encode(const AccessReviewSpec& spec, std::string& out) { write(out, spec); }

std::string encode(const Object& object) {
  std::string out;
  encode(object, out);
  return out;
}

} // namespace signpost::model
