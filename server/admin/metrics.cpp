#include "server/admin/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>

namespace signpost::server {

std::string metrics_page(const std::vector<Sample>& samples) {
  std::vector<prometheus::MetricFamily> families;
  for (const Sample& sample : samples) {
    auto family =
        std::find_if(families.begin(), families.end(), [&](const auto& known) { return known.name == sample.name; });
    if (family == families.end()) {
      family = families.emplace(families.end());
      family->name = sample.name;
      family->help = sample.help;
      family->type =
          sample.type == Sample::Type::counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
    }
    prometheus::ClientMetric metric;
    for (const auto& [label, value] : sample.labels) metric.label.push_back({label, value});
    if (sample.type == Sample::Type::counter)
      metric.counter.value = sample.value;
    else
      metric.gauge.value = sample.value;
    family->metric.push_back(std::move(metric));
  }
  return prometheus::TextSerializer().Serialize(families);
}

} // namespace signpost::server
