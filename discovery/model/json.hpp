// The one codec between objects and JSON. Each struct's fields are listed once (fields.hpp); decoding, encoding
// and the list of unknown fields all come from that list.
//
//   auto parsed = parse_json(body);                 // bounded depth, duplicates noted
//   DecodeNotes notes;
//   auto service = decode_object(Kind::service, *parsed, &notes);
//   if (!service) return bad_request(service.error().message);
//   std::string text; encode(*service, text);
//
// Pure functions, any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "discovery/model/kind.hpp"

namespace signpost::model {

using Json = nlohmann::json;

struct DecodeError {
  std::string message; // the text Go's encoding/json gives, without prefix: "json: cannot unmarshal string into Go
                       // struct field ServicePort.spec.ports.port of type int32"
};

/// What was in the document but not in the type, for fieldValidation Strict and Warn. Texts as kube-apiserver prints
/// them: unknown field "spec.foo", duplicate field "spec.type".
struct DecodeNotes {
  std::vector<std::string> unknown_fields;
  std::vector<std::string> duplicate_fields;
};

struct JsonLimits {
  std::size_t depth = 64;
};

/// Parses one JSON document; the error is Go's text ("unexpected end of JSON input", "invalid character …").
/// Duplicate keys keep the last value and are noted with their path.
[[nodiscard]] tl::expected<Json, DecodeError> parse_json(std::string_view text, DecodeNotes* notes = nullptr,
                                                         const JsonLimits& limits = {});

/// Reads an object of a known kind; apiVersion and kind members are not looked at (the caller has). Nothing is
/// defaulted.
[[nodiscard]] tl::expected<Object, DecodeError> decode_object(Kind kind, const Json& json,
                                                              DecodeNotes* notes = nullptr);

/// Appends the object as compact JSON, apiVersion and kind included, fields in the API's order, empty ones left out.
/// metadata.resourceVersion is written when set.
void encode(const Object& object, std::string& out);
[[nodiscard]] std::string encode(const Object& object);

/// A member that is a text, valid as long as the document; empty: there is none, or it is something else.
[[nodiscard]] std::string_view text_member(const Json& json, const char* name);

} // namespace signpost::model
