#include "discovery/api/watch.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <random>

#include "discovery/api/list.hpp"
#include "discovery/api/status_json.hpp"
#include "discovery/api/watch_frame.hpp"

namespace signpost::api {
namespace {

using registry::Status;

Status forbidden_option(std::string_view field, std::string_view why) {
  return invalid_option("ListOptions", {"FieldValueForbidden", fmt::format("Forbidden: {}", why), std::string(field)});
}

/// Events of what there is when the watch begins.
class InitialEvents final : public Stream {
public:
  InitialEvents(ItemSource items, WatchSettings settings) : items_(std::move(items)), settings_(std::move(settings)) {}

  Step next(std::string& out) override {
    const std::size_t start = out.size();
    bool page_read = false;
    while (out.size() - start < piece_bytes) {
      if (const registry::Stored* item = items_.next()) {
        append_watch_event("ADDED", settings_, *item, first_, out);
        first_ = false;
        continue;
      }
      if (page_read) break;
      const ItemSource::Page page = items_.read_page();
      page_read = true;
      if (page != ItemSource::Page::read) return page == ItemSource::Page::end ? Step::done : Step::failed;
    }
    return Step::more;
  }
  void rest() override { items_.rest(); }
  [[nodiscard]] std::size_t held() const override { return items_.held(); }

private:
  ItemSource items_;
  const WatchSettings settings_;
  bool first_ = true;
};

Status match_on_watch(std::string_view match) {
  const std::string field = "resourceVersionMatch";
  Status status = forbidden_option(field, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is "
                                          "provided");
  if (match == "NotOlderThan") return status;
  const std::string unsupported = fmt::format("Unsupported value: \"{}\": supported values: \"NotOlderThan\"", match);
  status.message = fmt::format("ListOptions.meta.k8s.io \"\" is invalid: [{}: {}, {}: {}]", field,
                               status.causes[0].message, field, unsupported);
  status.causes.push_back({"FieldValueNotSupported", unsupported, field});
  return status;
}

std::optional<Status> check_options(const Query& query) {
  const std::string_view match = query.get("resourceVersionMatch");
  if (query.has("sendInitialEvents")) {
    if (match != "NotOlderThan")
      return forbidden_option("resourceVersionMatch",
                              "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  } else if (!match.empty()) {
    return match_on_watch(match);
  }
  if (!query.get("continue").empty())
    return forbidden_option("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided");
  return std::nullopt;
}

std::chrono::seconds timeout_of(std::int64_t seconds) {
  if (seconds > 0) return std::chrono::seconds(std::min<std::int64_t>(seconds, 24 * 3600));
  // Spread, so that watches opened together do not end together.
  static thread_local std::minstd_rand random{std::random_device{}()};
  return std::chrono::seconds(std::uniform_int_distribution<int>(1800, 3600)(random));
}

Reply error_event(Format format, const Status& status) {
  Reply reply;
  reply.content_type = watch_type(format);
  append_watch_frame(format, "ERROR", status_json(status), reply.body);
  return reply;
}

Reply with_feed(Format format, std::unique_ptr<WatchFeed> feed) {
  Reply reply;
  reply.content_type = watch_type(format);
  reply.watch = std::move(feed);
  return reply;
}

} // namespace

Reply watch_collection(registry::Registry& registry, Hub& hub, const Route& route, const Query& query,
                       const Encoding& encoding) {
  if (encoding.format == Format::yaml) return status_reply(not_acceptable_status());
  if (auto wrong = check_options(query)) return status_reply(*wrong);
  WatchSettings settings;
  auto selector = parse_selector(query, route.kind);
  if (!selector) return status_reply(selector.error());
  auto include = parse_include(query);
  if (!include) return status_reply(include.error());
  settings.kind = route.kind;
  settings.name_space = route.name_space;
  settings.selector = std::move(*selector);
  settings.encoding = encoding;
  settings.include = *include;
  settings.bookmarks = query.flag("allowWatchBookmarks");
  const auto timeout = parse_number(query, "timeoutSeconds");
  if (!timeout) return status_reply(timeout.error());
  settings.timeout = timeout_of(*timeout);

  const std::string_view text = query.get("resourceVersion");
  const auto revision = text.empty() ? std::optional<store::Revision>(0) : parse_revision(text);
  if (!revision) return status_reply(invalid_revision(text));

  const bool asked = query.has("sendInitialEvents");
  const bool wants_initial = asked ? query.flag("sendInitialEvents") : *revision == 0;
  if (!wants_initial) {
    const store::Revision after = *revision == 0 ? registry.revision() : *revision;
    // Of a registry that was restored since, or of another one: what became of it nobody here can tell.
    if (!registry.reached(after))
      return status_reply(
          registry::expired(fmt::format("too large resource version: {}, current: {}", after, registry.revision())));
    auto position = hub.join(route.kind, after);
    if (!position) return status_reply(position.error());
    return with_feed(encoding.format,
                     std::make_unique<WatchFeed>(std::move(settings), hub, std::move(*position), after));
  }

  if (!registry.reached(*revision))
    return error_event(encoding.format, too_large_revision(*revision, registry.revision()));
  settings.end_of_initial = settings.bookmarks && (asked || text.empty());
  auto items = ItemSource::open(
      registry, {.kind = route.kind, .name_space = route.name_space, .limit = 0, .from = {}, .revision = 0},
      settings.selector);
  if (!items) return status_reply(items.error());
  const store::Revision at = items->revision();
  auto events = std::make_unique<InitialEvents>(std::move(*items), settings);
  return with_feed(encoding.format, std::make_unique<WatchFeed>(std::move(settings), hub, std::move(events), at));
}

} // namespace signpost::api
