// Counters, gauges and histograms as a Prometheus page: the daemon collects samples from its parts, the library writes
// the format.
//
// Names follow prometheus.io/docs/practices/naming: signpost_<part>_<what>_<unit>, counters end in _total. No name from
// a query ever becomes a label. Pure function, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace signpost::server {

struct Sample {
  enum class Type { counter, gauge, histogram };

  std::string_view name;
  std::string_view help; // of the name; the first sample of a name decides
  Type type = Type::counter;
  double value = 0; // of a histogram: the sum of what was observed
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<std::pair<double, std::uint64_t>> buckets{}; // of a histogram: upper bound and how many at or below it,
                                                           // ascending; the last bound is infinity
};

/// The text exposition format, version 0.0.4. Samples of one name stand together in the order given.
[[nodiscard]] std::string metrics_page(const std::vector<Sample>& samples);

inline constexpr std::string_view metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

} // namespace signpost::server
