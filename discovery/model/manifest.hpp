// Reads manifests as people write them: JSON or YAML, one object, a List, or several YAML documents. The one reader
// behind `signpostd --objects`, `signpost apply -f` and `signpost env --file`.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "discovery/model/json.hpp"

namespace signpost::model {

struct ManifestError {
  std::string message; // "deploy/web.yaml:12: …": file, line where known, what is wrong, what to do
};

/// Calls `each` once per object, Lists flattened (v1 List, ServiceList, EndpointSliceList, …; items of a typed list
/// may omit kind and apiVersion, and get them). `each` may return an error to stop. JSON lists are streamed item by
/// item (SAX): a list of 150,000 endpoints never becomes one document. `source` names the text in errors; an error of
/// `each` that begins with "<source>: " gets the place put in. The result: how many documents there were that are not
/// empty; a list of nothing is one, a text of blanks and comments has none.
///
/// Every object given to `each` is a JSON object with the strings kind and apiVersion; empty documents are skipped. In
/// YAML, plain scalars are read as kubectl does (YAML 1.1: yes, on, 0x1f, 0777, …); quoted ones are strings.
[[nodiscard]] tl::expected<std::size_t, ManifestError>
read_manifest(std::string_view text, std::string_view source,
              const std::function<tl::expected<void, ManifestError>(Json&& object)>& each);

/// The objects of a file; "-" is standard input. A regular file of JSON is read piece by piece and never whole in
/// memory; one that is written to meanwhile is an error, whatever was handed on.
[[nodiscard]] tl::expected<std::size_t, ManifestError>
read_manifest_file(const std::string& path,
                   const std::function<tl::expected<void, ManifestError>(Json&& object)>& each);

/// One YAML document as JSON, of any type (kind and apiVersion are not asked for): a request body, a patch. The error
/// says the line. No document at all is null.
[[nodiscard]] tl::expected<Json, DecodeError> parse_yaml(std::string_view text, const JsonLimits& limits = {});

/// YAML text of a JSON value, block style, keys in the order apiVersion, kind, metadata, items, spec, status, rest
/// sorted; ends in a newline. Strings that a YAML reader would take for something else are quoted.
[[nodiscard]] std::string to_yaml(const Json& json);

} // namespace signpost::model
