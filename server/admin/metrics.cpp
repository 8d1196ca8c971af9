#include "server/admin/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>

namespace signpost::server {
namespace {

prometheus::MetricType type_of(Sample::Type type) {
  switch (type) {
  case Sample::Type::counter: return prometheus::MetricType::Counter;
  case Sample::Type::gauge: return prometheus::MetricType::Gauge;
  case Sample::Type::histogram: break;
  }
  return prometheus::MetricType::Histogram;
}

} // namespace

std::string metrics_page(const std::vector<Sample>& samples) {
  std::vector<prometheus::MetricFamily> families;
  for (const Sample& sample : samples) {
    auto family =
        std::find_if(families.begin(), families.end(), [&](const auto& known) { return known.name == sample.name; });
    if (family == families.end()) {
      family = families.emplace(families.end());
      family->name = sample.name;
      family->help = sample.help;
      family->type = type_of(sample.type);
    }
    prometheus::ClientMetric metric;
    for (const auto& [label, value] : sample.labels) metric.label.push_back({label, value});
    switch (sample.type) {
    case Sample::Type::counter: metric.counter.value = sample.value; break;
    case Sample::Type::gauge: metric.gauge.value = sample.value; break;
    case Sample::Type::histogram:
      metric.histogram.sample_sum = sample.value;
      metric.histogram.sample_count = sample.buckets.empty() ? 0 : sample.buckets.back().second;
      for (const auto& [bound, count] : sample.buckets) metric.histogram.bucket.push_back({count, bound});
      break;
    }
    family->metric.push_back(std::move(metric));
  }
  return prometheus::TextSerializer().Serialize(families);
}

} // namespace signpost::server
