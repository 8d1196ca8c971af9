#include "discovery/api/body.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>

#include "discovery/api/status_json.hpp"
#include "discovery/model/manifest.hpp"
#include "discovery/model/text.hpp"
#include "discovery/registry/warnings.hpp"

namespace signpost::api {
namespace {

using model::Json;
using registry::bad_request;

tl::unexpected<registry::Status> refuse(std::string message) {
  return tl::make_unexpected(bad_request(std::move(message)));
}

/// As apimachinery prints a body it could not read.
std::string summarize(std::string_view body) {
  constexpr std::size_t shown = 30;
  if (body.empty()) return "<empty>";
  std::string out;
  const std::string_view part = body.substr(0, shown);
  if (body.front() == '{')
    out = part;
  else
    for (const char c : part) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  if (body.size() > shown) out += " ...";
  return out;
}

/// The body may leave out what it is, but must not say it is something else.
std::optional<registry::Status> check_type(const model::KindInfo& kind, std::string_view api_version,
                                           std::string_view name) {
  const bool same_name = name.empty() || name == kind.name;
  const bool same_version = api_version.empty() || api_version == kind.api_version();
  if (same_name && same_version) return std::nullopt;
  const std::string_view version = api_version.empty() ? kind.api_version() : api_version;
  const std::string_view said = name.empty() ? kind.name : name;
  if (model::find_kind(version, said) == nullptr)
    return bad_request(fmt::format("{} in version \"{}\" cannot be handled as a {}: no kind \"{}\" is registered for "
                                   "version \"{}\" in scheme \"pkg/api/legacyscheme/scheme.go:30\"",
                                   said, version, kind.name, said, version));
  if (!same_version)
    return bad_request(fmt::format("the API version in the data ({}) does not match the expected API version ({})",
                                   version, kind.api_version()));
  return bad_request(fmt::format("{} in version \"{}\" cannot be handled as a {}: converting (v1.{}) to (core.{}): "
                                 "unknown conversion",
                                 said, version, kind.name, said, kind.name));
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out += ", ";
    out += part;
  }
  return out;
}

/// Warnings about what the document had too much; an error where it must not.
tl::expected<std::vector<std::string>, std::string> judge(model::DecodeNotes& notes, FieldValidation validation) {
  if (validation == FieldValidation::ignore) return {};
  std::vector<std::string> all = std::move(notes.duplicate_fields);
  all.insert(all.end(), notes.unknown_fields.begin(), notes.unknown_fields.end());
  if (validation == FieldValidation::strict && !all.empty())
    return tl::make_unexpected("strict decoding error: " + joined(all));
  return all;
}

DecodedBody decoded(model::Object object, std::vector<std::string> warnings) {
  for (std::string& warning : registry::warnings_of(object)) warnings.push_back(std::move(warning));
  return {std::move(object), std::move(warnings)};
}

/// Read as what it says it is, else as what is expected.
tl::expected<Json, DocumentError> read_protobuf_document(std::string_view body, const model::WireMessage& expected) {
  const auto envelope = model::read_envelope({reinterpret_cast<const std::uint8_t*>(body.data()), body.size()});
  if (!envelope) return tl::make_unexpected(DocumentError{envelope.error().message, false});
  const model::WireMessage* const said = model::find_wire_message(envelope->api_version, envelope->kind);
  auto document = model::read_protobuf(said != nullptr ? *said : expected, envelope->raw);
  if (!document) return tl::make_unexpected(DocumentError{document.error().message, true});
  (*document)["apiVersion"] = envelope->api_version;
  (*document)["kind"] = envelope->kind;
  return std::move(*document);
}

} // namespace

