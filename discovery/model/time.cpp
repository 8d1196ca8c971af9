#include "discovery/model/time.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace signpost::model {
namespace {

struct Reader {
  std::string_view rest;
  std::string_view failed; // the layout element that did not match; empty: all did

  int digits(std::size_t count, std::string_view element) {
    if (!failed.empty()) return 0;
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (i >= rest.size() || rest[i] < '0' || rest[i] > '9') {
        failed = element;
        return 0;
      }
      value = value * 10 + (rest[i] - '0');
    }
    rest.remove_prefix(count);
    return value;
  }
  void literal(std::string_view element) {
    if (!failed.empty()) return;
    if (rest.starts_with(element)) {
      rest.remove_prefix(element.size());
    } else {
      failed = element;
    }
  }
  /// Six digits, no more and no less.
  std::int32_t microseconds() {
    if (!failed.empty()) return 0;
    const auto shown = rest.substr(0, 7);
    if (shown.size() == 7 && shown[0] == '.' &&
        std::all_of(shown.begin() + 1, shown.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      rest.remove_prefix(1);
      return digits(6, ".000000");
    }
    failed = ".000000";
    return 0;
  }
  /// Of any length, or none; in microseconds.
  std::int32_t fraction() {
    if (!failed.empty() || rest.size() < 2 || (rest[0] != '.' && rest[0] != ',')) return 0;
    std::int32_t value = 0, weight = 100'000;
    std::size_t end = 1;
    for (; end < rest.size() && rest[end] >= '0' && rest[end] <= '9'; ++end, weight /= 10)
      value += (rest[end] - '0') * weight;
    if (end > 1) rest.remove_prefix(end);
    return value;
  }
};

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

void append_padded(std::string& out, unsigned value, int width) {
  char digits[6];
  for (int i = width; i-- > 0; value /= 10) digits[i] = static_cast<char>('0' + value % 10);
  out.append(digits, static_cast<std::size_t>(width));
}

/// `exact`: the fraction has six digits.
tl::expected<Instant, std::string> read_time(std::string_view text, std::string_view layout, bool exact = false);

} // namespace

std::string time_text(std::int64_t seconds) {
  using namespace std::chrono;
  constexpr std::int64_t first = -62135596800, last = 253402300799; // years 1 and 9999
  if (seconds < first || seconds > last) return {};
  sys_seconds const instant{std::chrono::seconds{seconds}};
  auto const midnight = floor<days>(instant);
  year_month_day const date{midnight};
  auto const of_day = static_cast<unsigned>((instant - midnight).count());
  std::string out;
  out.reserve(20);
  append_padded(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append_padded(out, of_day / 3600, 2);
  out += ':';
  append_padded(out, of_day / 60 % 60, 2);
  out += ':';
  append_padded(out, of_day % 60, 2);
  out += 'Z';
  return out;
}

std::string micro_time_text(std::int64_t seconds, std::int32_t microseconds) {
  std::string out = time_text(seconds);
  if (out.empty()) return out;
  out.back() = '.';
  append_padded(out, microseconds < 0 || microseconds > 999'999 ? 0 : static_cast<unsigned>(microseconds), 6);
  out += 'Z';
  return out;
}

std::optional<Instant> parse_time(std::string_view text) {
  auto const at = read_time(text, {});
  return at ? std::optional(*at) : std::nullopt;
}

tl::expected<std::string, std::string> canonical_time(std::string_view text) {
  return read_time(text, "2006-01-02T15:04:05Z07:00").map([](const Instant& at) { return time_text(at.seconds); });
}

tl::expected<std::string, std::string> canonical_micro_time(std::string_view text) {
  return read_time(text, "2006-01-02T15:04:05.000000Z07:00", true).map([](const Instant& at) {
    return micro_time_text(at.seconds, at.microseconds);
  });
}

namespace {

tl::expected<Instant, std::string> read_time(std::string_view text, std::string_view layout, bool exact) {
  Reader reader{text, {}};
  int const year = reader.digits(4, "2006");
  reader.literal("-");
  int const month = reader.digits(2, "01");
  reader.literal("-");
  int const day = reader.digits(2, "02");
  reader.literal("T");
  int const hour = reader.digits(2, "15");
  reader.literal(":");
  int const minute = reader.digits(2, "04");
  reader.literal(":");
  int const second = reader.digits(2, "05");
  std::int32_t const microseconds = exact ? reader.microseconds() : reader.fraction();
  int offset = 0;
  if (reader.failed.empty() && reader.rest.starts_with('Z')) {
    reader.rest.remove_prefix(1);
  } else if (reader.failed.empty()) {
    std::string_view const zone = reader.rest;
    int const sign = zone.starts_with('-') ? -1 : 1;
    if (zone.starts_with('+') || zone.starts_with('-'))
      reader.rest.remove_prefix(1);
    else
      reader.failed = "Z07:00";
    int const hours = reader.digits(2, "Z07:00");
    reader.literal(":");
    int const minutes = reader.digits(2, "Z07:00");
    offset = sign * (hours * 3600 + minutes * 60);
    if (!reader.failed.empty() || hours > 24 || minutes >= 60) reader.rest = zone, reader.failed = "Z07:00";
  }
  std::string const what = "parsing time " + quoted(text);
  if (!reader.failed.empty()) {
    return tl::unexpected(what + " as " + quoted(layout) + ": cannot parse " + quoted(reader.rest) + " as " +
                          quoted(reader.failed));
  }
  if (!reader.rest.empty()) return tl::unexpected(what + ": extra text: " + quoted(reader.rest));
  using namespace std::chrono;
  year_month_day const date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                            std::chrono::day{static_cast<unsigned>(day)}};
  if (month < 1 || month > 12) return tl::unexpected(what + ": month out of range");
  if (!date.ok()) return tl::unexpected(what + ": day out of range");
  if (hour > 23) return tl::unexpected(what + ": hour out of range");
  if (minute > 59) return tl::unexpected(what + ": minute out of range");
  if (second > 59) return tl::unexpected(what + ": second out of range");
  std::int64_t const days_since = sys_days{date}.time_since_epoch().count();
  return Instant{days_since * 86400 + hour * 3600 + minute * 60 + second - offset, microseconds};
}

} // namespace

} // namespace signpost::model
