#include "server/log/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace signpost::server::log {

namespace {

bool plain(std::string_view value) {
  if (value.empty()) return false;
  for (const unsigned char c : value)
    if (c <= ' ' || c == '"' || c == '\\' || c == '=' || c >= 0x7f) return false;
  return true;
}

void append_escaped(std::string_view value, std::string& out) {
  static constexpr char hex[] = "0123456789abcdef";
  for (const unsigned char c : value) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c < ' ' || c == 0x7f) {
      out += "\\x";
      out += hex[c >> 4];
      out += hex[c & 15];
    } else {
      out += static_cast<char>(c);
    }
  }
}

} // namespace

void open() {
  auto logger = spdlog::stderr_logger_mt("signpostd");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  spdlog::set_default_logger(std::move(logger));
  spdlog::flush_on(spdlog::level::info);
}

std::string format(std::string_view component, std::string_view message, Fields fields) {
  std::string line;
  line.reserve(128);
  append_escaped(component, line);
  line += ": ";
  append_escaped(message, line);
  for (const Field& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    if (plain(field.value)) {
      line += field.value;
    } else {
      line += '"';
      append_escaped(field.value, line);
      line += '"';
    }
  }
  return line;
}

void info(std::string_view component, std::string_view message, Fields fields) {
  spdlog::default_logger_raw()->log(spdlog::level::info, spdlog::string_view_t(format(component, message, fields)));
}
void warning(std::string_view component, std::string_view message, Fields fields) {
  spdlog::default_logger_raw()->log(spdlog::level::warn, spdlog::string_view_t(format(component, message, fields)));
}
void error(std::string_view component, std::string_view message, Fields fields) {
  spdlog::default_logger_raw()->log(spdlog::level::err, spdlog::string_view_t(format(component, message, fields)));
}

} // namespace signpost::server::log
