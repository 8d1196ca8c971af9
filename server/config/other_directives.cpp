// `nsid` and `reload`, and the words of other servers' files that cannot change an answer here: read, checked, and
// warned of once.
#include <unistd.h>

#include <array>

#include "server/config/options.hpp"

namespace signpost::server::corefile {
namespace {

constexpr auto least_interval = std::chrono::seconds(2), least_jitter = std::chrono::seconds(1); // as CoreDNS
constexpr std::uint64_t least_size = 512, most_size = 4096;                                      // octets, as CoreDNS

Done take_without_effect(const Line& line, Reading& reading, const std::string& why) {
  if (line.has_block && !line.block.empty())
    return wrong(line.block.front(), line.name.text + " has no option " + quote(line.block.front().name.text) +
                                         " in Signpost; instead: remove it");
  if (reading.told.insert(line.name.text).second)
    reading.warn(line, line.name.text + " has no effect in Signpost: " + why);
  return {};
}

} // namespace

Done read_nsid(const Line& line, Reading& reading) {
  constexpr std::size_t longest = 64;
  std::string& nsid = reading.block.nsid;
  for (const Token& word : line.arguments) nsid += (nsid.empty() ? "" : " ") + word.text;
  if (line.arguments.empty()) {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0')
      return wrong(line, "this host has no name to tell; instead: nsid NAME");
    nsid = std::string(name.data()).substr(0, longest);
  }
  if (nsid.size() > longest) return wrong(line, "nsid takes at most 64 octets; instead: a shorter name");
  return {};
}

Done read_reload(const Line& line, Reading& reading) {
  if (line.arguments.size() > 2 || line.has_block)
    return wrong(line, "reload takes an interval and a jitter; instead: reload [INTERVAL] [JITTER]");
  ReloadSettings reload;
  const auto time = [&](std::size_t at, std::chrono::milliseconds least, std::chrono::milliseconds& target) -> Done {
    if (line.arguments.size() <= at) return {};
    const auto duration = parse_duration(line.arguments[at].text);
    const bool zero = duration && duration->count() == 0 && at == 1;
    if (!duration || (*duration < least && !zero))
      return wrong(line, quote(line.arguments[at].text) + " is not a time of at least " +
                             std::to_string(std::chrono::duration_cast<std::chrono::seconds>(least).count()) +
                             "s; instead: one like reload 30s 15s");
    target = std::chrono::duration_cast<std::chrono::milliseconds>(*duration);
    return {};
  };
  if (auto done = time(0, least_interval, reload.interval); !done) return done;
  if (auto done = time(1, least_jitter, reload.jitter); !done) return done;
  reload.jitter = std::min(reload.jitter, reload.interval / 2);
  if (!reading.settings.reload || reload.interval < reading.settings.reload->interval) reading.settings.reload = reload;
  return {};
}

Done read_loop(const Line& line, Reading& reading) {
  if (!line.arguments.empty()) return wrong(line, "loop takes no arguments; instead: loop");
  return take_without_effect(line, reading, "an upstream that is this server itself is refused at the start");
}

Done read_loadbalance(const Line& line, Reading& reading) {
  if (line.arguments.size() > 1 || (line.arguments.size() == 1 && line.arguments[0].text != "round_robin"))
    return wrong(line, "loadbalance " + quote(line.arguments[0].text) +
                           " is not supported yet; instead: loadbalance or loadbalance round_robin");
  return take_without_effect(line, reading, "addresses take turns in every answer as it is");
}

Done read_bufsize(const Line& line, Reading& reading) {
  if (line.arguments.size() > 1 ||
      (line.arguments.size() == 1 && !parse_number(line.arguments[0].text, least_size, most_size)))
    return wrong(line, "bufsize takes a number of octets from 512 to 4096; instead: bufsize 1232");
  return take_without_effect(line, reading, "no answer over UDP is larger than 1232 octets");
}

Done read_minimal(const Line& line, Reading& reading) {
  if (!line.arguments.empty()) return wrong(line, "minimal takes no arguments; instead: minimal");
  return take_without_effect(line, reading, "answers hold what a client needs and no more");
}

} // namespace signpost::server::corefile
