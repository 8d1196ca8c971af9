// `log`, `errors` and `debug`: what is written to the log, and how.
#include "server/config/options.hpp"

namespace signpost::server::corefile {
namespace {

/// The log is one: what a block says of it holds for all.
Done read_format(const Line& line, LogSettings& log, Reading&) {
  const std::string& format = line.arguments[0].text;
  if (format != "text" && format != "json")
    return wrong(line, "there is no log format " + quote(format) + "; instead: text or json");
  log.json = format == "json";
  return {};
}

Done read_level(const Line& line, LogSettings& log, Reading&) {
  const auto level = parse_log_level(line.arguments[0].text);
  if (!level)
    return wrong(line,
                 "there is no log level " + quote(line.arguments[0].text) + "; instead: debug, info, warning or error");
  log.level = *level;
  return {};
}

constexpr Option<LogSettings> log_table[] = {
    {"format", 1, 1, "format text|json", read_format, false,
     "of all of the log's lines: key=value, or one JSON object a line (text)"},
    {"level", 1, 1, "level debug|info|warning|error", read_level, false,
     "lines below it are not written; those of queries are at info (info)"},
    {"class", 1, any_number, "class CLASS...", without_effect<LogSettings>, false, no_effect},
};

} // namespace

std::vector<Entry> log_options() { return entries<LogSettings>(log_table); }

Done read_log(const Line& line, Reading& reading) {
  reading.block.log = true;
  if (!line.arguments.empty())
    reading.warn(line, "log writes every query of its block, in one form: its arguments have no effect in Signpost");
  read_options<LogSettings>(line, log_table, reading.settings.log, reading);
  return {};
}

Done read_errors(const Line& line, Reading& reading) {
  reading.block.errors = true;
  if (!line.arguments.empty() && line.arguments.front().text != "stdout")
    return wrong(line, "errors writes to the log only; instead: leave " + quote(line.arguments.front().text) + " out");
  if (line.has_block) reading.warn(line, "errors are summed up by themselves in Signpost: its block has no effect");
  return {};
}

Done read_debug(const Line& line, Reading& reading) {
  if (!line.arguments.empty() || line.has_block) return wrong(line, "debug takes no arguments; instead: debug");
  reading.settings.log.level = LogSettings::Level::debug;
  return {};
}

} // namespace signpost::server::corefile
