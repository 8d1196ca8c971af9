// `prometheus`, `health` and `ready`: addresses where whoever reaches them finds one page.
#include "server/config/options.hpp"

namespace signpost::server::corefile {
namespace {

constexpr auto longest_lameduck = std::chrono::hours(1);

/// Host and port as CoreDNS writes them: ":9153" is every address, "localhost:9153" 127.0.0.1.
std::optional<Endpoint> parse_page_endpoint(std::string_view text, const Host& host) {
  if (text.starts_with(':')) {
    const auto all = host.addresses();
    const bool six = std::any_of(all.begin(), all.end(), [](const model::Address& one) { return !one.is_v4(); });
    return Endpoint::parse((six ? "[::]" : "0.0.0.0") + std::string(text));
  }
  if (text.starts_with("localhost:")) return Endpoint::parse("127.0.0.1" + std::string(text.substr(9)));
  return Endpoint::parse(text);
}

/// The same address in more than one block is one.
Done add_page(const Line& line, PageAddress::Page page, std::string_view fallback, Reading& reading) {
  if (line.arguments.size() > 1)
    return wrong(line, line.name.text + " takes one address; instead: " + line.name.text + " " + std::string(fallback));
  const std::string text = line.arguments.empty() ? std::string(fallback) : line.arguments[0].text;
  const auto endpoint = parse_page_endpoint(text, reading.host);
  if (!endpoint)
    return wrong(line, quote(text) + " is not an address with a port; instead: one like " + std::string(fallback));
  PageAddress address{.page = page, .endpoint = *endpoint, .place = {line.place()}};
  auto& all = reading.settings.pages;
  if (std::find(all.begin(), all.end(), address) == all.end()) all.push_back(std::move(address));
  return {};
}

Done read_lameduck(const Line& line, Settings& settings, Reading&) {
  const auto duration = parse_duration(line.arguments[0].text);
  if (!duration || *duration > longest_lameduck)
    return wrong(line,
                 "lameduck " + quote(line.arguments[0].text) + " is not a time of at most 1h; instead: one like 5s");
  settings.lameduck = std::max(settings.lameduck, std::chrono::ceil<std::chrono::milliseconds>(*duration));
  return {};
}

constexpr Option<Settings> health_table[] = {
    {"lameduck", 1, 1, "lameduck DURATION", read_lameduck, false,
     "after the signal to stop, DNS is answered for this long, while /ready says 503 (0s)"},
};

constexpr Option<Settings> ready_table[] = {
    {"monitor", 1, 1, "monitor until-ready|continuously", without_effect<Settings>, false, no_effect},
};

constexpr Option<Settings> prometheus_table[] = {
    {"runtime_metrics", 0, 0, "runtime_metrics", without_effect<Settings>, false, no_effect},
    {"tls", 0, any_number, "", not_yet<Settings>},
};

} // namespace

std::vector<Entry> prometheus_options() { return entries<Settings>(prometheus_table); }
std::vector<Entry> health_options() { return entries<Settings>(health_table); }
std::vector<Entry> ready_options() { return entries<Settings>(ready_table); }

Done read_prometheus(const Line& line, Reading& reading) {
  read_options<Settings>(line, prometheus_table, reading.settings, reading);
  return add_page(line, PageAddress::Page::metrics, "localhost:9153", reading);
}

Done read_health(const Line& line, Reading& reading) {
  read_options<Settings>(line, health_table, reading.settings, reading);
  return add_page(line, PageAddress::Page::health, ":8080", reading);
}

Done read_ready(const Line& line, Reading& reading) {
  read_options<Settings>(line, ready_table, reading.settings, reading);
  return add_page(line, PageAddress::Page::ready, ":8181", reading);
}

} // namespace signpost::server::corefile
