// Log lines, one event a line, its facts as key=value or as members of a JSON object, for people and for machines.
//
//   log::info("dns", "listening", {{"address", "127.0.0.1:5300"}, {"transport", "udp,tcp"}});
//   2026-11-23T09:00:00.000Z info dns: listening address=127.0.0.1:5300 transport=udp,tcp
//   {"time":"2026-11-23T09:00:00.000Z","level":"info","component":"dns","message":"listening","address":…}
//
// Values from the network are escaped, so that a line is always one line. To standard error, by a thread of the log's
// own (line_writer.hpp): nobody who logs waits for the reader. Any thread; never on the packet path.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace signpost::server::log {

struct Field {
  std::string_view key;
  std::string value;
  bool number = false; // in JSON without quotes

  Field(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  Field(std::string_view k, std::uint64_t v) : key(k), value(std::to_string(v)), number(true) {}
  Field(std::string_view k, std::int64_t v) : key(k), value(std::to_string(v)), number(true) {}
  Field(std::string_view k, unsigned v) : key(k), value(std::to_string(v)), number(true) {}
  Field(std::string_view k, int v) : key(k), value(std::to_string(v)), number(true) {}
};

using Fields = std::initializer_list<Field>;

enum class Level : std::uint8_t { debug, info, warning, error };
enum class Format : std::uint8_t { text, json };

struct Settings {
  Level level = Level::info; // lines below it are not written
  Format format = Format::text;
  bool operator==(const Settings&) const = default;
};

/// Starts the writer; once, at start. Lines logged before go to standard output.
void open(const Settings& settings = {});
/// Other settings from now on; any thread.
void set(const Settings& settings);
/// What was logged comes out, as far as somebody reads; what is logged afterwards does not. Before every exit.
void close();

void debug(std::string_view component, std::string_view message, Fields fields = {});
void info(std::string_view component, std::string_view message, Fields fields = {});
void warning(std::string_view component, std::string_view message, Fields fields = {});
void error(std::string_view component, std::string_view message, Fields fields = {});
/// At level info; one of many: dropped before other lines are, when they come faster than they are read.
void sample(std::string_view component, std::string_view message, Fields fields = {});
/// A line as it is, whatever the format: the last word of a start that failed. `line` has no line break.
void plain(std::string_view line);

/// Whether lines of this level are written.
[[nodiscard]] bool writes(Level level);
/// Lines so far that nobody will see.
[[nodiscard]] std::uint64_t dropped_lines();

/// Warnings and errors since the start, written or not.
struct Tally {
  std::uint64_t warnings = 0, errors = 0;
  std::string last; // the newest of them, as text; empty: none
};
[[nodiscard]] Tally tally();

/// The text of one event, without time and level; of JSON, the members behind those, without braces.
[[nodiscard]] std::string format(std::string_view component, std::string_view message, Fields fields);
[[nodiscard]] std::string format_json(std::string_view component, std::string_view message, Fields fields);

} // namespace signpost::server::log
