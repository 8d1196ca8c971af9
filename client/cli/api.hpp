// The registry's API as commands use it: paths of kinds, lists page by page, Status errors as failures.
//
// Not thread-safe. Nothing here throws.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/http.hpp"
#include "discovery/model/kind.hpp"

namespace signpost::cli {

using Json = nlohmann::json;

/// By plural, singular, short name, Kind, or plural.group, in any case; "servicecidrs", "ns". nullptr: none of ours.
[[nodiscard]] const model::KindInfo* kind_named(std::string_view text);
/// Every spelling that kind_named takes and people type, for completion and errors.
[[nodiscard]] std::vector<std::string> kind_names();

/// What a list or watch is restricted to.
struct Scope {
  std::string name_space; // empty: all
  std::string name{};     // one object
  std::string label_selector{};
  std::string field_selector{};
  bool whole_rows = false; // rows of a Table come with the object, not with its metadata alone
};

enum class Form : std::uint8_t { objects, table };

/// "/api/v1/namespaces/default/services/web"; without a namespace or name the part is left out.
[[nodiscard]] std::string object_path(const model::KindInfo& kind, std::string_view name_space, std::string_view name);
[[nodiscard]] std::string percent_encode(std::string_view text);
[[nodiscard]] std::string accept_for(Form form);
/// "?labelSelector=…&…" of a scope and further parameters; "" where there is none.
[[nodiscard]] std::string query_string(const Scope& scope, std::vector<std::pair<std::string, std::string>> more = {});

class Api {
public:
  explicit Api(Url url, HttpLimits limits = {}) : http_(std::move(url), limits) {}

  /// Sends and parses; a reply of 400 and above is a Failure made of its Status.
  [[nodiscard]] Expected<Json> call(const HttpRequest& request);
  [[nodiscard]] Expected<Json> get(const model::KindInfo& kind, std::string_view name_space, std::string_view name,
                                   Form form = Form::objects);
  /// All pages as one document: a list (or Table) with all items (or rows), and the metadata of the first page. A list
  /// that does not end fails: after 512 MiB or ten minutes, or where a page leads back to itself.
  [[nodiscard]] Expected<Json> list(const model::KindInfo& kind, const Scope& scope, Form form = Form::objects);

  [[nodiscard]] HttpClient& http() { return http_; }
  /// Called with each warning that the server sends (fieldValidation, deprecations).
  std::function<void(const std::string&)> on_warning{};

private:
  HttpClient http_;
  std::size_t last_size_ = 0; // octets of the last reply that was parsed
};

/// The Failure that an error reply means.
[[nodiscard]] Failure failure_of(const HttpReply& reply);

/// Parses one JSON document; nullopt: it is none, or has more than four million values (the memory that it would take
/// is many times its size). Members nested deeper than 64 are left out.
[[nodiscard]] std::optional<Json> parse_document(std::string_view text);

/// A member; null if it is not there or `object` is none.
[[nodiscard]] const Json& member(const Json& object, const std::string& key);

/// A string member; "" if it is not there or no string.
[[nodiscard]] std::string text_member(const Json& object, const char* key);

/// metadata.KEY of an object, a Table row or a Table; "" if it is not there.
[[nodiscard]] std::string metadata_text(const Json& object, const char* key);

} // namespace signpost::cli