registry::Result<FieldValidation> parse_field_validation(std::string_view text, std::string_view options) {
  if (text.empty() || text == "Warn") return FieldValidation::warn;
  if (text == "Strict") return FieldValidation::strict;
  if (text == "Ignore") return FieldValidation::ignore;
  return tl::make_unexpected(invalid_option(
      options,
      {"FieldValueNotSupported",
       fmt::format("Unsupported value: \"{}\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"", text),
       "fieldValidation"}));
}

tl::expected<Json, DocumentError> read_document(BodyFormat format, std::string_view body,
                                                const model::WireMessage& expected, model::DecodeNotes* notes) {
  if (format == BodyFormat::protobuf) return read_protobuf_document(body, expected);
  auto document = format == BodyFormat::yaml ? model::parse_yaml(body) : model::parse_json(body, notes);
  if (!document)
    return tl::make_unexpected(
        DocumentError{fmt::format("couldn't get version/kind; json parse error: {}", document.error().message), false});
  return std::move(*document);
}

registry::Result<DecodedBody> decode_body(model::Kind id, BodyFormat format, std::string_view body,
                                          FieldValidation validation) {
  const model::KindInfo& kind = model::info(id);
  model::DecodeNotes notes;
  const auto json = read_document(format, body, model::wire_message(id), &notes);
  const std::string prefix =
      fmt::format("{} in version \"{}\" cannot be handled as a {}: ", kind.name, kind.version, kind.name);
  if (!json && json.error().typed) return refuse(prefix + json.error().message);
  if (!json)
    return refuse(fmt::format("the object provided is unrecognized (must be of type {}): {} ({})", kind.name,
                              json.error().message, summarize(body)));
  if (!json->is_object())
    return refuse(fmt::format("the object provided is unrecognized (must be of type {}): couldn't get version/kind; "
                              "json parse error: json: cannot unmarshal {} into Go value of type struct {{ APIVersion "
                              "string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string "
                              "\"json:\\\"kind,omitempty\\\"\" }} ({})",
                              kind.name, json->type_name(), summarize(body)));
  if (auto wrong = check_type(kind, model::text_member(*json, "apiVersion"), model::text_member(*json, "kind")))
    return tl::make_unexpected(*wrong);

  auto object = model::decode_object(id, *json, &notes);
  if (!object) return refuse(prefix + object.error().message);
  if (format == BodyFormat::protobuf) validation = FieldValidation::ignore; // what is not known was passed over
  auto told = judge(notes, validation);
  if (!told) return refuse(prefix + told.error());
  return decoded(std::move(*object), std::move(*told));
}

registry::Result<DecodedBody> decode_patched(model::Kind id, const Json& document, std::string_view patch,
                                             FieldValidation validation) {
  const model::KindInfo& kind = model::info(id);
  model::DecodeNotes notes;
  const auto invalid = [&](std::string_view why) {
    registry::Status status;
    status.code = 422;
    status.reason = "Invalid";
    constexpr std::size_t shown = 4096;
    std::string quoted;
    model::append_json_string(quoted, patch.substr(0, shown));
    if (patch.size() > shown) quoted += "...";
    const std::string detail = fmt::format("Invalid value: {}: {}", quoted, why);
    status.message = fmt::format(" \"\" is invalid: patch: {}", detail);
    status.has_details = true;
    status.causes.push_back({"FieldValueInvalid", detail, "patch"});
    return status;
  };
  if (!document.is_object()) return tl::make_unexpected(invalid("the result is not an object"));
  if (auto wrong = check_type(kind, model::text_member(document, "apiVersion"), model::text_member(document, "kind")))
    return tl::make_unexpected(invalid(wrong->message));
  auto object = model::decode_object(id, document, &notes);
  if (!object) return tl::make_unexpected(invalid(object.error().message));
  auto told = judge(notes, validation);
  if (!told) return tl::make_unexpected(invalid(told.error()));
  return decoded(std::move(*object), std::move(*told));
}

registry::Result<model::DeleteOptions> decode_delete_body(BodyFormat format, std::string_view body) {
  if (body.empty()) return model::DeleteOptions{};
  const auto json = read_document(format, body, *model::find_wire_message("v1", "DeleteOptions"), nullptr);
  if (!json) return refuse(json.error().message);
  const std::string_view kind = model::text_member(*json, "kind");
  if (!kind.empty() && kind != "DeleteOptions")
    return refuse(fmt::format("the body of a DELETE must be DeleteOptions, not {}", kind));
  auto options = model::decode_delete_options(*json);
  if (!options) return refuse(options.error().message);
  return std::move(*options);
}

} // namespace signpost::api
