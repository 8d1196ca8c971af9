#include "server/log/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "server/log/line_writer.hpp"

namespace signpost::server::log {

namespace {

constexpr const char* text_pattern = "%Y-%m-%dT%H:%M:%S.%eZ %l %v";
constexpr const char* json_pattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";
constexpr const char* sampled = "samples"; // the logger of lines that stand for each other
constexpr auto patience = std::chrono::milliseconds(500);

bool is_plain(std::string_view value) {
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

void append_quoted(std::string_view value, std::string& out) {
  out += nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
  case Level::debug: return spdlog::level::debug;
  case Level::info: return spdlog::level::info;
  case Level::warning: return spdlog::level::warn;
  case Level::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::atomic<Level> least{Level::info};
std::atomic<Format> shape{Format::text};

/// Formats where the line is logged, writes elsewhere.
class Sink final : public spdlog::sinks::base_sink<std::mutex> {
public:
  Sink() : lines_(WriterSettings{}, [](std::uint64_t count) { return gap(count); }) {}

  void set_shape(Format format) {
    const std::lock_guard lock(mutex_);
    formatter_ = made(format);
  }
  void plain(std::string line) { lines_.put(std::move(line)); }
  void close() { lines_.close(patience); }
  [[nodiscard]] std::uint64_t dropped() const { return lines_.dropped(); }

private:
  static std::unique_ptr<spdlog::formatter> made(Format format) {
    return std::make_unique<spdlog::pattern_formatter>(format == Format::json ? json_pattern : text_pattern,
                                                       spdlog::pattern_time_type::utc, "\n");
  }

  static std::string gap(std::uint64_t count) {
    const Format format = shape.load(std::memory_order_relaxed);
    const Fields fields = {{"count", count}};
    constexpr std::string_view message = "lines were dropped: they were not read in time";
    const std::string text = format == Format::json ? format_json("log", message, fields)
                                                    : log::format("log", message, fields);
    spdlog::memory_buf_t line;
    made(format)->format({spdlog::string_view_t(), spdlog::level::warn, text}, line);
    return {line.data(), line.size()};
  }

  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    std::string text(line.data(), line.size());
    if (message.logger_name == sampled)
      lines_.put_sample(std::move(text));
    else
      lines_.put(std::move(text));
  }
  void flush_() override {}

  LineWriter lines_;
};

std::shared_ptr<Sink> sink;                      // set once, by open()
std::shared_ptr<spdlog::logger> lines, samples;  // … as these

std::mutex told_mutex;
Tally told; // guarded by told_mutex

void count(Level level, std::string_view component, std::string_view message, Fields fields) {
  if (level < Level::warning) return;
  std::string text = log::format(component, message, fields);
  const std::lock_guard lock(told_mutex);
  ++(level == Level::error ? told.errors : told.warnings);
  told.last = std::move(text);
}

void write(spdlog::logger* logger, Level level, std::string_view component, std::string_view message, Fields fields) {
  count(level, component, message, fields);
  if (!writes(level)) return;
  const std::string text = shape.load(std::memory_order_relaxed) == Format::json
                               ? format_json(component, message, fields)
                               : format(component, message, fields);
  if (logger == nullptr) logger = spdlog::default_logger_raw();
  logger->log(spdlog_level(level), spdlog::string_view_t(text));
}

} // namespace

void open(const Settings& settings) {
  sink = std::make_shared<Sink>();
  lines = std::make_shared<spdlog::logger>("signpostd", sink);
  samples = std::make_shared<spdlog::logger>(sampled, sink);
  for (const auto& logger : {lines, samples}) logger->set_level(spdlog::level::trace);
  set(settings);
}

void set(const Settings& settings) {
  least.store(settings.level, std::memory_order_relaxed);
  if (sink) sink->set_shape(settings.format);
  shape.store(settings.format, std::memory_order_relaxed);
}

void close() {
  if (sink) sink->close();
}

void debug(std::string_view component, std::string_view message, Fields fields) {
  write(lines.get(), Level::debug, component, message, fields);
}
void info(std::string_view component, std::string_view message, Fields fields) {
  write(lines.get(), Level::info, component, message, fields);
}
void warning(std::string_view component, std::string_view message, Fields fields) {
  write(lines.get(), Level::warning, component, message, fields);
}
void error(std::string_view component, std::string_view message, Fields fields) {
  write(lines.get(), Level::error, component, message, fields);
}
void sample(std::string_view component, std::string_view message, Fields fields) {
  write(samples.get(), Level::info, component, message, fields);
}
void plain(std::string_view line) {
  if (sink) sink->plain(std::string(line) + "\n");
}

bool writes(Level level) { return level >= least.load(std::memory_order_relaxed); }

Tally tally() {
  const std::lock_guard lock(told_mutex);
  return told;
}

std::uint64_t dropped_lines() { return sink ? sink->dropped() : 0; }

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
    if (is_plain(field.value)) {
      line += field.value;
    } else {
      line += '"';
      append_escaped(field.value, line);
      line += '"';
    }
  }
  return line;
}

std::string format_json(std::string_view component, std::string_view message, Fields fields) {
  std::string line = "\"component\":";
  append_quoted(component, line);
  line += ",\"message\":";
  append_quoted(message, line);
  for (const Field& field : fields) {
    line += ',';
    append_quoted(field.key, line);
    line += ':';
    if (field.number)
      line += field.value;
    else
      append_quoted(field.value, line);
  }
  return line;
}

} // namespace signpost::server::log
