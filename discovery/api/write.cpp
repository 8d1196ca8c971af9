#include "discovery/api/write.hpp"

#include <algorithm>
#include <ctime>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "discovery/api/body.hpp"
#include "discovery/api/patch.hpp"
#include "discovery/api/status_json.hpp"

namespace signpost::api {
namespace {

using registry::bad_request;
using registry::Status;
using registry::Stored;

constexpr std::string_view patch_types =
    "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json";

/// What is common to all writes.
struct Write {
  registry::Registry& registry;
  Route route;
  std::shared_ptr<const Request> request;
  Encoding encoding;
  BodyFormat format = BodyFormat::json;
  FieldValidation validation = FieldValidation::warn;
  registry::WriteOptions options;
  ReplyCallback done;
};

registry::Result<bool> parse_dry_run(const Query& query, std::string_view options) {
  bool dry = false;
  for (const std::string_view value : query.all("dryRun")) {
    if (value != "All")
      return tl::make_unexpected(invalid_option(
          options, {"FieldValueNotSupported",
                    fmt::format("Unsupported value: [\"{}\"]: supported values: \"All\"", value), "dryRun"}));
    dry = true;
  }
  return dry;
}

std::string_view options_name(Method method) {
  switch (method) {
  case Method::post: return "CreateOptions";
  case Method::put: return "UpdateOptions";
  case Method::patch: return "PatchOptions";
  default: return "DeleteOptions";
  }
}

void add_warnings(Reply& reply, const std::vector<std::string>& warnings) {
  constexpr std::size_t most = 20; // a body of nothing but unknown fields must not become a head of megabytes
  for (std::size_t i = 0; i < warnings.size() && i < most; ++i) {
    std::string quoted;
    for (const char c : warnings[i]) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
    if (quoted.size() > 512) quoted.resize(512);
    while (quoted.ends_with('\\')) quoted.pop_back();
    reply.headers.emplace_back("Warning", fmt::format("299 - \"{}\"", quoted));
  }
}

/// The path decides about name and namespace; a body may leave them out, but not contradict.
std::optional<Status> settle_names(const Route& route, model::ObjectMeta& metadata, bool check_name) {
  if (!metadata.name_space.empty() && metadata.name_space != route.name_space)
    return bad_request("the namespace of the provided object does not match the namespace sent on the request");
  metadata.name_space = route.name_space;
  if (!check_name) return std::nullopt;
  if (metadata.name.empty())
    return bad_request(
        fmt::format("the name of the object ({} based on URL) was undeterminable: name must be provided", route.name));
  if (metadata.name != route.name)
    return bad_request(
        fmt::format("the name of the object ({}) does not match the name on the URL ({})", metadata.name, route.name));
  return std::nullopt;
}

void create(Write write) {
  auto body = decode_body(write.route.kind, write.format, write.request->body, write.validation);
  if (!body) return write.done(status_reply(body.error()));
  if (auto wrong = settle_names(write.route, model::metadata(body->object), false))
    return write.done(status_reply(*wrong));
  write.registry.create(write.route.kind, write.route.name_space, std::move(body->object), write.options,
                        [kind = write.route.kind, encoding = write.encoding, warnings = std::move(body->warnings),
                         dry_run = write.options.dry_run,
                         done = std::move(write.done)](registry::Result<Stored> stored) {
                          reply_with(done, [&] {
                            if (!stored) return status_reply(stored.error());
                            Reply reply = object_reply(201, kind, *stored, encoding);
                            reply.written = dry_run ? 0 : stored->revision;
                            add_warnings(reply, warnings);
                            return reply;
                          });
                        });
}

/// Hands a mutation to the registry, the object or its status, and the result to the client. `warnings` may grow
/// while the mutation runs.
void mutate(Write write, registry::Mutation mutation, std::optional<model::Object> create_if_absent,
            std::shared_ptr<std::vector<std::string>> warnings) {
  const auto finish = [kind = write.route.kind, encoding = write.encoding, warnings, dry_run = write.options.dry_run,
                       done = std::move(write.done)](registry::Result<std::pair<Stored, bool>> result) {
    reply_with(done, [&] {
      if (!result) return status_reply(result.error());
      Reply reply = object_reply(result->second ? 201 : 200, kind, result->first, encoding);
      reply.written = dry_run ? 0 : result->first.revision;
      add_warnings(reply, *warnings);
      return reply;
    });
  };
  const Route& route = write.route;
  if (route.to == Route::To::status) {
    write.registry.update_status(route.kind, route.name_space, route.name, std::move(mutation), write.options,
                                 [finish](registry::Result<Stored> stored) {
                                   if (!stored) return finish(tl::make_unexpected(stored.error()));
                                   finish(std::pair(std::move(*stored), false));
                                 });
    return;
  }
  write.registry.update(route.kind, route.name_space, route.name, std::move(mutation), std::move(create_if_absent),
                        write.options, finish);
}

void replace(Write write) {
  auto body = decode_body(write.route.kind, write.format, write.request->body, write.validation);
  if (!body) return write.done(status_reply(body.error()));
  if (auto wrong = settle_names(write.route, model::metadata(body->object), true))
    return write.done(status_reply(*wrong));
  const model::Kind kind = write.route.kind;
  const bool creates = write.route.to == Route::To::object && registry::creates_on_update(kind);
  auto warnings = std::make_shared<std::vector<std::string>>(std::move(body->warnings));
  std::optional<model::Object> create_if_absent;
  if (creates) create_if_absent = body->object;
  mutate(
      std::move(write),
      [object = std::move(body->object), kind](const model::Object& current,
                                               const Stored&) -> registry::Result<model::Object> {
        const model::ObjectMeta &wanted = model::metadata(object), &is = model::metadata(current);
        if (!wanted.uid.empty() && wanted.uid != is.uid) // the client means another object of that name
          return tl::make_unexpected(registry::conflict(
              model::info(kind), is.name,
              fmt::format("Precondition failed: UID in precondition: {}, UID in object meta: {}", wanted.uid, is.uid)));
        return object;
      },
      std::move(create_if_absent), std::move(warnings));
}

Patched<model::Json> apply_patch(const Write& write, model::Json document, const model::Json& patch) {
  switch (write.format) {
  case BodyFormat::json_patch: return apply_json_patch(std::move(document), patch);
  case BodyFormat::merge_patch: return apply_merge_patch(std::move(document), patch);
  default: return apply_strategic_patch(write.route.kind, std::move(document), patch);
  }
}

/// 400 for what is no patch, else the 422 that upstream gives.
Status patch_status(const Write& write, const PatchError& error) {
  if (error.status == 400) return bad_request(error.message);
  Status status;
  status.code = error.status;
  status.reason = error.status == 413 ? "RequestEntityTooLarge" : "Invalid";
  status.message = error.message;
  status.has_details = true;
  if (write.format == BodyFormat::json_patch && error.status == 422) {
    status.message = "the server rejected our request due to an error in our request: " + error.message;
    return status;
  }
  status.name = write.route.name;
  status.group = model::info(write.route.kind).group;
  status.kind = model::info(write.route.kind).plural;
  return status;
}

registry::Result<model::Object> patched_object(const Write& write, const model::Json& patch, const Stored& stored,
                                               std::vector<std::string>& warnings) {
  auto document = model::parse_json(stored.json());
  if (!document) return tl::make_unexpected(registry::internal_error("a stored object cannot be read"));
  auto patched = apply_patch(write, std::move(*document), patch);
  if (!patched) return tl::make_unexpected(patch_status(write, patched.error()));
  auto decoded = decode_patched(write.route.kind, *patched, write.request->body, write.validation);
  if (!decoded) return tl::make_unexpected(decoded.error());
  warnings = std::move(decoded->warnings);
  model::ObjectMeta& metadata = model::metadata(decoded->object);
  if (auto wrong = settle_names(write.route, metadata, true)) return tl::make_unexpected(*wrong);
  // Unchanged it came from the object, not from the client, who then does not insist on it. One that the patch names
  // will differ as soon as somebody else was faster.
  if (metadata.resource_version == std::to_string(stored.revision)) metadata.resource_version.clear();
  return std::move(decoded->object);
}

void patch(Write write) {
  auto document = model::parse_json(write.request->body);
  if (!document)
    return write.done(status_reply(bad_request(fmt::format("error decoding patch: {}", document.error().message))));
  const bool array = write.format == BodyFormat::json_patch;
  if (array ? !document->is_array() : !document->is_object()) {
    const std::string_view before = write.format == BodyFormat::strategic_patch ? "" : "error decoding patch: ";
    const std::string_view wanted = array ? "[]handlers.jsonPatchOp" : "map[string]interface {}";
    return write.done(status_reply(bad_request(
        fmt::format("{}json: cannot unmarshal {} into Go value of type {}", before, document->type_name(), wanted))));
  }
  auto warnings = std::make_shared<std::vector<std::string>>();
  auto shared_patch = std::make_shared<const model::Json>(std::move(*document));
  Write kept = write;
  kept.done = nullptr;
  mutate(
      std::move(write),
      [kept = std::move(kept), shared_patch, warnings](const model::Object&, const Stored& stored) {
        return patched_object(kept, *shared_patch, stored, *warnings);
      },
      std::nullopt, warnings);
}

std::optional<Status> check_format(Method method, std::optional<BodyFormat> format) {
  const bool is_body = format == BodyFormat::json || format == BodyFormat::yaml || format == BodyFormat::protobuf;
  if (method == Method::patch) {
    const bool is_patch =
        format == BodyFormat::json_patch || format == BodyFormat::merge_patch || format == BodyFormat::strategic_patch;
    return is_patch ? std::nullopt : std::optional(unsupported_media_type(patch_types));
  }
  return is_body ? std::nullopt : std::optional(unsupported_media_type(body_types));
}

} // namespace

Reply object_reply(int status, model::Kind kind, const Stored& object, const Encoding& encoding,
                   IncludeObject include) {
  Reply reply;
  reply.status = status;
  switch (encoding.shape) {
  case Shape::object: object.write(reply.body); break;
  case Shape::metadata: append_partial(object.json(), encoding.version, reply.body); break;
  case Shape::table:
    reply.body = fmt::format("{{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/{}\",\"metadata\":{{"
                             "\"resourceVersion\":\"{}\"}},",
                             encoding.version, object.revision);
    append_columns(kind, reply.body);
    reply.body += ",\"rows\":[";
    append_row(kind, object.json(), include, encoding.version, std::time(nullptr), reply.body);
    reply.body += "]}";
    break;
  }
  return reply;
}

void write_object(registry::Registry& registry, const Route& route, std::shared_ptr<const Request> request,
                  const Encoding& encoding, ReplyCallback done) {
  using To = Route::To;
  const Method method = request->method;
  const bool on_collection = route.to == To::collection;
  const bool fits = (method == Method::post && on_collection && !route.all_namespaces) ||
                    (method == Method::del && (on_collection ? !route.all_namespaces : route.to == To::object)) ||
                    ((method == Method::put || method == Method::patch) && !on_collection);
  const auto verbs = verbs_of(route.kind);
  const std::string_view verb = method == Method::post    ? "create"
                                : method == Method::put   ? "update"
                                : method == Method::patch ? "patch"
                                : on_collection           ? "deletecollection"
                                                          : "delete";
  if (!fits || std::find(verbs.begin(), verbs.end(), verb) == verbs.end()) return done(status_reply(method_refused()));

  const Query& query = request->target.query;
  const std::string_view options = options_name(method);
  const auto dry_run = parse_dry_run(query, options);
  if (!dry_run) return done(status_reply(dry_run.error()));
  const auto format = body_format(request->content_type);
  if (method == Method::del) {
    if (!request->body.empty())
      if (auto wrong = check_format(method, format)) return done(status_reply(*wrong));
    return delete_object(registry, route, std::move(request), encoding, *dry_run, std::move(done));
  }
  if (auto wrong = check_format(method, format)) return done(status_reply(*wrong));
  const auto validation = parse_field_validation(query.get("fieldValidation"), options);
  if (!validation) return done(status_reply(validation.error()));

  Write write{registry, route, std::move(request), encoding, *format, *validation, {*dry_run}, std::move(done)};
  switch (method) {
  case Method::post: return create(std::move(write));
  case Method::put: return replace(std::move(write));
  default: return patch(std::move(write));
  }
}

} // namespace signpost::api
