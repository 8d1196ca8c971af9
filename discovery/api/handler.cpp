#include "discovery/api/handler.hpp"

#include <fmt/format.h>

#include "discovery/api/documents.hpp"
#include "discovery/api/health.hpp"
#include "discovery/api/list.hpp"
#include "discovery/api/negotiation.hpp"
#include "discovery/api/pages.hpp"
#include "discovery/api/review.hpp"
#include "discovery/api/status_json.hpp"
#include "discovery/api/watch.hpp"
#include "discovery/api/write.hpp"

namespace signpost::api {
namespace {

using To = Route::To;

Reply not_found_page() { return text_reply(404, "404 page not found\n"); }

Reply read_object(registry::Registry& registry, const Route& route, const Request& request, const Encoding& encoding) {
  const Query& query = request.target.query;
  if (const std::string_view text = query.get("resourceVersion"); !text.empty()) {
    const auto revision = parse_revision(text);
    if (!revision) return status_reply(invalid_revision(text));
    if (!registry.reached(*revision)) return status_reply(too_large_revision(*revision, registry.revision()));
  }
  const auto include = parse_include(query);
  if (!include) return status_reply(include.error());
  const auto stored = registry.get(route.kind, route.name_space, route.name);
  if (!stored) return status_reply(stored.error());
  return object_reply(200, route.kind, *stored, encoding, *include);
}

bool is_read(Method method) { return method == Method::get; }

} // namespace

Handler::Handler(registry::Registry& registry, Hub& hub, const Settings& settings, const Callbacks& callbacks)
    : registry_(registry), hub_(hub), settings_(settings), callbacks_(callbacks) {}

bool Handler::is_long(const Request& request) const {
  if (request.method != Method::get && request.method != Method::del) return false;
  return find_route(request.target.segments).to == To::collection;
}

Reply Handler::page(const Request& request) const {
  if (auto further = page_reply(callbacks_.pages, request)) return std::move(*further);
  if (request.method != Method::get && request.method != Method::head) return not_found_page();
  const auto& segments = request.target.segments;
  std::string path;
  for (const std::string& segment : segments) path += "/" + segment;
  if (auto health = health_page(request.target, callbacks_.ready, callbacks_.trouble)) return std::move(*health);
  if (path == "/version") return json_reply(200, version_document(settings_.version));
  if (path == "/openapi/v2") {
    if (request.accept.find("protobuf") == std::string::npos) return json_reply(200, openapi_v2_json());
    Reply reply = text_reply(200, openapi_v2_document());
    reply.content_type = "application/octet-stream";
    return reply;
  }
  if (path == "/openapi/v3") return json_reply(200, openapi_index());
  std::optional<std::string> openapi;
  if (path == "/openapi/v3/api/v1")
    openapi = openapi_document("");
  else if (segments.size() == 5 && segments[0] == "openapi" && segments[1] == "v3" && segments[2] == "apis" &&
           segments[4] == "v1")
    openapi = openapi_document(segments[3]);
  return openapi ? json_reply(200, std::move(*openapi)) : not_found_page();
}

Reply Handler::document(const Route& route, std::string_view accept) const {
  if (route.to == To::core_versions || route.to == To::groups) {
    if (const std::string_view version = aggregated_version(accept); !version.empty()) {
      Reply reply = json_reply(200, aggregated_document(route.to == To::core_versions, version));
      reply.content_type = fmt::format("application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList", version);
      reply.headers.emplace_back("Vary", "Accept");
      return reply;
    }
  }
  switch (route.to) {
  case To::core_versions: return json_reply(200, core_versions_document());
  case To::groups: return json_reply(200, groups_document());
  case To::group: return json_reply(200, group_document(route.group));
  default: return json_reply(200, resources_document(route.group));
  }
}

void Handler::handle(std::shared_ptr<const Request> request, ReplyCallback done) {
  const Route route = find_route(request->target.segments);
  const auto encoding = negotiate(request->accept);
  if (route.to == To::page) return done(page(*request));
  if (encoding && encoding->format != Format::json)
    done = [format = encoding->format, done = std::move(done)](Reply reply) {
      reply.wanted = format; // the session translates: this may be a thread that others wait for
      done(std::move(reply));
    };
  switch (route.to) {
  case To::page:
  case To::nothing: return done(not_found_page());
  case To::unknown_resource: return done(status_reply(no_such_resource()));
  case To::core_versions:
  case To::groups:
  case To::group:
  case To::resources:
    return done(is_read(request->method) ? document(route, request->accept) : status_reply(method_refused()));
  case To::review:
    return done(request->method == Method::post ? review(registry_, route.name, *request)
                                                : status_reply(method_refused()));
  case To::collection:
  case To::object:
  case To::status: break;
  }
  if (!encoding) return done(status_reply(not_acceptable_status()));
  if (!is_read(request->method)) return write_object(registry_, route, std::move(request), *encoding, std::move(done));
  const bool list = route.to == To::collection && !request->target.query.flag("watch");
  if (encoding->shape == Shape::metadata && encoding->of_list != list)
    return done(status_reply(wrong_metadata_status(route.kind, list)));
  if (route.to == To::collection)
    return done(request->target.query.flag("watch")
                    ? watch_collection(registry_, hub_, route, request->target.query, *encoding)
                    : list_collection(registry_, route, request->target.query, *encoding));
  done(read_object(registry_, route, *request, *encoding));
}

} // namespace signpost::api
