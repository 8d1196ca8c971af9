#include "client/cli/status.hpp"

#include <nlohmann/json.hpp>
#include <ostream>

#include "client/cli/output.hpp"

namespace signpost::cli {

namespace {

struct Endpoints {
  std::size_t ready = 0, not_ready = 0;
};

Expected<Endpoints> count_endpoints(Api& api) {
  const auto slices = api.list(model::info(model::Kind::endpoint_slice), {.name_space = ""});
  if (!slices) return tl::make_unexpected(slices.error());
  Endpoints counted;
  for (const auto& slice : (*slices)["items"]) {
    for (const auto& endpoint : member(slice, "endpoints")) {
      const auto& ready = member(member(endpoint, "conditions"), "ready");
      ++(ready.is_boolean() && !ready.get<bool>() ? counted.not_ready : counted.ready);
    }
  }
  return counted;
}

std::string scalar(const Json& value) {
  if (value.is_string()) return printable(value.get_ref<const std::string&>());
  return value.is_null() ? "" : printable(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string joined(const Json& list) {
  std::string out;
  if (list.is_array())
    for (const auto& item : list) (out += out.empty() ? "" : ", ") += scalar(item);
  return out.empty() ? "<none>" : out;
}

std::uint64_t number(const Json& value) { return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0; }

std::string span(std::uint64_t seconds) {
  const auto days = seconds / 86400, hours = seconds / 3600 % 24, minutes = seconds / 60 % 60;
  if (days != 0) return std::to_string(days) + "d" + std::to_string(hours) + "h";
  if (hours != 0) return std::to_string(hours) + "h" + std::to_string(minutes) + "m";
  if (minutes != 0) return std::to_string(minutes) + "m" + std::to_string(seconds % 60) + "s";
  return std::to_string(seconds) + "s";
}

void print(std::ostream& out, const Json& page) {
  const auto line = [&](std::string_view key, const std::string& value) {
    std::string text = std::string(key) + ':';
    text.resize(std::max<std::size_t>(12, text.size() + 1), ' ');
    out << text << value << '\n';
  };
  line("Version", scalar(member(page, "version")));
  line("Up", span(number(member(page, "uptimeSeconds"))) + ", since " + scalar(member(page, "started")));
  line("State", member(page, "ready") == true ? "ready" : "not ready");
  line("Zones", joined(member(page, "zones")));
  line("DNS", joined(member(page, "dns")));
  line("API", joined(member(page, "api")));
  for (const auto& source : member(page, "sources"))
    line("Source",
         scalar(member(source, "kind")) + ", " +
             (member(source, "files").is_array() ? joined(member(source, "files")) : scalar(member(source, "data"))));
  line("Services", scalar(member(page, "services")));
  if (const auto& endpoints = member(page, "endpoints"); endpoints.is_object())
    line("Endpoints",
         scalar(member(endpoints, "ready")) + " ready, " + scalar(member(endpoints, "notReady")) + " not ready");
  if (const auto& revision = member(page, "revision"); !revision.is_null()) line("Revision", scalar(revision));
  line("Questions", scalar(member(page, "questions")) + ", " + scalar(member(page, "dropped")) + " dropped");
  if (const auto& cache = member(page, "cache"); cache.is_object())
    line("Cache", scalar(member(cache, "entries")) + " entries, " + scalar(member(cache, "bytes")) + " bytes, " +
                      scalar(member(cache, "hits")) + " hits, " + scalar(member(cache, "misses")) + " misses");
  std::string upstreams;
  for (const auto& upstream : member(page, "upstreams"))
    (upstreams += upstreams.empty() ? "" : ", ") += scalar(member(upstream, "address"));
  if (!upstreams.empty()) line("Upstreams", upstreams);
  if (const auto& forwarding = member(page, "forwarding"); forwarding.is_object())
    line("Forwarded", scalar(member(forwarding, "tries")) + " tries, " + scalar(member(forwarding, "timeouts")) +
                          " timed out, " + scalar(member(forwarding, "failures")) + " questions failed");
  const auto& log = member(page, "log");
  line("Log", scalar(member(log, "warnings")) + " warnings, " + scalar(member(log, "errors")) + " errors, " +
                  scalar(member(log, "dropped")) + " lines dropped");
  if (const auto last = scalar(member(log, "last")); !last.empty()) line("Last", last);
}

} // namespace

Exit status(const Session& session, const StatusOptions& options) {
  auto api = session.api();
  if (!api) return session.complain(api.error()), api.error().code;
  auto page = api->call({.target = "/status"});
  if (!page && page.error().code == Exit::not_found)
    page = fail(Exit::error, "the server has no status page; is the URL that of a signpostd API?");
  if (!page) return session.complain(page.error()), page.error().code;
  if (const auto endpoints = count_endpoints(*api))
    (*page)["endpoints"] = {{"ready", endpoints->ready}, {"notReady", endpoints->not_ready}};
  else
    session.complain({endpoints.error().code, "the endpoints are not counted: " + endpoints.error().message});
  if (options.output == "json")
    print_json(session.out, *page);
  else
    print(session.out, *page);
  return (*page)["ready"] == true ? Exit::ok : Exit::unavailable;
}

} // namespace signpost::cli
