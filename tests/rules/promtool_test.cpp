// Rules against Prometheus' own: `promtool test rules` is told what this engine found on random series, and says
// whether Prometheus finds the same. Its ranges are closed at both ends in this version and ours are open at the old
// one, so they are a millisecond shorter there.

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <optional>

#include "rules/engine.h"
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
  void SetUp() override {
    if (test::run({"sh", "-c", "command -v promtool"}).status != 0) GTEST_SKIP() << "promtool is not installed";
  }
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

/// A number that a detector found at a sample with a full window, to nine digits what PromQL's function gives.
TEST_F(Promtool, AgreesOnWhatIsFoundInAWindow) {
  constexpr std::uint64_t kSeed = 7;
  std::mt19937_64 random(kSeed);
  std::string input, checks;
  int claimed = 0;
  for (int i = 0; i < 60; ++i) {
    const Series series = random_series(random, i % 2 == 1);
    input += fmt::format("  - {{series: 'v{{i=\"{}\"}}', values: '{}'}}\n", i, values(series));
    for (const Claim& claim : claims()) {
      const auto watched = detector(claim.condition);
      for (int step = 0; step < kSteps; ++step) {
        const auto& value = series[static_cast<std::size_t>(step)];
        if (!value) continue;
        const Finding found = watched->observe(at(kStart + step * kInterval, *value));
        if (step < 8 || random() % 8 != 0 || !std::isfinite(found.value) || found.value == 0) continue;
        const std::string difference =
            fmt::format(fmt::runtime(claim.expression), fmt::arg("v", fmt::format("v{{i=\"{}\"}}", i)),
                        fmt::arg("x", fmt::format("({:.17g})", found.value)));
        const double scale = std::max(1.0, std::abs(found.value));
        checks += fmt::format(
            "  - {{expr: 'abs({}) < bool {:.3g}', eval_time: {}s, exp_samples: [{{labels: '{{i=\"{}\"}}', value: "
            "1}}]}}\n",
            difference, claim.tolerance * scale, step * 10, i);
        ++claimed;
      }
    }
  }
  EXPECT_GT(claimed, 2000);
  expect_agrees("groups: []\n",
                "rule_files: [rules.yml]\nevaluation_interval: 10s\ntests:\n- interval: 10s\n  input_series:\n" +
                    input + "  promql_expr_test:\n" + checks,
                kSeed);
}

}  // namespace
}  // namespace tidegate::rules
