#include <limits>
#include <nlohmann/json.hpp>

#include "discovery/model/delete_options.hpp"
#include "discovery/model/fields.hpp"
#include "discovery/model/json.hpp"
#include "discovery/model/time.hpp"

namespace signpost::model {
namespace {

constexpr std::size_t max_notes = 100; // as upstream: a hostile document cannot make an endless answer

// Where in the document the decoder is: a chain of frames on the stack, made into text only when something is wrong.
struct Place {
  const Place* parent = nullptr;
  std::string_view name;    // a member's; empty for an element
  std::size_t index = 0;    // an element's
  std::string_view go_name; // of the innermost struct
  bool in_map = false;      // Go's texts leave map keys out
};

struct Decoder {
  DecodeNotes* notes = nullptr;
  std::string error;
  std::size_t list_structs = 0;

  [[nodiscard]] bool failed() const { return !error.empty(); }
};

std::string go_path(const Place& place) {
  std::string path;
  for (const Place* at = &place; at->parent != nullptr; at = at->parent) {
    if (at->name.empty() || at->in_map) continue;
    path = path.empty() ? std::string(at->name) : std::string(at->name) + '.' + path;
  }
  return path;
}

std::string document_path(const Place& place) {
  std::string path;
  for (const Place* at = &place; at->parent != nullptr; at = at->parent) {
    if (at->name.empty()) {
      path = '[' + std::to_string(at->index) + ']' + (path.empty() || path.front() == '[' ? "" : ".") + path;
    } else {
      path = std::string(at->name) + (path.empty() || path.front() == '[' ? "" : ".") + path;
    }
  }
  return path;
}

std::string go_value(const Json& json) {
  switch (json.type()) {
  case Json::value_t::object: return "object";
  case Json::value_t::array: return "array";
  case Json::value_t::string: return "string";
  case Json::value_t::boolean: return "bool";
  case Json::value_t::null: return "null";
  default: return "number";
  }
}

void mismatch(Decoder& decoder, const Place& place, const std::string& value, const std::string& go_type) {
  if (decoder.failed()) return;
  auto const path = go_path(place);
  decoder.error = "json: cannot unmarshal " + value + " into Go " +
                  (path.empty() ? "value" : "struct field " + std::string(place.go_name) + '.' + path) + " of type " +
                  go_type;
}

void note_unknown(Decoder& decoder, const Place& place) {
  if (decoder.notes == nullptr || decoder.notes->unknown_fields.size() >= max_notes) return;
  decoder.notes->unknown_fields.push_back("unknown field \"" + document_path(place) + '"');
}

// The Go type of a member, as its error texts name it.
template <class T>
struct GoType {
  static std::string name(std::string_view leaf) {
    if (!leaf.empty()) return std::string(leaf);
    if constexpr (Structure<T>)
      return "v1." + std::string(Schema<T>::go_name);
    else if constexpr (std::is_same_v<T, bool>)
      return "bool";
    else if constexpr (std::is_same_v<T, std::int64_t>)
      return "int64";
    else if constexpr (std::is_same_v<T, std::string>)
      return "string";
    else
      return "int32";
  }
};
template <class T>
struct GoType<std::optional<T>> : GoType<T> {};
template <class T>
struct GoType<std::vector<T>> {
  static std::string name(std::string_view leaf) { return "[]" + GoType<T>::name(leaf); }
};
template <>
struct GoType<std::map<std::string, std::string>> {
  static std::string name(std::string_view) { return "map[string]string"; }
};

// How one value of the document becomes one member. Null leaves it unset, as in Go.
struct Leaf {
  std::string_view go_type;
  Form form = Form::plain;
};

template <Structure T>
void read(Decoder& decoder, const Json& json, T& out, const Place& place, Leaf leaf);

void read(Decoder& decoder, const Json& json, std::string& out, const Place& place, Leaf leaf) {
  const auto* const text = json.get_ptr<const std::string*>();
  if (text == nullptr) return mismatch(decoder, place, go_value(json), GoType<std::string>::name(leaf.go_type));
  if (leaf.form == Form::plain) {
    out = *text;
    return;
  }
  auto time = leaf.form == Form::time ? canonical_time(*text) : canonical_micro_time(*text);
  if (time) {
    out = std::move(*time);
  } else if (!decoder.failed()) {
    decoder.error = std::move(time.error());
  }
}

void read(Decoder& decoder, const Json& json, bool& out, const Place& place, Leaf) {
  const auto* const flag = json.get_ptr<const bool*>();
  if (flag == nullptr) return mismatch(decoder, place, go_value(json), "bool");
  out = *flag;
}

template <class Integer>
requires(std::is_same_v<Integer, std::int32_t> ||
         std::is_same_v<Integer, std::int64_t>) void read(Decoder& decoder, const Json& json, Integer& out,
                                                          const Place& place, Leaf) {
  using Limits = std::numeric_limits<Integer>;
  if (!json.is_number()) return mismatch(decoder, place, go_value(json), GoType<Integer>::name({}));
  bool fits = false;
  if (const auto* const natural = json.get_ptr<const Json::number_unsigned_t*>()) {
    fits = *natural <= static_cast<std::uint64_t>(Limits::max());
  } else if (const auto* const integer = json.get_ptr<const Json::number_integer_t*>()) {
    fits = *integer >= Limits::min() && *integer <= Limits::max();
  }
  if (!fits) return mismatch(decoder, place, "number " + json.dump(), GoType<Integer>::name({}));
  out = json.get<Integer>();
}

void read(Decoder& decoder, const Json& json, IntOrString& out, const Place& place, Leaf leaf) {
  if (const auto* const text = json.get_ptr<const std::string*>()) {
    out.value = *text;
    return;
  }
  std::int32_t number = 0;
  read(decoder, json, number, place, leaf);
  out.value = number;
}

template <class T>
void read(Decoder& decoder, const Json& json, std::optional<T>& out, const Place& place, Leaf leaf) {
  read(decoder, json, out.emplace(), place, leaf);
}

template <class T>
void read(Decoder& decoder, const Json& json, std::vector<T>& out, const Place& place, Leaf leaf) {
  const auto* const array = json.get_ptr<const Json::array_t*>();
  if (array == nullptr) return mismatch(decoder, place, go_value(json), GoType<std::vector<T>>::name(leaf.go_type));
  if constexpr (Structure<T>) {
    decoder.list_structs += array->size();
    if (decoder.list_structs > max_list_structs) {
      if (!decoder.failed()) decoder.error = "too many elements in " + document_path(place);
      return;
    }
  }
  out.clear();
  out.reserve(array->size());
  for (std::size_t i = 0; i < array->size() && !decoder.failed(); ++i) {
    auto& element = out.emplace_back();
    if ((*array)[i].is_null()) continue;
    Place const here{.parent = &place, .name = {}, .index = i, .go_name = place.go_name, .in_map = false};
    read(decoder, (*array)[i], element, here, leaf);
  }
}

void read(Decoder& decoder, const Json& json, std::map<std::string, std::string>& out, const Place& place, Leaf) {
  const auto* const object = json.get_ptr<const Json::object_t*>();
  if (object == nullptr) return mismatch(decoder, place, go_value(json), "map[string]string");
  out.clear();
  for (const auto& [key, value] : *object) {
    auto& element = out.emplace_hint(out.end(), key, std::string())->second;
    if (value.is_null()) continue;
    Place const here{.parent = &place, .name = key, .index = 0, .go_name = place.go_name, .in_map = true};
    read(decoder, value, element, here, {});
  }
}

template <Structure T>
bool read_member(Decoder& decoder, const std::string& key, const Json& json, T& out, const Place& here) {
  return std::apply(
      [&](const auto&... fields) {
        return ((key == fields.name &&
                 (json.is_null() ||
                  (read(decoder, json, out.*fields.member, here, {fields.go_type, fields.form}), true))) ||
                ...);
      },
      Schema<T>::fields);
}

template <Structure T>
void read(Decoder& decoder, const Json& json, T& out, const Place& place, Leaf) {
  const auto* const object = json.get_ptr<const Json::object_t*>();
  if (object == nullptr) return mismatch(decoder, place, go_value(json), GoType<T>::name({}));
  for (const auto& [key, value] : *object) {
    Place const here{.parent = &place, .name = key, .index = 0, .go_name = Schema<T>::go_name, .in_map = false};
    if (!read_member(decoder, key, value, out, here) && !is_dropped<T>(key)) {
      if constexpr (Open<T>) {
        if (!value.is_null())
          (out.*Schema<T>::others)[key] = value.dump(-1, ' ', false, Json::error_handler_t::replace);
      } else {
        note_unknown(decoder, here);
      }
    }
    if (decoder.failed()) return;
  }
}

template <class T>
tl::expected<Object, DecodeError> read_object(const Json& json, DecodeNotes* notes) {
  Decoder decoder{.notes = notes, .error = {}, .list_structs = 0};
  tl::expected<Object, DecodeError> result(tl::in_place, std::in_place_type<T>);
  read(decoder, json, std::get<T>(*result), Place{}, {});
  if (decoder.failed()) return tl::unexpected(DecodeError{std::move(decoder.error)});
  return result;
}

} // namespace

tl::expected<Object, DecodeError> decode_object(Kind kind, const Json& json, DecodeNotes* notes) {
  switch (kind) {
  case Kind::name_space: return read_object<Namespace>(json, notes);
  case Kind::service: return read_object<Service>(json, notes);
  case Kind::endpoint_slice: return read_object<EndpointSlice>(json, notes);
  case Kind::endpoints: return read_object<Endpoints>(json, notes);
  case Kind::service_cidr: return read_object<ServiceCidr>(json, notes);
  case Kind::ip_address: return read_object<IpAddress>(json, notes);
  case Kind::lease: return read_object<Lease>(json, notes);
  case Kind::event: return read_object<Event>(json, notes);
  case Kind::group_event: return read_object<GroupEvent>(json, notes);
  case Kind::pod: return read_object<Pod>(json, notes);
  case Kind::node: return read_object<Node>(json, notes);
  }
  return tl::unexpected(DecodeError{"no such kind"});
}

tl::expected<AccessReview, DecodeError> decode_access_review(const Json& json) {
  Decoder decoder;
  AccessReview review;
  read(decoder, json, review, Place{}, {});
  if (decoder.failed()) return tl::unexpected(DecodeError{std::move(decoder.error)});
  return review;
}

tl::expected<DeleteOptions, DecodeError> decode_delete_options(const Json& json) {
  Decoder decoder;
  WireDeleteOptions wire;
  if (!json.is_null()) read(decoder, json, wire, Place{}, {});
  if (decoder.failed()) return tl::unexpected(DecodeError{std::move(decoder.error)});
  DeleteOptions options;
  options.grace_period_seconds = wire.grace_period_seconds;
  if (wire.preconditions) {
    options.precondition_uid = std::move(wire.preconditions->uid);
    options.precondition_resource_version = std::move(wire.preconditions->resource_version);
  }
  options.propagation_policy = std::move(wire.propagation_policy);
  options.dry_run = std::move(wire.dry_run);
  return options;
}

} // namespace signpost::model
