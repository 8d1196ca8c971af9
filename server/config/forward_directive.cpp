#include <filesystem>

#include "server/config/options.hpp"
#include "server/config/resolv_conf.hpp"

namespace signpost::server::corefile {
namespace {

Done read_except(const Line& line, ForwardSettings& forward, Reading&) {
  for (const Token& word : line.arguments) {
    if (word.text.find('/') != std::string::npos) {
      const auto zones = reverse_zones(word.text);
      if (!zones) return wrong(line, quote(word.text) + " is not an address prefix; instead: one like 10.0.0.0/8");
      forward.except.insert(forward.except.end(), zones->begin(), zones->end());
      continue;
    }
    auto zone = parse_zone(word.text);
    if (!zone) return wrong(line, zone.error() + "; instead: a name like example.org");
    forward.except.push_back(std::move(*zone));
  }
  return {};
}

Done read_read_timeout(const Line& line, ForwardSettings& forward, Reading&) {
  const auto duration = parse_duration(line.arguments[0].text);
  const auto timeout =
      std::chrono::duration_cast<std::chrono::milliseconds>(duration.value_or(std::chrono::seconds(0)));
  if (timeout.count() <= 0)
    return wrong(line,
                 "read_timeout " + quote(line.arguments[0].text) + " is not a time above zero; instead: one like 2s");
  forward.read_timeout = timeout;
  return {};
}

Done read_policy(const Line& line, ForwardSettings& forward, Reading&) {
  const std::string& policy = line.arguments[0].text;
  if (policy == "random")
    forward.policy = ForwardSettings::Policy::random;
  else if (policy == "round_robin")
    forward.policy = ForwardSettings::Policy::round_robin;
  else if (policy == "sequential")
    forward.policy = ForwardSettings::Policy::sequential;
  else
    return wrong(line, "there is no policy " + quote(policy) + "; instead: random, round_robin or sequential");
  return {};
}

Done read_max_concurrent(const Line& line, ForwardSettings& forward, Reading&) {
  const auto number = parse_number(line.arguments[0].text, 0, 1u << 30);
  if (!number)
    return wrong(line, "max_concurrent " + quote(line.arguments[0].text) + " is not a number; instead: one like 1000");
  forward.max_concurrent = static_cast<std::uint32_t>(*number);
  return {};
}

Done read_force_tcp(const Line&, ForwardSettings& forward, Reading&) {
  forward.force_tcp = true;
  return {};
}

/// Time-outs and counts that steer how CoreDNS keeps connections: looked at, then without effect.
Done unused_duration(const Line& line, ForwardSettings& forward, Reading& reading) {
  if (!parse_duration(line.arguments[0].text))
    return wrong(line, line.name.text + " " + quote(line.arguments[0].text) + " is not a time; instead: one like 10s");
  return without_effect(line, forward, reading);
}

Done unused_number(const Line& line, ForwardSettings& forward, Reading& reading) {
  if (!parse_number(line.arguments[0].text, 0, 1u << 30))
    return wrong(line, line.name.text + " " + quote(line.arguments[0].text) + " is not a number; instead: one like 2");
  return without_effect(line, forward, reading);
}

constexpr Option<ForwardSettings> forward_table[] = {
    {"except", 1, any_number, "except NAME...", read_except, false,
     "names and address prefixes that are not asked of these"},
    {"force_tcp", 0, 0, "force_tcp", read_force_tcp, false, "ask over TCP"},
    {"prefer_udp", 0, 0, "prefer_udp", without_effect<ForwardSettings>, false, no_effect},
    {"read_timeout", 1, 1, "read_timeout DURATION", read_read_timeout, false, "how long one try waits for its answer"},
    {"policy", 1, 1, "policy random|round_robin|sequential", read_policy, false, "which server is asked first"},
    {"max_concurrent", 1, 1, "max_concurrent NUMBER", read_max_concurrent, false,
     "more questions than this at once are refused; 0 is no such limit"},
    {"expire", 1, 1, "expire DURATION", unused_duration, false, no_effect},
    {"max_age", 1, 1, "max_age DURATION", unused_duration, false, no_effect},
    {"max_idle_conns", 1, 1, "max_idle_conns NUMBER", unused_number, false, no_effect},
    {"max_fails", 1, 1, "max_fails NUMBER", unused_number, false, no_effect},
    {"max_connect_attempts", 1, 1, "max_connect_attempts NUMBER", unused_number, false, no_effect},
    {"health_check", 1, any_number, "health_check DURATION [no_rec] [domain NAME]", unused_duration, false, no_effect},
    {"tls", 0, any_number, "", not_yet<ForwardSettings>},
    {"tls_servername", 0, any_number, "", not_yet<ForwardSettings>},
    {"doh_method", 0, any_number, "", not_yet<ForwardSettings>},
    {"next", 0, any_number, "", not_yet<ForwardSettings>},
    {"next_on_nodata", 0, any_number, "", not_yet<ForwardSettings>},
    {"failover", 0, any_number, "", not_yet<ForwardSettings>},
    {"failfast_all_unhealthy_upstreams", 0, any_number, "", not_yet<ForwardSettings>},
    {"source_address", 0, any_number, "", not_yet<ForwardSettings>},
    {"resolver", 0, any_number, "", not_yet<ForwardSettings>},
};

/// Whether a word must be meant as a path, though nothing is there.
bool names_path(std::string_view word) {
  return word.starts_with('/') || word.starts_with("./") || word.starts_with("../");
}

Done add_upstreams(const Line& line, const Token& word, ForwardSettings& forward, Reading& reading) {
  std::string text = word.text;
  if (const auto scheme = text.find("://"); scheme != std::string::npos) {
    if (!text.starts_with("dns://"))
      return tl::unexpected(word.place() + "forwarding to " + quote(text) +
                            " is not supported yet; instead: name a server that takes plain DNS");
    text.erase(0, scheme + 3);
  }
  if (const auto endpoint = Endpoint::parse(text, 53)) {
    if (ScopedAddress(endpoint->address, endpoint->zone).lacks_zone())
      return tl::unexpected(word.place() + quote(word.text) + " is link-local and names no interface; write " +
                            endpoint->address.to_string() + "%INTERFACE");
    forward.upstreams.push_back(*endpoint);
    return {};
  }
  std::error_code ignored;
  if (!names_path(text) && !std::filesystem::is_regular_file(text, ignored))
    return tl::unexpected(word.place() + quote(word.text) +
                          " is neither an address nor a file; instead: ADDRESS[:PORT] or the path of a resolv.conf");
  forward.files.push_back({text, forward.upstreams.size()});
  for (const std::string& problem : read_resolv_conf(text).problems) reading.warn(line, problem);
  return {};
}

} // namespace

std::vector<Entry> forward_options() { return entries<ForwardSettings>(forward_table); }

Done read_forward(const Line& line, Reading& reading) {
  if (line.arguments.size() < 2)
    return wrong(line,
                 "forward needs a name and an upstream; instead: forward . /etc/resolv.conf or forward . ADDRESS");
  ForwardSettings forward;
  forward.place.text = line.place();
  const std::string& from = line.arguments[0].text;
  if (from.find('/') != std::string::npos) {
    const auto zones = reverse_zones(from);
    if (!zones || zones->size() != 1)
      return wrong(line, quote(from) + " is not a prefix that ends at a label; instead: one like 10.0.0.0/8");
    forward.from = zones->front();
  } else {
    auto zone = parse_zone(from);
    if (!zone) return wrong(line, zone.error() + "; instead: . for all names, then the upstreams");
    forward.from = std::move(*zone);
  }
  for (std::size_t i = 1; i < line.arguments.size(); ++i)
    reading.note(add_upstreams(line, line.arguments[i], forward, reading));
  if (forward.upstreams.size() > ForwardSettings::max_upstreams)
    return wrong(line, "forward has " + std::to_string(forward.upstreams.size()) + " upstreams; instead: at most 15");
  read_options<ForwardSettings>(line, forward_table, forward, reading);
  reading.block.forward = std::move(forward);
  return {};
}

} // namespace signpost::server::corefile
