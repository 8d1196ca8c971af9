// From a request's body to an object: formats, what kind it says it is, fields nobody knows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "discovery/api/negotiation.hpp"
#include "discovery/model/delete_options.hpp"
#include "discovery/model/json.hpp"
#include "discovery/model/protobuf.hpp"
#include "discovery/registry/status.hpp"

namespace signpost::api {

enum class FieldValidation : std::uint8_t { ignore, warn, strict };

/// Values of the query parameter fieldValidation; empty is warn.
[[nodiscard]] registry::Result<FieldValidation> parse_field_validation(std::string_view text, std::string_view options);

struct DecodedBody {
  model::Object object;
  std::vector<std::string> warnings; // one Warning header each: unknown field "spec.foo"
};

/// The body of a POST or PUT. Kind and apiVersion may be left out, but not be others than the resource's.
[[nodiscard]] registry::Result<DecodedBody> decode_body(model::Kind kind, BodyFormat format, std::string_view body,
                                                        FieldValidation validation);

/// The object a patch made; `patch` is its text for errors.
[[nodiscard]] registry::Result<DecodedBody> decode_patched(model::Kind kind, const model::Json& document,
                                                           std::string_view patch, FieldValidation validation);

/// DeleteOptions; an empty body has none.
[[nodiscard]] registry::Result<model::DeleteOptions> decode_delete_body(BodyFormat format, std::string_view body);

struct DocumentError {
  std::string message;
  bool typed; // the body said what it is; the rest of it cannot be read
};

/// One document out of JSON, YAML or protobuf, of which `expected` is what it should hold.
[[nodiscard]] tl::expected<model::Json, DocumentError>
read_document(BodyFormat format, std::string_view body, const model::WireMessage& expected, model::DecodeNotes* notes);

} // namespace signpost::api
