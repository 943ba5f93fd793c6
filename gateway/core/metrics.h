#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace tidegate {

/// One number that the gateway knows about itself. Shown as the series `self/<path>` and at /metrics as
/// `tidegate_<path with _ for />` plus `_total` for a counter; of `source/<name>/<what>` and `uplink/<name>/<what>` the
/// name is a label there.
class Metric {
 public:
  enum class Kind : unsigned char { counter, gauge };

  Metric(Kind its_kind, std::string its_path, std::string its_unit, std::string its_help)
      : kind(its_kind), path(std::move(its_path)), unit(std::move(its_unit)), help(std::move(its_help)) {}

  void add(double by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  void set(double to) { value_.store(to, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

  const Kind kind;
  const std::string path;  ///< "intake/dropped_samples"
  const std::string unit;  ///< "s", "bytes", "samples"; empty for a plain count
  const std::string help;  ///< one sentence

 private:
  std::atomic<double> value_{0};
};

/// Every metric of the process: made once, at a stable address, never removed. Any thread. One is made in main and
/// handed down; there is no global.
class Metrics {
 public:
  /// The metric of that path; made on the first call, so two owners of one path share it.
  Metric& counter(std::string_view path, std::string_view unit, std::string_view help);
  Metric& gauge(std::string_view path, std::string_view unit, std::string_view help);
  void for_each(const std::function<void(const Metric&)>& visit) const;

 private:
  Metric& metric(Metric::Kind kind, std::string_view path, std::string_view unit, std::string_view help);

  mutable std::mutex mutex_;
  std::deque<Metric> metrics_;
};

}  // namespace tidegate
