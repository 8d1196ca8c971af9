#include <atomic>
#include <fmt/format.h>

#include "discovery/api/body.hpp"
#include "discovery/api/list.hpp"
#include "discovery/api/status_json.hpp"
#include "discovery/api/write.hpp"

namespace signpost::api {
namespace {

using registry::Stored;

registry::Result<model::DeleteOptions> read_options(const Request& request, bool& dry_run) {
  auto options = decode_delete_body(body_format(request.content_type).value_or(BodyFormat::json), request.body);
  if (!options) return options;
  const Query& query = request.target.query;
  if (query.has("propagationPolicy") && !options->propagation_policy)
    options->propagation_policy = std::string(query.get("propagationPolicy"));
  if (!query.get("gracePeriodSeconds").empty()) {
    const auto seconds = parse_number(query, "gracePeriodSeconds");
    if (!seconds) return tl::make_unexpected(seconds.error());
    options->grace_period_seconds = *seconds;
  }
  if (const auto& policy = options->propagation_policy;
      policy && *policy != "Orphan" && *policy != "Background" && *policy != "Foreground")
    return tl::make_unexpected(invalid_option(
        "DeleteOptions",
        {"FieldValueNotSupported",
         fmt::format("Unsupported value: \"{}\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"",
                     *policy),
         "propagationPolicy"}));
  for (const std::string& value : options->dry_run) {
    if (value != "All")
      return tl::make_unexpected(invalid_option(
          "DeleteOptions", {"FieldValueNotSupported",
                            fmt::format("Unsupported value: [\"{}\"]: supported values: \"All\"", value), "dryRun"}));
    dry_run = true;
  }
  return options;
}

/// An object that finalizers hold is shown; one that is gone is reported, or shown a last time where upstream does.
Reply deleted_reply(model::Kind kind, const Stored& stored, const Encoding& encoding) {
  const ObjectSummary summary = read_summary(*stored.text);
  const bool shown = summary.deleting || kind == model::Kind::service || kind == model::Kind::pod;
  if (shown) return object_reply(200, kind, stored, encoding);
  return json_reply(200, success_json(model::info(kind), summary.name, summary.uid));
}

/// Removals under way, and what they gave.
struct Removals {
  std::mutex mutex;
  std::size_t open = 0;
  std::string items;
  std::optional<registry::Status> failed;
  store::Revision revision = 0;
  store::Revision written = 0; // 0: nothing, or a dry run
};

void finish(const model::KindInfo& kind, Removals& removals, const ReplyCallback& done) {
  reply_with(done, [&] {
    if (removals.failed) return status_reply(*removals.failed);
    Reply reply =
        json_reply(200, fmt::format("{{\"kind\":\"{}List\",\"apiVersion\":\"{}\",\"metadata\":{{\"resourceVersion\":"
                                    "\"{}\"}},\"items\":[{}]}}",
                                    kind.name, kind.api_version(), removals.revision, removals.items));
    reply.written = removals.written;
    return reply;
  });
}

void delete_collection(registry::Registry& registry, const Route& route, const Query& query,
                       const model::DeleteOptions& options, bool dry_run, ReplyCallback done) {
  auto selector = parse_selector(query, route.kind);
  if (!selector) return done(status_reply(selector.error()));
  registry::ListRequest request{
      .kind = route.kind, .name_space = route.name_space, .limit = 0, .from = {}, .revision = 0};
  auto listing = registry.list(request);
  if (!listing) return done(status_reply(listing.error()));

  struct Name {
    std::string name_space, name;
  };
  std::vector<Name> names;
  for (const Stored& item : listing->items) {
    ObjectSummary summary = selector->summarize(*item.text);
    if (selector->matches(summary)) names.push_back({std::move(summary.name_space), std::move(summary.name)});
  }
  auto removals = std::make_shared<Removals>();
  removals->revision = listing->revision;
  removals->open = names.size() + 1; // one for this function, so that none ends it while names are still to come
  // Endpoints that are computed go with their slices.
  const bool computed = route.kind == model::Kind::endpoints;
  const auto closed = [removals, computed, dry_run, kind = route.kind, done](registry::Result<Stored>* result) {
    {
      const std::lock_guard lock(removals->mutex);
      if (result != nullptr && *result) {
        if (!removals->items.empty()) removals->items += ',';
        (*result)->write(removals->items);
        removals->revision = std::max(removals->revision, (*result)->revision);
        if (!dry_run) removals->written = removals->revision;
      } else if (result != nullptr && result->error().code != 404 && !(computed && result->error().code == 409)) {
        removals->failed = result->error();
      }
      if (--removals->open != 0) return;
    }
    finish(model::info(kind), *removals, done);
  };
  for (Name& name : names)
    registry.remove(route.kind, std::move(name.name_space), std::move(name.name), options, dry_run,
                    [closed](registry::Result<Stored> result) { closed(&result); });
  closed(nullptr);
}

} // namespace

void delete_object(registry::Registry& registry, const Route& route, std::shared_ptr<const Request> request,
                   const Encoding& encoding, bool dry_run, ReplyCallback done) {
  auto options = read_options(*request, dry_run);
  if (!options) return done(status_reply(options.error()));
  if (route.to == Route::To::collection)
    return delete_collection(registry, route, request->target.query, *options, dry_run, std::move(done));
  registry.remove(route.kind, route.name_space, route.name, std::move(*options), dry_run,
                  [kind = route.kind, encoding, dry_run, done = std::move(done)](registry::Result<Stored> stored) {
                    reply_with(done, [&] {
                      if (!stored) return status_reply(stored.error());
                      Reply reply = deleted_reply(kind, *stored, encoding);
                      reply.written = dry_run ? 0 : stored->revision;
                      return reply;
                    });
                  });
}

} // namespace signpost::api
