// Log lines as logfmt: one event a line, its facts as key=value, for people and for machines.
//
//   log::info("dns", "listening", {{"address", "127.0.0.1:5300"}, {"transport", "udp,tcp"}});
//   2026-11-23T09:00:00.000Z info dns: listening address=127.0.0.1:5300 transport=udp,tcp
//
// Values from the network are escaped, so that a line is always one line. Through spdlog, to standard error; any
// thread; never on the packet path.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace signpost::server::log {

struct Field {
  std::string_view key;
  std::string value;

  Field(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  Field(std::string_view k, std::uint64_t v) : key(k), value(std::to_string(v)) {}
  Field(std::string_view k, std::int64_t v) : key(k), value(std::to_string(v)) {}
  Field(std::string_view k, unsigned v) : key(k), value(std::to_string(v)) {}
  Field(std::string_view k, int v) : key(k), value(std::to_string(v)) {}
};

using Fields = std::initializer_list<Field>;

/// Sets the format and the sink; once, at start.
void open();

void info(std::string_view component, std::string_view message, Fields fields = {});
void warning(std::string_view component, std::string_view message, Fields fields = {});
void error(std::string_view component, std::string_view message, Fields fields = {});

/// The text of one event, without time and level.
[[nodiscard]] std::string format(std::string_view component, std::string_view message, Fields fields);

} // namespace signpost::server::log
