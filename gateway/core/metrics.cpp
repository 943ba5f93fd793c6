#include "gateway/core/metrics.h"

#include <vector>

namespace tidegate {

Metric& Metrics::counter(std::string_view path, std::string_view unit, std::string_view help) {
  return metric(Metric::Kind::counter, path, unit, help);
}

Metric& Metrics::gauge(std::string_view path, std::string_view unit, std::string_view help) {
  return metric(Metric::Kind::gauge, path, unit, help);
}

void Metrics::for_each(const std::function<void(const Metric&)>& visit) const {
  // Addresses are stable, so the visitor runs without the lock and may itself make metrics.
  std::vector<const Metric*> all;
  {
    const std::lock_guard lock(mutex_);
    all.reserve(metrics_.size());
    for (const Metric& metric : metrics_) all.push_back(&metric);
  }
  for (const Metric* metric : all) visit(*metric);
}

Metric& Metrics::metric(Metric::Kind kind, std::string_view path, std::string_view unit, std::string_view help) {
  const std::lock_guard lock(mutex_);
  for (Metric& metric : metrics_) {
    if (metric.path == path) return metric;
  }
  return metrics_.emplace_back(kind, std::string(path), std::string(unit), std::string(help));
}

}  // namespace tidegate
