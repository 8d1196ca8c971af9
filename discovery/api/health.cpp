#include "discovery/api/health.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>

namespace signpost::api {
namespace {

struct Check {
  std::string_view name;
  std::optional<std::string> problem;
  bool fatal = true; // a problem fails the page
};

/// That a page is answered at all is what ping says.
std::vector<Check> checks_of(std::string_view page, const std::function<std::optional<std::string>()>& ready,
                             const std::function<std::optional<std::string>()>& trouble) {
  std::vector<Check> checks = {{"ping", std::nullopt}};
  if (page == "readyz") {
    checks.push_back({"registry", ready ? ready() : std::nullopt});
    if (trouble) checks.push_back({"writes", trouble(), false});
  }
  return checks;
}

Reply one_check(const std::vector<Check>& checks, std::string_view name) {
  for (const Check& check : checks) {
    if (check.name != name) continue;
    return check.problem ? text_reply(500, fmt::format("internal server error: {}\n", *check.problem))
                         : text_reply(200, "ok");
  }
  return text_reply(404, "404 page not found\n");
}

} // namespace

std::optional<Reply> health_page(const Target& target, const std::function<std::optional<std::string>()>& ready,
                                 const std::function<std::optional<std::string>()>& trouble) {
  const auto& segments = target.segments;
  if (segments.empty() || segments.size() > 2) return std::nullopt;
  const std::string& page = segments[0];
  if (page != "healthz" && page != "livez" && page != "readyz") return std::nullopt;
  const std::vector<Check> checks = checks_of(page, ready, trouble);
  if (segments.size() == 2) return one_check(checks, segments[1]);

  const auto excluded = target.query.all("exclude");
  std::vector<std::string_view> unknown = excluded;
  std::string lines;
  bool failed = false;
  for (const Check& check : checks) {
    std::erase(unknown, check.name);
    if (std::find(excluded.begin(), excluded.end(), check.name) != excluded.end()) {
      lines += fmt::format("[+]{} excluded: ok\n", check.name);
    } else if (check.problem) {
      lines += fmt::format("[-]{} failed: {}\n", check.name, *check.problem);
      failed = failed || check.fatal;
    } else {
      lines += fmt::format("[+]{} ok\n", check.name);
    }
  }
  for (const std::string_view name : unknown)
    lines += fmt::format("warn: some health checks cannot be excluded: no matches for \"{}\"\n", name);
  if (failed) return text_reply(500, fmt::format("{}{} check failed\n", lines, page));
  return text_reply(200, target.query.has("verbose") ? fmt::format("{}{} check passed\n", lines, page) : "ok");
}

} // namespace signpost::api
