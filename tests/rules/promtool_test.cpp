// Rules against Prometheus' own: `promtool test rules` is told what this engine found on random series, and says
// whether Prometheus finds the same. Its ranges are closed at both ends in this version and ours are open at the old
// one, so they are a millisecond shorter there.

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <optional>

#include "rules/engine.h"
#include "rules/expr/expression.h"
#include "tests/rules/detector_support.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace tidegate::rules {
namespace {

using std::chrono::seconds;

constexpr int kSteps = 60;
constexpr Micros kInterval = seconds(10);

/// One value each interval, or none.
using Series = std::vector<std::optional<double>>;

Series random_series(std::mt19937_64& random, bool with_holes) {
  std::normal_distribution<double> step(0, 6);
  Series series;
  double value = 50 + step(random);
  for (int i = 0; i < kSteps; ++i) {
    value += random() % 12 == 0 ? 5 * step(random) : step(random);
    const bool is_hole = with_holes && i > 0 && random() % 8 == 0;
    series.push_back(is_hole ? std::nullopt : std::optional(value));
  }
  return series;
}

std::string values(const Series& series) {
  std::string text;
  for (const auto& value : series) text += value ? fmt::format("{:.17g} ", *value) : "_ ";
  return text;
}

class Promtool : public testing::Test {
 protected:
  void expect_agrees(const std::string& rules, const std::string& tests, std::uint64_t seed) {
    std::ofstream(directory.path() / "rules.yml") << rules;
    std::ofstream(directory.path() / "tests.yml") << tests;
    const auto done = test::run({"promtool", "test", "rules", (directory.path() / "tests.yml").string()});
    EXPECT_EQ(done.status, 0) << "seed " << seed << ": " << done.output.substr(0, 4000);
  }
  test::TempDir directory;
};

struct Delays {
  int raise, clear;  ///< in intervals
};

/// Step by step, is the alert up?
std::vector<bool> firing(const Series& series, const Delays& delays) {
  Engine engine({rule(
      fmt::format("threshold: {{above: 60}}, for: {}s, clear_after: {}s", delays.raise * 10, delays.clear * 10), "v")});
  Output out;
  engine.declare(SeriesId{0}, "v", {}, {}, kStart, out);
  std::vector<bool> up;
  Phase phase = Phase::normal;
  for (int i = 0; i < kSteps; ++i) {
    const Timestamp now = kStart + i * kInterval;
    if (series[static_cast<std::size_t>(i)]) {
      const Sample sample = at(now, *series[static_cast<std::size_t>(i)]);
      engine.observe({&sample, 1}, now, out);
    }
    engine.tick(now, out);
    for (const AlertRecord& record : out.alerts) phase = record.phase;
    out.clear();
    up.push_back(raised(phase));
  }
  return up;
}

/// `for` and `clear_after` are Prometheus' `for` and `keep_firing_for`.
TEST_F(Promtool, AgreesOnWhenAnAlertIsUp) {
  constexpr std::uint64_t kSeed = 20261128;
  std::mt19937_64 random(kSeed);
  std::string rules = "groups:\n- name: g\n  rules:\n", input, checks;
  int ups = 0;
  for (int i = 0; i < 100; ++i) {
    const Series series = random_series(random, i % 2 == 1);
    const Delays delays{static_cast<int>(random() % 5), static_cast<int>(random() % 5)};
    rules += fmt::format("  - {{alert: a{0}, expr: 'v{{i=\"{0}\"}} > 60', for: {1}s, keep_firing_for: {2}s}}\n", i,
                         delays.raise * 10, delays.clear * 10);
    input += fmt::format("  - {{series: 'v{{i=\"{}\"}}', values: '{}'}}\n", i, values(series));
    const std::vector<bool> up = firing(series, delays);
    for (int step = 0; step < kSteps; ++step) {
      const bool is_up = up[static_cast<std::size_t>(step)];
      ups += is_up ? 1 : 0;
      checks += fmt::format("  - {{eval_time: {}s, alertname: a{}, exp_alerts: [{}]}}\n", step * 10, i,
                            is_up ? fmt::format("{{exp_labels: {{i: '{}'}}}}", i) : "");
    }
  }
  EXPECT_GT(ups, 500);
  EXPECT_LT(ups, 5500);
  expect_agrees(rules,
                "rule_files: [rules.yml]\nevaluation_interval: 10s\ntests:\n- interval: 10s\n  input_series:\n" +
                    input + "  alert_rule_test:\n" + checks,
                kSeed);
}

/// What a detector found, {x}, and PromQL over the series {v} that must come to 0.
struct Claim {
  std::string condition;
  std::string expression;
  double tolerance;
};

const std::vector<Claim>& claims() {
  static const std::vector<Claim> kClaims{
      {"trend: {rising: 1 /s, over: 60s}", "deriv({v}[59s999ms]) - {x}", 1e-9},
      {"forecast: {above: 100, within: 1m, from: 60s}", "predict_linear({v}[59s999ms], {x}) - 100", 1e-7},
      {"change: {rises_by: 1, within: 60s}", "{v} - min_over_time({v}[59s999ms]) - {x}", 1e-9},
      {"change: {falls_by: 1, within: 60s}", "max_over_time({v}[59s999ms]) - {v} - {x}", 1e-9},
      {"deviation: {sigmas: 3, over: 60s, min_points: 4}",
       "({v} - avg_over_time({v}[49s999ms] offset 10s)) / stddev_over_time({v}[49s999ms] offset 10s) - {x}", 1e-9},
      {"deviation: {percent: 30, over: 60s, min_points: 4}",
       "100 * ({v} - avg_over_time({v}[49s999ms] offset 10s)) / abs(avg_over_time({v}[49s999ms] offset 10s)) - {x}",
       1e-9},
      {"deviation: {percent: 30, over: 60s, min_points: 4, robust: true}",
       "100 * ({v} - quantile_over_time(0.5, {v}[49s999ms] offset 10s)) / abs(quantile_over_time(0.5, {v}[49s999ms] "
       "offset 10s)) - {x}",
       1e-9}};
  return kClaims;
}

/// What is claimed of the series that promtool is told, and told it in one go.
class Claims {
 public:
  void series(int i, const Series& series) {
    input_ += fmt::format("  - {{series: 'v{{i=\"{}\"}}', values: '{}'}}\n", i, values(series));
  }
  /// That at this step the claim's expression comes to `found`.
  void add(int i, const Claim& claim, int step, double found) {
    const std::string difference =
        fmt::format(fmt::runtime(claim.expression), fmt::arg("v", fmt::format("v{{i=\"{}\"}}", i)),
                    fmt::arg("x", fmt::format("({:.17g})", found)));
    const double scale = std::max(1.0, std::abs(found));
    checks_ += fmt::format(
        "  - {{expr: 'abs({}) < bool {:.3g}', eval_time: {}s, exp_samples: [{{labels: '{{i=\"{}\"}}', value: 1}}]}}\n",
        difference, claim.tolerance * scale, step * 10, i);
    ++count_;
  }
  int count() const { return count_; }
  std::string tests() const {
    return "rule_files: [rules.yml]\nevaluation_interval: 10s\ntests:\n- interval: 10s\n  input_series:\n" + input_ +
           "  promql_expr_test:\n" + checks_;
  }

