#include "tests/bench/contender.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "gateway/config/load.h"
#include "rules/rule.h"
#include "rules/slope_window.h"

namespace tidegate::bench {
namespace {

using rules::Detector;
using rules::Finding;
using rules::Verdict;

/// What the product makes of a rule as it stands in a file.
std::unique_ptr<Detector> product(const std::string& condition) {
  config::Problems problems;
  config::Node node = config::parse("[{name: scored, series: scored, " + condition + "}]", "scored", ".",
                                    config::References::system(), problems);
  config::check(node, config::Shape::list(rules::rule_shape()), problems);
  const auto compiled = rules::parse_rules(node, problems);
  if (!problems.empty()) {
    std::fputs(problems.text().c_str(), stderr);
    std::exit(1);
  }
  auto watch = compiled.at(0).make({}, {});
  if (!watch) {
    fmt::print(stderr, "{}: {}\n", condition, watch.error().text);
    std::exit(1);
  }
  return std::move(watch->detector);
}

/// Mean and standard deviation of the last 6,400 readings, and how unlikely the newest is by the normal distribution:
/// -log10 of its two-sided tail.
class WindowedGaussian final : public Detector {
 public:
  static constexpr double kLimit = 5;

  Finding observe(const Sample& sample) override {
    Finding found{Verdict::hold, 0, kLimit};
    if (values_.size() >= 30) {
      const auto count = static_cast<double>(values_.size());
      const double mean = sum_ / count, sigma = std::sqrt(std::max(0.0, squares_ / count - mean * mean));
      const double z = std::abs(sample.value - first_ - mean) / std::max(sigma, 1e-9 * (1 + std::abs(first_)));
      found.value = -std::log10(std::max(std::erfc(z / std::sqrt(2)), 1e-300));
      found.verdict = found.value > kLimit ? Verdict::breach : Verdict::clear;
    }
    take(sample.value);
    return found;
  }

 private:
  static constexpr std::size_t kWindow = 6'400;

  void take(double value) {
    if (values_.empty()) first_ = value;
    if (values_.size() == kWindow) {
      double& oldest = values_[next_ % kWindow];
      sum_ -= oldest;
      squares_ -= oldest * oldest;
      oldest = value - first_;
      ++next_;
    } else {
      values_.push_back(value - first_);
    }
    sum_ += value - first_;
    squares_ += (value - first_) * (value - first_);
  }

  std::vector<double> values_;
  std::size_t next_ = 0;
  double first_ = 0, sum_ = 0, squares_ = 0;
};

/// Limits as somebody sets them who has looked at the first readings: as far beyond the smallest and the largest as
/// these are apart, halved.
std::unique_ptr<Detector> limits(std::span<const Reading> first) {
  double low = 0, high = 0;
  bool any = false;
  for (const Reading& reading : first) {
    if (!std::isfinite(reading.value)) continue;
    low = any ? std::min(low, reading.value) : reading.value;
    high = any ? std::max(high, reading.value) : reading.value;
    any = true;
  }
  const double margin = std::max((high - low) / 2, 1e-9 * (1 + std::abs(low)));
  return product(fmt::format("threshold: {{outside: [{:.17g}, {:.17g}]}}", low - margin, high + margin));
}

Contender of_product(std::string name, const std::string& condition, double limit) {
  return {std::move(name), condition, [condition](std::span<const Reading>) { return product(condition); }, true,
          limit};
}

/// A share of the limit, which may move.
double score_of(const Finding& found, bool is_graded, double limit) {
  if (!is_graded) return found.verdict == Verdict::breach ? 1 : 0;
  return std::isnan(found.value) ? 0 : std::min(std::abs(found.value) / found.limit * limit, 1e9);
}

}  // namespace

const std::vector<Contender>& contenders() {
  static const std::vector<Contender> kContenders{
      of_product("anomaly", "anomaly: {}", 3),
      of_product("shift", "shift: {}", 1),
      of_product("shift, page_hinkley", "shift: {method: page_hinkley}", 1),
      of_product("shift, ewma", "shift: {method: ewma}", 1),
      of_product("deviation", "deviation: {sigmas: 4, over: 1d}", 4),
      {"flatline", "flatline: {for: 1h}", [](std::span<const Reading>) { return product("flatline: {for: 1h}"); },
       false},
      {"static limits", "threshold: {outside: [low, high]}", limits, false},
      {"windowed Gaussian", "p < 1e-5 over 6400 readings",
       [](std::span<const Reading>) -> std::unique_ptr<Detector> { return std::make_unique<WindowedGaussian>(); }, true,
       WindowedGaussian::kLimit},
  };
  return kContenders;
}

std::size_t probation(std::size_t readings) { return std::min<std::size_t>(readings * 15 / 100, 750); }

Judged judge(const Contender& contender, std::span<const Reading> readings, std::size_t first) {
  const auto detector = contender.make(readings.first(first));
  Judged judged;
  judged.scores.reserve(readings.size());
  bool is_up = false;
  Timestamp newest = Timestamp::min();
  for (const Reading& reading : readings) {
    if (!std::isfinite(reading.value) || reading.time < newest) {
      judged.scores.push_back(0);
      continue;
    }
    newest = reading.time;
    const Finding found = detector->observe({SeriesId{0}, Quality::good, Reason::none, reading.time, reading.value});
    judged.scores.push_back(score_of(found, contender.is_graded, contender.limit));
    if (found.verdict == Verdict::breach && !is_up) judged.alarms.push_back(reading.time);
    if (found.verdict != Verdict::hold) is_up = found.verdict == Verdict::breach;
  }
  return judged;
}

}  // namespace tidegate::bench
