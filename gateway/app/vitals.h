#pragma once

#include "gateway/core/intake.h"
#include "gateway/core/metrics.h"
#include "gateway/journal/journal.h"

namespace tidegate::app {

/// The gateway's own numbers that nobody counts as they happen: read each second and set as metrics, so that they are
/// series like any other and rules apply to them. Main thread.
class Vitals {
 public:
  explicit Vitals(Metrics& metrics);
  void measure(const Intake::Stats& intake, const journal::Stats& journal, Micros pump_age, Timestamp now);

 private:
  Metric& queue_depth_;
  Metric& queue_capacity_;
  Metric& dropped_;
  Metric& events_refused_;
  Metric& pump_lag_;
  Metric& stored_samples_;
  Metric& oldest_age_;
  Metric& resident_;
  Metric& cpu_;
  Metric& threads_;
  Metric& open_files_;
};

}  // namespace tidegate::app