 private:
  std::string input_, checks_;
  int count_ = 0;
};

/// A number that a detector found at a sample with a full window, to nine digits what PromQL's function gives.
TEST_F(Promtool, AgreesOnWhatIsFoundInAWindow) {
  constexpr std::uint64_t kSeed = 7;
  std::mt19937_64 random(kSeed);
  Claims told;
  for (int i = 0; i < 60; ++i) {
    const Series series = random_series(random, i % 2 == 1);
    told.series(i, series);
    for (const Claim& claim : claims()) {
      const auto watched = detector(claim.condition);
      for (int step = 0; step < kSteps; ++step) {
        const auto& value = series[static_cast<std::size_t>(step)];
        if (!value) continue;
        const Finding found = watched->observe(at(kStart + step * kInterval, *value));
        if (step < 8 || random() % 8 != 0 || !std::isfinite(found.value) || found.value == 0) continue;
        told.add(i, claim, step, found.value);
      }
    }
  }
  EXPECT_GT(told.count(), 2000);
  expect_agrees("groups: []\n", told.tests(), kSeed);
}

/// An expression, and PromQL over {v} that comes to 0 with the {x} that was found.
const std::vector<Claim>& expression_claims() {
  static const std::vector<Claim> kClaims{
      {"avg(value, 1m)", "avg_over_time({v}[59s999ms]) - {x}", 1e-9},
      {"sum(value, 1m)", "sum_over_time({v}[59s999ms]) - {x}", 1e-9},
      {"min(value, 1m)", "min_over_time({v}[59s999ms]) - {x}", 1e-9},
      {"max(value, 1m)", "max_over_time({v}[59s999ms]) - {x}", 1e-9},
      {"range(value, 1m)", "max_over_time({v}[59s999ms]) - min_over_time({v}[59s999ms]) - {x}", 1e-9},
      {"count(value, 1m)", "count_over_time({v}[59s999ms]) - {x}", 1e-9},
      {"stddev(value, 1m)", "stddev_over_time({v}[59s999ms]) - {x}", 1e-9},
      {"median(value, 1m)", "quantile_over_time(0.5, {v}[59s999ms]) - {x}", 1e-9},
      {"quantile(value, 0.9, 1m)", "quantile_over_time(0.9, {v}[59s999ms]) - {x}", 1e-9},
      {"changes(value, 1m)", "changes({v}[59s999ms]) - {x}", 1e-9},
      {"resets(value, 1m)", "resets({v}[59s999ms]) - {x}", 1e-9},
      {"slope(value, 1m)", "deriv({v}[59s999ms]) - {x}", 1e-9},
      {"forecast(value, 1m, 2m)", "predict_linear({v}[59s999ms], 120) - {x}", 1e-9},
      {"value + 10 - last(value) * 2", "{v} + 10 - {v} * 2 - {x}", 1e-9},
      {"avg(value, 30s) / max(value, 2m)", "avg_over_time({v}[29s999ms]) / max_over_time({v}[119s999ms]) - {x}", 1e-9}};
  return kClaims;
}

/// At every step, whether a sample comes at it or not.
TEST_F(Promtool, AgreesOnFunctionsOfExpressions) {
  constexpr std::uint64_t kSeed = 11;
  std::mt19937_64 random(kSeed);
  Claims told;
  for (int i = 0; i < 40; ++i) {
    const Series series = random_series(random, i % 2 == 1);
    told.series(i, series);
    for (const Claim& claim : expression_claims()) {
      const auto expression = std::get<expr::Expression>(expr::Expression::parse(claim.condition));
      const expr::Input input;
      const expr::Input* const inputs[] = {&input};
      auto program = std::get<expr::Program>(expr::Program::bind(expression, inputs));
      for (int step = 0; step < kSteps; ++step) {
        const Timestamp now = kStart + step * kInterval;
        if (const auto& value = series[static_cast<std::size_t>(step)]) program.observe(0, at(now, *value));
        const expr::Value found = program.evaluate(now);
        if (step >= 3 && random() % 5 == 0 && found.known) told.add(i, claim, step, found.value);
      }
    }
  }
  EXPECT_GT(told.count(), 5000);
  expect_agrees("groups: []\n", told.tests(), kSeed);
}

}  // namespace
}  // namespace tidegate::rules
