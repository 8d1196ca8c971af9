// /openapi/v2: the older description of the API, in protobuf (gnostic's OpenAPIv2.proto), which kubectl up to 1.26 asks
// before it does a dry run or leaves the validation of fields to the server. No schemas: kinds without one are not
// judged by the client.
#include <fmt/format.h>

#include "discovery/api/documents.hpp"
#include "discovery/model/kind.hpp"
#include "discovery/model/protobuf_wire.hpp"

namespace signpost::api {
namespace {

std::string field(unsigned number, std::string_view bytes) {
  std::string out;
  model::append_bytes_field(number, bytes, out);
  return out;
}

/// ParametersItem{1 Parameter{2 NonBodyParameter{3 QueryParameterSubSchema{2 in, 4 name, 6 type}}}}
std::string query_parameter(std::string_view name) {
  return field(1, field(2, field(3, field(2, "query") + field(4, name) + field(6, "string"))));
}

/// NamedAny{1 name, 2 Any{2 yaml}}
std::string kind_extension(const model::KindInfo& kind) {
  const std::string yaml = fmt::format("group: \"{}\"\nkind: {}\nversion: {}\n", kind.group, kind.name, kind.version);
  return field(1, "x-kubernetes-group-version-kind") + field(2, field(2, yaml));
}

/// NamedPathItem{1 name, 2 PathItem{8 patch}}, Operation{8 parameters, 13 extensions}
std::string path_item(const model::KindInfo& kind) {
  const std::string base = kind.group.empty() ? "/api/v1" : fmt::format("/apis/{}/{}", kind.group, kind.version);
  const std::string name =
      fmt::format("{}{}/{}/{{name}}", base, kind.namespaced ? "/namespaces/{namespace}" : "", kind.plural);
  const std::string patch = field(8, query_parameter("dryRun")) + field(8, query_parameter("fieldManager")) +
                            field(8, query_parameter("fieldValidation")) + field(13, kind_extension(kind));
  return field(1, name) + field(2, field(8, patch));
}

} // namespace

std::string openapi_v2_document() {
  std::string paths;
  for (const model::KindInfo& kind : model::kinds()) paths += field(2, path_item(kind));
  return field(1, "2.0") + field(2, field(1, "Signpost") + field(2, "v1")) + field(8, paths);
}

} // namespace signpost::api
